//! Measures the strategies of a lab on services in this process: in real time over loopback, or in virtual time over
//! in-memory connections.

use std::{collections::BTreeMap, sync::Arc, thread, time::Duration};

use tokio::sync::oneshot;

use super::{
    compared::{Compared, all_at_once},
    prediction::theory,
    scenarios::{real_scenario, virtual_scenario},
    services::{Services, events},
};
use crate::{
    call::Call,
    cli::{CompareArgs, Theory},
    embedded::{EmbedError, Embedded},
    fleet::FleetError,
    gates::Rules,
    lab::Strategy,
    live::Live,
    measure::{Event, Measured, RunPlan, measure},
    run::random_run_id,
    scenario::Scenario,
    stop::{Stop, Stopper},
    transport::dial::Dial,
    ui::{
        progress::{Progress, ProgressStyle},
        watched::WatchedRun,
    },
};

/// Why a comparison cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum CompareError {
    /// A service could not be started.
    #[error("{strategy}: {error}")]
    Embed {
        /// The strategy whose service it is.
        strategy: String,
        /// Why not.
        error: EmbedError,
    },
    /// The system gives no thread or runtime.
    #[error("cannot start a thread: {0}")]
    Thread(#[from] std::io::Error),
}

/// How to run and report strategies, apart from the settings in their lab.
#[derive(Debug, Clone)]
pub struct Manner {
    /// The rules by which each run is judged.
    pub rules: Rules,
    /// How progress is shown.
    pub style: ProgressStyle,
    /// Whether the report compares the measurement with theory.
    pub theory: Theory,
    /// True if the user asked for virtual time only; then the load has the length that the flags give.
    pub virtual_time: bool,
}

impl Manner {
    /// The manner that the flags of a comparison ask for.
    pub fn of(args: &CompareArgs) -> Self {
        Self {
            rules: args.gates.rules(),
            style: args.output.progress.manner(),
            theory: args.theory,
            virtual_time: args.virtual_time,
        }
    }
}

impl StrategyRun {
    fn new(strategy: &Strategy, scenario: Scenario, manner: &Manner, stop: Stop) -> Self {
        Self {
            strategy: strategy.clone(),
            scenario: Arc::new(scenario),
            live: Arc::new(Live::default()),
            connect_timeout: strategy.load.connect_timeout,
            rules: manner.rules.clone(),
            stop,
        }
    }
}

/// The plan of a run whose service has not been started.
struct StrategyRun {
    strategy: Strategy,
    scenario: Arc<Scenario>,
    live: Arc<Live>,
    connect_timeout: Duration,
    rules: Rules,
    stop: Stop,
}

impl StrategyRun {
    fn place(&self, dial: Dial, events: Vec<Event>, run_id: String, virtual_time: bool) -> RunPlan {
        RunPlan {
            name: self.strategy.name.clone(),
            scenario: Arc::clone(&self.scenario),
            call: Arc::new(Call::foo(&self.scenario)),
            dial,
            run_id,
            virtual_time,
            connect_timeout: self.connect_timeout,
            live: Arc::clone(&self.live),
            events,
            rules: self.rules.clone(),
            stop: self.stop.clone(),
        }
    }
}

/// Runs the strategies at the same time, over loopback.
pub async fn in_real_time(
    strategies: &[Strategy],
    manner: &Manner,
    stopper: &Arc<Stopper>,
) -> Result<Compared, CompareError> {
    let mut running = Vec::new();
    let started = start(strategies, manner, stopper, &mut running).await;
    let measured = match started {
        Ok(plans) => Ok(all_at_once(plans, manner.style, stopper).await),
        Err(error) => Err(error),
    };
    for services in running {
        services.stop().await;
    }
    let measured = measured?;
    let measured = with_theory(measured, strategies, manner, |strategy| {
        real_scenario(&strategy.load, &strategy.schedule, strategy.rpc)
    });
    Ok(with_capacities(measured.of_targets(&abouts(strategies)), strategies))
}

