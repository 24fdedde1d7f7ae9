//! The load on each strategy, in real and in virtual time.

use std::time::Duration;

#[cfg(feature = "embedded")]
use crate::lab::Strategy;
use crate::{
    cli::{Defaults, DrainLimit, LoadArgs},
    scenario::{Rpc, Scenario, Schedule, WhenBlocked},
};

/// What holds in real time where neither a lab nor a flag says otherwise.
pub const REAL: Defaults = Defaults {
    rpc: Rpc::Process,
    duration: Duration::from_secs(20),
    when_blocked: WhenBlocked::Withhold,
    drain_limit: DrainLimit::TwiceTheLoad,
    connections: 1,
    clients: Some(4),
    max_in_flight: None,
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
pub(super) fn real_scenario(load: &LoadArgs, schedule: &Schedule, rpc: Rpc) -> Scenario {
    load.scenario_of(rpc, schedule.clone(), Defaults { rpc, ..REAL })
}

/// The load on a strategy in virtual time: as the flags say, if virtual time is what they ask for (`asked_for`); otherwise,
/// beside the table in real time, for an hour, or for as long as it takes few seconds to compute.
#[cfg(feature = "embedded")]
pub(super) fn virtual_scenario(load: &LoadArgs, schedule: &Schedule, rpc: Rpc, asked_for: bool) -> Scenario {
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
    check_virtual(strategies)?;
    let check = |strategy: &Strategy| {
        let scenario = virtual_scenario(&strategy.load, &strategy.schedule, strategy.rpc, false);
        strategy.load.check(&scenario)
    };
    strategies.iter().try_for_each(check)
}

/// Whether the services can run in virtual time.
///
/// # Errors
///
/// One sentence that names the flags.
#[cfg(feature = "embedded")]
pub fn check_virtual(strategies: &[Strategy]) -> Result<(), String> {
    let waits = strategies
        .iter()
        .find(|strategy| strategy.settings.queue.outlives_process());
    waits.map_or(Ok(()), |strategy| {
        Err(format!(
            "{}: --queue {} waits for a disk or a server, which takes real time, and this comparison runs in virtual time; \
             describe it in a lab file and leave --virtual-time out",
            strategy.name, strategy.settings.queue
        ))
    })
}
