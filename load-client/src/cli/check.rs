//! Checks across flags: flags that contradict each other, and a load that leaves nothing to judge.

use std::time::Duration;

use super::{
    load::LoadArgs,
    policy,
    values::{HIGHEST_RATE, LONGEST},
};
use crate::{
    arrival::{ArrivalPlan, MOST_POISSON},
    scenario::{Scenario, Schedule, Spacing},
};

/// Flags that only change how another flag is read, each with that flag, by their long names. Without the other flag
/// they have no effect. Clap does not check that, because the other flag may be in a lab file.
const MODIFIERS: [(&str, &str); 8] = [
    ("repeat", "stages"),
    ("trace-time-column", "trace"),
    ("trace-time-unit", "trace"),
    ("trace-time-zone", "trace"),
    ("trace-separator", "trace"),
    ("trace-demand-column", "trace"),
    ("trace-demand-unit", "trace-demand-column"),
    ("speed", "trace"),
];

/// The flag without which this one has no effect, if there is one; both are long names.
pub fn modified_by(flag: &str) -> Option<&'static str> {
    MODIFIERS
        .iter()
        .find(|(name, _)| *name == flag)
        .map(|(_, other)| *other)
}

impl LoadArgs {
    /// Checks that the flags fit each other and the scenario, and that the load has something to judge. Each error is
    /// one sentence that names the flags.
    pub fn check(&self, scenario: &Scenario) -> Result<(), String> {
        self.check_connections(scenario)?;
        self.check_schedule(scenario)?;
        check_rate(scenario)?;
        check_requests(scenario)?;
        check_warmup(scenario)?;
        check_priorities(scenario)?;
        policy::check(scenario)
    }

    /// Checks that no flag is without effect on this schedule. Clap cannot do that: the schedule may come from a lab
    /// file.
    fn check_schedule(&self, scenario: &Scenario) -> Result<(), String> {
        let own = [("stages", self.stages.is_some()), ("repeat", self.repeat)];
        let given = || self.trace.given().into_iter().chain(own);
        let is_given = |flag: &str| given().any(|(name, is_given)| is_given && name == flag);
        let alone = MODIFIERS
            .iter()
            .find(|(flag, other)| is_given(flag) && !is_given(other));
        match (alone, &scenario.schedule) {
            // The error for --repeat with a trace is made below.
            (Some(("repeat", _)), Schedule::Trace(_)) | (None, _) => {}
            (Some(("repeat", _)), _) => {
                return Err(
                    "--repeat repeats stages, and there are none: give them with --stages, or leave --repeat out"
                        .to_owned(),
                );
            }
            (Some((flag, "trace")), _) => {
                return Err(format!(
                    "--{flag} is for a trace, and there is no trace: name its file with --trace, or leave --{flag} out"
                ));
            }
            (Some((flag, other)), _) => {
                return Err(format!(
                    "--{flag} has no effect without --{other}: give both, or leave --{flag} out"
                ));
            }
        }
        let reason = match &scenario.schedule {
            Schedule::Trace(_) if self.repeat => {
                "--repeat repeats the stages of --stages, and a trace is replayed once"
            }
            Schedule::Trace(_) if self.arrival == Spacing::Poisson => {
                "--arrival poisson spaces the requests of a rate, and a trace says when its requests are sent"
            }
            Schedule::AsFastAsPossible if self.arrival == Spacing::Poisson => {
                "--arrival poisson spaces the requests of a rate, and --rps 0 sends as fast as possible"
            }
            _ => return Ok(()),
        };
        Err(format!("{reason}; leave one of them out"))
    }

    fn check_connections(&self, scenario: &Scenario) -> Result<(), String> {
        let clients = scenario.clients;
        if let Some(connections) = self.connections.filter(|connections| *connections > clients) {
            return Err(format!(
                "--connections {connections} is more than the number of clients ({clients}), and a client uses one \
                 connection; give --clients {connections} or more"
            ));
        }
        if let Some(threads) = self.threads.filter(|threads| *threads > scenario.connections) {
            return Err(format!(
                "--threads {threads} is more than the number of connections ({}), and a connection uses one thread; give \
                 --connections {threads} or more",
                scenario.connections
            ));
        }
        Ok(())
    }
}

fn check_rate(scenario: &Scenario) -> Result<(), String> {
    let rate = scenario.schedule.highest_rate().unwrap_or_default();
    let traced = matches!(scenario.schedule, Schedule::Trace(_));
    if rate > HIGHEST_RATE && !traced {
        return Err(format!(
            "{rate} requests per second of all clients together are more than {HIGHEST_RATE}"
        ));
    }
    Ok(())
}

fn check_requests(scenario: &Scenario) -> Result<(), String> {
    let Some(requests) = scenario.requests else {
        return Ok(());
    };
    let at_random = match &scenario.schedule {
        Schedule::Rate { spacing, .. } | Schedule::Stages { spacing, .. } => *spacing == Spacing::Poisson,
        Schedule::Trace(_) | Schedule::AsFastAsPossible => false,
    };
    if at_random && requests > MOST_POISSON {
        return Err(format!(
            "--requests must be at most {MOST_POISSON} with --arrival poisson; --duration gives the load a length instead"
        ));
    }
    if let (Schedule::Rate { rps, .. }, None) = (&scenario.schedule, scenario.duration)
        && requests as f64 / rps > LONGEST.as_secs_f64()
    {
        return Err(format!(
            "--requests {requests} at {rps} per second take longer than a year; --duration ends the load earlier"
        ));
    }
    Ok(())
}

fn check_warmup(scenario: &Scenario) -> Result<(), String> {
    let warmup = scenario.warmup;
    if warmup.is_zero() {
        return Ok(());
    }
    if scenario.requests.is_some() && scenario.schedule == Schedule::AsFastAsPossible {
        return Err(
            "--warmup cannot be used with --requests and --rps 0, because the length of such a load is not known; give \
             --duration in place of --requests"
                .to_owned(),
        );
    }
    match ArrivalPlan::of(scenario).over() {
        Some(load) if warmup >= load => Err(format!(
            "--warmup {} leaves nothing to judge of a load of {}",
            humantime::format_duration(warmup),
            humantime::format_duration(rounded(load))
        )),
        Some(load) if !is_due_after(scenario, warmup, load) => Err(format!(
            "--warmup {} leaves nothing to judge: no request is due after it",
            humantime::format_duration(warmup)
        )),
        _ => Ok(()),
    }
}

/// Whether a request is due between the two times. A load of a given length can be longer than its stages or its trace.
fn is_due_after(scenario: &Scenario, warmup: Duration, load: Duration) -> bool {
    if let Schedule::Trace(rows) = &scenario.schedule {
        // The last row belongs to the load, which ends right after it.
        return rows.last().is_some_and(|row| row.at > warmup);
    }
    let due = |time| scenario.schedule.expected(time);
    match (due(warmup), due(load)) {
        (Some(before), Some(all)) => all - before > 1e-9,
        _ => true,
    }
}

fn check_priorities(scenario: &Scenario) -> Result<(), String> {
    if scenario.priorities.is_some() && scenario.metadata.contains_key("priority") {
        return Err(
            "--priorities and --header 'priority: …' both say how urgent a request is; leave one of them out"
                .to_owned(),
        );
    }
    Ok(())
}

/// Cuts a time to whole milliseconds for people, unless it is shorter than one.
fn rounded(time: Duration) -> Duration {
    let millis = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    if millis == 0 {
        time
    } else {
        Duration::from_millis(millis)
    }
}