/// Starts the services of all strategies, and adds them to `running`, also if it fails later.
async fn start(
    strategies: &[Strategy],
    manner: &Manner,
    stopper: &Arc<Stopper>,
    running: &mut Vec<Services>,
) -> Result<Vec<RunPlan>, CompareError> {
    let mut plans = Vec::new();
    for strategy in strategies {
        let scenario = real_scenario(&strategy.load, &strategy.schedule, strategy.rpc);
        let run = StrategyRun::new(strategy, scenario, manner, stopper.listener());
        let run_id = random_run_id();
        let services = Services::start(strategy, &run_id).await;
        let services = services.map_err(|error| CompareError::Embed {
            strategy: strategy.name.clone(),
            error,
        })?;
        plans.push(run.place(services.dial(), services.events(strategy), run_id, false));
        running.push(services);
    }
    Ok(plans)
}

/// Puts beside each run what queueing theory predicts for it, unless the user does not want that.
fn with_theory(
    mut compared: Compared,
    strategies: &[Strategy],
    manner: &Manner,
    scenario: impl Fn(&Strategy) -> Scenario,
) -> Compared {
    if manner.theory == Theory::Off {
        return compared;
    }
    for measured in &mut compared.measured {
        let run = &mut measured.report;
        let strategy = strategies.iter().find(|strategy| strategy.name == run.name);
        run.theory = strategy.map(|strategy| Box::new(theory(strategy, &scenario(strategy), run)));
    }
    compared
}

/// Maps the name of each strategy to its description. Reports have the description in their field `target`.
fn abouts(strategies: &[Strategy]) -> BTreeMap<&str, String> {
    let abouts = strategies.iter();
    abouts
        .map(|strategy| (strategy.name.as_str(), strategy.about.clone()))
        .collect()
}

/// Adds the capacity that the service has when the load begins to the report of each run.
fn with_capacities(mut compared: Compared, strategies: &[Strategy]) -> Compared {
    for measured in &mut compared.measured {
        let report = &mut measured.report;
        let strategy = strategies.iter().find(|strategy| strategy.name == report.name);
        if let (Some(made), Some(strategy)) = (&mut report.configuration, strategy) {
            made.capacity = Some(strategy.capacity());
        }
    }
    compared
}

/// Runs each strategy in its own virtual time, on its own thread: as fast as the machine can compute it, with the same
/// figures every time.
///
/// # Errors
///
/// If a thread or a runtime cannot be started.
pub async fn in_virtual_time(
    strategies: &[Strategy],
    manner: &Manner,
    stopper: &Arc<Stopper>,
) -> Result<Compared, CompareError> {
    let mut watched = Vec::new();
    let mut running = Vec::new();
    for strategy in strategies {
        let plan = StrategyRun::new(
            strategy,
            virtual_scenario(&strategy.load, &strategy.schedule, strategy.rpc, manner.virtual_time),
            manner,
            stopper.listener(),
        );
        watched.push(WatchedRun {
            name: plan.strategy.name.clone(),
            scenario: Arc::clone(&plan.scenario),
            live: Arc::clone(&plan.live),
        });
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()?;
        let (done, result) = oneshot::channel();
        thread::Builder::new().name(plan.strategy.name.clone()).spawn(move || {
            let measured = runtime.block_on(virtual_run(plan));
            // The receiver is gone if the comparison has already failed.
            let _ = done.send(measured);
        })?;
        running.push(result);
    }
    // Progress is shown in lines at most: the runs are over too soon for a live view.
    let progress = Progress::start(watched, manner.style.min(ProgressStyle::Lines), stopper);
    let mut runs = Vec::new();
    for (strategy, result) in strategies.iter().zip(running) {
        let run = result.await.map_err(|_| FleetError::Died).and_then(|run| run);
        runs.push((strategy.name.clone(), run));
    }
    if let Some(progress) = progress {
        progress.finish();
    }
    let compared = with_theory(Compared::of(runs), strategies, manner, |strategy| {
        virtual_scenario(&strategy.load, &strategy.schedule, strategy.rpc, manner.virtual_time)
    });
    Ok(with_capacities(compared.of_targets(&abouts(strategies)), strategies))
}

async fn virtual_run(plan: StrategyRun) -> Result<Measured, FleetError> {
    // Ids are names here, not secrets: the same every time.
    let service = Embedded::in_memory(plan.strategy.settings.clone(), plan.strategy.name.clone());
    let events = events(&plan.strategy, std::slice::from_ref(&service));
    let plan = plan.place(service.dial(), events, "v".to_owned(), true);
    let measured = measure(plan).await;
    service.stop().await;
    measured
}
