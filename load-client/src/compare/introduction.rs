//! What a reader has to know before the tables: the load, the service, the strategies.

use std::{fmt::Write, time::Duration};

use super::{Strategy, real_scenario, virtual_scenario};
use crate::{
    cli::CompareArgs,
    output::times::time,
    scenario::{Rpc, Scenario, Schedule},
};

/// The load, the service and the strategies, in a few lines.
pub fn introduction(strategies: &[Strategy], args: &CompareArgs, schedule: &Schedule) -> String {
    let scenario = if args.virtual_time {
        virtual_scenario(args, schedule, Rpc::Process)
    } else {
        real_scenario(args, schedule, Rpc::Process)
    };
    let mut text = load(&scenario);
    if let Some(strategy) = strategies.first() {
        let service_time = strategy.settings.service_time.as_secs_f64();
        let _ = write!(
            text,
            "\nThe service has one worker, who needs {} for a message: {:.0} a second.\n\n",
            time(service_time),
            1.0 / service_time
        );
    }
    let width = strategies.iter().map(|strategy| strategy.name.len()).max().unwrap_or(0) + 2;
    for strategy in strategies {
        let _ = writeln!(text, "{:width$}{}", strategy.name, strategy.about);
    }
    let length = length(&scenario);
    if args.virtual_time {
        let _ = write!(text, "\nThe load in virtual time: {length}.\n");
    } else {
        let _ = write!(
            text,
            "\n{length} of load in real time, then the service works off what is left:\n"
        );
    }
    text
}

/// What the second table is.
pub fn virtual_introduction(args: &CompareArgs, schedule: &Schedule) -> String {
    format!(
        "The same for {} in virtual time: the same code, with a clock that jumps to the next thing that happens.\n",
        length(&virtual_scenario(args, schedule, Rpc::Process))
    )
}

fn load(scenario: &Scenario) -> String {
    let clients = scenario.clients;
    match &scenario.schedule {
        Schedule::Rate { rps, .. } => format!(
            "{clients} clients send {} messages a second each, {rps} together.",
            rps / f64::from(clients)
        ),
        Schedule::Stages { stages, .. } => {
            format!("{clients} clients send at {} rates, one after the other.", stages.len())
        }
        Schedule::Trace(rows) => format!("{clients} clients replay {} recorded messages.", rows.len()),
        Schedule::AsFastAsPossible => format!("{clients} clients send as fast as they may."),
    }
}

fn length(scenario: &Scenario) -> String {
    match scenario.length() {
        Some(length) if length > Duration::ZERO => time(length.as_secs_f64()),
        _ => "as long as it takes".to_owned(),
    }
}
