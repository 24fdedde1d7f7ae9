//! The conclusion about a run, in two or three short sentences: how much was done, how fast, and what became of the rest.

use super::parts::{backlog, percent, share, was};
use crate::{
    present::ends::{done, occurred},
    report::Run,
    units::{counted, time, time_on},
};

/// The conclusion about a run.
pub fn conclude(run: &Run) -> String {
    let ledger = &run.ledger;
    if ledger.intended == 0 {
        return "No requests were sent.".to_owned();
    }
    let mut sentences = match done(run) {
        Some(done) => vec![how_many(run, done)],
        None if ledger.ok == 0 => vec![format!("None of {} was accepted.", counted(ledger.intended, "request"))],
        None => vec![format!(
            "{} of {} {} {} accepted. What became of {} is not known.",
            ledger.ok,
            counted(ledger.intended, "request"),
            share(ledger.ok, ledger.intended),
            was(ledger.ok),
            counted(ledger.ok, "message"),
        )],
    };
    sentences.extend(not_done(run));
    if let Some(share) = in_time(run) {
        let slo = run.configuration.as_ref().map_or(0.0, |made| made.slo_seconds);
        sentences.push(format!(
            "The SLO of {} held for {} of the requests.",
            time(slo),
            percent(share)
        ));
    }
    if let Some(end) = backlog(run) {
        let messages = counted(end, "message");
        sentences.push(format!(
            "When the load stopped, {messages} {} still on the queue.",
            was(end)
        ));
    }
    sentences.join(" ")
}

fn how_many(run: &Run, done: u64) -> String {
    let all = counted(run.ledger.intended, "request");
    let how_fast = match slowest(run) {
        Some(slowest) if done == 1 => format!(" after {slowest}"),
        Some(slowest) if done > 1 => format!(", the slowest after {slowest}"),
        _ => String::new(),
    };
    match done {
        0 => format!("None of {all} was done."),
        1 if run.ledger.intended == 1 => format!("The only request was done{how_fast}."),
        all_of_them if all_of_them == run.ledger.intended => format!("All {all} were done{how_fast}."),
        some => format!(
            "{some} of {all} {} {} done{how_fast}.",
            share(some, run.ledger.intended),
            was(some)
        ),
    }
}

/// The longest time to done, in words; `None` if it is not known.
pub(super) fn slowest(run: &Run) -> Option<String> {
    let times = run.time_to_done_seconds.as_ref()?;
    Some(time_on(run.virtual_time, times.max))
}

/// The requests that were scheduled and not done, by outcome; `None` if there are none.
pub(super) fn not_done(run: &Run) -> Option<String> {
    let ends = occurred(run).into_iter();
    let ends: Vec<String> = ends
        .filter(|(head, _)| !["done", "accepted"].contains(head))
        .map(|(head, count)| format!("{count} {head}"))
        .collect();
    (!ends.is_empty()).then(|| format!("Not done: {}.", ends.join(", ")))
}

/// The share of the requests that were done within the SLO; `None` without an SLO that is shorter than the timeout, or if it
/// is not known when messages were done.
pub(super) fn in_time(run: &Run) -> Option<f64> {
    let made = run.configuration.as_ref()?;
    let (goodput, offered) = (run.goodput_rps?, run.load.offered_rps?);
    let has_slo = made.slo_seconds < made.timeout_seconds && offered > 0.0;
    has_slo.then(|| (goodput / offered).min(1.0))
}
