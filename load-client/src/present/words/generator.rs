//! Sentences about the load client: how well it kept up, and whether the figures describe the service at all.

use super::{named::label, parts::percent};
use crate::{
    report::Run,
    units::{counted, time},
};

/// A warning for each run whose figures describe the load client. It must come before any figure. Empty if there is no such
/// run.
pub fn warning(runs: &[Run]) -> String {
    let warnings = runs.iter().filter_map(|run| client_limited(run, &label(run)));
    warnings.map(|warning| warning + "\n").collect()
}

/// The warning about one run, with this name of the run; `None` if there is nothing to warn about.
pub fn client_limited(run: &Run, name: &str) -> Option<String> {
    let verdict = &run.verdict;
    verdict.client_limited.then(|| {
        format!(
            "CLIENT-LIMITED: {name}: {}. These figures describe the load client, not the service.",
            verdict.reason
        )
    })
}

/// How well the load client kept up: the numbers behind the verdict.
pub fn generator(run: &Run) -> String {
    let verdict = &run.verdict;
    if !verdict.client_limited {
        return verdict.reason.clone();
    }
    let lag = verdict
        .start_lag_p99_seconds
        .map(|lag| format!("99 % of its requests were at most {} late", time(lag)));
    let cpu = verdict
        .cpu_share
        .map(|cpu| format!("{} of a core on its busiest thread", percent(cpu)));
    let waits = match verdict.stream_wait_max_seconds {
        Some(max) => format!(
            "{} waited for an HTTP/2 stream, up to {}",
            counted(verdict.stream_waits, "request"),
            time(max)
        ),
        None => "no request waited for an HTTP/2 stream".to_owned(),
    };
    let numbers: Vec<String> = lag.into_iter().chain(cpu).chain([waits]).collect();
    format!("the load client: {}", numbers.join(", "))
}
