//! Makes the load on each strategy, in real and in virtual time.

use std::time::Duration;

#[cfg(feature = "embedded")]
use crate::lab::Strategy;
use crate::{
    cli::{Defaults, DrainLimit, GateArgs, LoadArgs},
    scenario::{Rpc, Scenario, Schedule, WhenBlocked},
};

/// The defaults of a comparison in real time, for everything that neither a lab nor a flag sets.
pub const REAL: Defaults = Defaults {
    rpc: Rpc::Process,
    duration: Duration::from_secs(20),
    when_blocked: WhenBlocked::Withhold,
    drain_limit: DrainLimit::TwiceTheLoad,
    connections: 1,
    clients: Some(4),
    max_in_flight: None,
};

/// The defaults of a comparison in virtual time, for everything that neither a lab nor a flag sets.
#[cfg(feature = "embedded")]
pub const VIRTUAL: Defaults = Defaults {
    duration: Duration::from_secs(3600),
    drain_limit: DrainLimit::None,
    ..REAL
};

/// The most sends per strategy in the second table, which is in virtual time (derived: an hour of the worked example
/// takes 28,800 sends, which are computed in a few seconds).
#[cfg(feature = "embedded")]
const VIRTUAL_SENDS: f64 = 100_000.0;

/// Makes the load on a strategy in real time.
pub(super) fn real_scenario(load: &LoadArgs, schedule: &Schedule, rpc: Rpc) -> Scenario {
    load.scenario_of(rpc, schedule.clone(), Defaults { rpc, ..REAL })
}

/// Makes the load on a strategy in virtual time. With `asked_for`, the user asked for virtual time, and the load has
/// the length that the flags give. Otherwise the run is for the second table; at a fixed rate it then takes an hour, or
/// less if computing an hour would take more than a few seconds.
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

/// Checks that the flags make a load on running services, and that its rules fit it.
///
/// # Errors
///
/// One sentence that names the flags.
pub fn check_targets(load: &LoadArgs, schedule: &Schedule, gates: &GateArgs) -> Result<(), String> {
    let scenario = real_scenario(load, schedule, Rpc::Process);
    load.check(&scenario)?;
    gates.check(&scenario)
}

/// Checks that the rules fit the load of each strategy.
///
/// # Errors
///
/// One sentence that names the flags.
#[cfg(feature = "embedded")]
pub fn check_rules(strategies: &[Strategy], gates: &GateArgs) -> Result<(), String> {
    strategies.iter().try_for_each(|strategy| {
        let scenario = real_scenario(&strategy.load, &strategy.schedule, strategy.rpc);
        gates
            .check(&scenario)
            .map_err(|says| format!("{}: {says}", strategy.name))
    })
}

/// Checks that the flags also make a load in virtual time, for the second table.
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

/// Checks that the services of the strategies can run in virtual time.
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
