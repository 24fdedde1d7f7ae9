//! `load-client compare`: strategies side by side, under the same load at the same time.

#[cfg(feature = "embedded")]
mod introduction;
#[cfg(feature = "embedded")]
mod strategies;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

#[cfg(feature = "embedded")]
pub use self::{
    introduction::{introduction, virtual_introduction},
    strategies::{CompareError, in_real_time, in_virtual_time},
};
#[cfg(feature = "embedded")]
use crate::lab::Strategy;
use crate::{
    call::Call,
    cli::{CompareArgs, Defaults, DrainLimit, LoadArgs, Target},
    fleet::FleetError,
    live::Live,
    measure::{Measured, RunPlan, measure},
    run::random_run_id,
    scenario::{Rpc, Scenario, Schedule, WhenBlocked},
    stop::Stopper,
    transport::dial::{Dial, TlsError},
    ui::{
        progress::{Progress, ProgressStyle},
        watched::WatchedRun,
    },
};

/// What holds in real time where neither a lab nor a flag says otherwise.
pub const REAL: Defaults = Defaults {
    rpc: Rpc::Process,
    duration: Duration::from_secs(20),
    when_blocked: WhenBlocked::Withhold,
    drain_limit: DrainLimit::TwiceTheLoad,
    connections: 1,
    clients: Some(4),
};

/// What holds in virtual time where neither a lab nor a flag says otherwise.
#[cfg(feature = "embedded")]
pub const VIRTUAL: Defaults = Defaults {
    duration: Duration::from_secs(3600),
    drain_limit: DrainLimit::None,
    ..REAL
};

/// Sends per strategy that the table in virtual time may take, unless the user asks for more (derived: the worked example
/// for an hour takes 28,800, and a few seconds).
#[cfg(feature = "embedded")]
const VIRTUAL_SENDS: f64 = 100_000.0;

/// The load on a strategy in real time.
fn real_scenario(load: &LoadArgs, schedule: &Schedule, rpc: Rpc) -> Scenario {
    load.scenario_of(rpc, schedule.clone(), Defaults { rpc, ..REAL })
}

/// The load on a strategy in virtual time: as the flags say, if virtual time is what they ask for (`asked_for`); otherwise,
/// beside the table in real time, for an hour, or for as long as it takes few seconds to compute.
#[cfg(feature = "embedded")]
fn virtual_scenario(load: &LoadArgs, schedule: &Schedule, rpc: Rpc, asked_for: bool) -> Scenario {
    let mut scenario = load.scenario_of(rpc, schedule.clone(), Defaults { rpc, ..VIRTUAL });
    match schedule {
        _ if asked_for => {}
        Schedule::Rate { rps, .. } => {
            let affordable = Duration::from_secs_f64((VIRTUAL_SENDS / rps).round().max(1.0));
            scenario.duration = Some(VIRTUAL.duration.min(affordable));
        }
        Schedule::Stages { repeat: true, .. } => scenario.duration = real_scenario(load, schedule, rpc).duration,
        Schedule::Stages { .. } | Schedule::Trace(_) | Schedule::AsFastAsPossible => {}
    }
    scenario
}

/// Whether the flags make a load on running services.
///
/// # Errors
///
/// One sentence that names the flags.
pub fn check_targets(load: &LoadArgs, schedule: &Schedule) -> Result<(), String> {
    load.check(&real_scenario(load, schedule, Rpc::Process))
}

/// Whether the flags also make a load in virtual time, beside the one in real time.
///
/// # Errors
///
/// One sentence that names the flags.
#[cfg(feature = "embedded")]
pub fn check_again(strategies: &[Strategy]) -> Result<(), String> {
    let check = |strategy: &Strategy| {
        let scenario = virtual_scenario(&strategy.load, &strategy.schedule, strategy.rpc, false);
        strategy.load.check(&scenario)
    };
    strategies.iter().try_for_each(check)
}

/// What a comparison came to.
#[derive(Debug, Default)]
pub struct Compared {
    /// In the order they were named.
    pub measured: Vec<Measured>,
    /// Those that could not be measured, and why.
    pub failed: Vec<(String, FleetError)>,
}

/// Drives the running services that `args` names, all at the same time.
///
/// # Errors
///
/// If a file for TLS does not do.
pub async fn targets(
    args: &CompareArgs,
    load: &LoadArgs,
    schedule: &Schedule,
    stopper: &Arc<Stopper>,
) -> Result<Compared, TlsError> {
    let access = args.tls.access();
    let plans = args.target.iter().map(|Target { name, rpc, url }| {
        // `main` has rejected targets without an RPC.
        let rpc = rpc.or(args.load.mode()).unwrap_or(REAL.rpc);
        let scenario = Arc::new(real_scenario(load, schedule, rpc));
        Ok(RunPlan {
            name: name.clone(),
            call: Arc::new(Call::foo(&scenario)),
            scenario,
            dial: Dial::url(url, &access)?.with(args.connection.options()),
            run_id: random_run_id(),
            virtual_time: false,
            connect_timeout: load.connect_timeout,
            live: Arc::new(Live::default()),
            events: Vec::new(),
            rules: args.gates.rules(),
            stop: stopper.listener(),
        })
    });
    let plans = plans.collect::<Result<_, _>>()?;
    let targets = args.target.iter();
    let targets = targets
        .map(|target| (target.name.as_str(), target.url.to_string()))
        .collect();
    Ok(all_at_once(plans, args.output.progress.manner(), stopper)
        .await
        .of_targets(&targets))
}

/// Measures all plans at the same time, on this runtime, and shows how they get on.
async fn all_at_once(plans: Vec<RunPlan>, manner: ProgressStyle, stopper: &Arc<Stopper>) -> Compared {
    let watched = plans.iter().map(|plan| WatchedRun {
        name: plan.name.clone(),
        scenario: Arc::clone(&plan.scenario),
        live: Arc::clone(&plan.live),
    });
    let progress = Progress::start(watched.collect(), manner, stopper);
    let runs = plans
        .into_iter()
        .map(|plan| async { (plan.name.clone(), measure(plan).await) });
    let runs = futures_util::future::join_all(runs).await;
    if let Some(progress) = progress {
        progress.finish();
    }
    Compared::of(runs)
}

impl Compared {
    /// Adds another comparison's runs.
    pub fn extend(&mut self, other: Self) {
        self.measured.extend(other.measured);
        self.failed.extend(other.failed);
    }

    /// Notes down what each run was made against, by its name.
    fn of_targets(mut self, targets: &BTreeMap<&str, String>) -> Self {
        for measured in &mut self.measured {
            let report = &mut measured.report;
            if let Some(configuration) = &mut report.configuration {
                configuration.target = targets.get(report.name.as_str()).cloned();
            }
        }
        self
    }

    fn of(runs: impl IntoIterator<Item = (String, Result<Measured, FleetError>)>) -> Self {
        let mut compared = Self::default();
        for (name, run) in runs {
            match run {
                Ok(measured) => compared.measured.push(measured),
                Err(error) => compared.failed.push((name, error)),
            }
        }
        compared
    }
}
