//! The full explanation of a run: what became of the requests, of the queue and of the service.

use super::{answered::answered, enqueued::enqueued, parts::was};
use crate::{
    ledger::Ledger,
    present::attempts,
    report::{Run, ServiceReport},
    units::counted,
};

/// Explains a run in a few sentences.
pub fn explain(run: &Run) -> String {
    if run.ledger.intended == 0 {
        return "No requests were sent.".to_owned();
    }
    let mut sentences = if run.is_queued() { enqueued(run) } else { answered(run) };
    sentences.extend(endings(&run.ledger));
    sentences.extend(run.service.as_ref().and_then(told_reasons));
    sentences.extend(attempts::sentence(run));
    match run.service.as_ref().map_or(0, |service| service.restarts) {
        0 => {}
        1 => sentences.push("The service was restarted once during the run.".to_owned()),
        many => sentences.push(format!("The service was restarted {many} times during the run.")),
    }
    if let Some(audit) = &run.audit {
        let messages = |number, what: &str| format!("{} {what}.", counted(number, "accepted message"));
        if audit.lost > 0 {
            sentences.push(messages(audit.lost, &format!("{} LOST", was(audit.lost))));
        }
        if audit.unknown > 0 {
            let accepted = counted(audit.unknown, "accepted message");
            sentences.push(format!("What became of {accepted} is unknown."));
        }
        if audit.done_again > 0 {
            let again = counted(audit.done_again, "message");
            sentences.push(format!(
                "{again} {} processed twice, because the clients had sent them again.",
                was(audit.done_again)
            ));
        }
        if audit.duplicated > 0 {
            sentences.push(format!(
                "{} {} processed TWICE.",
                counted(audit.duplicated, "message"),
                was(audit.duplicated)
            ));
        }
    }
    sentences.join(" ")
}

/// The service's own reasons for not answering with OK, with their counts: `3 displaced, 12 too_late`; `None` if it names
/// none.
pub fn reasons(service: &ServiceReport) -> Option<String> {
    let refusals = service.refusals.as_ref().filter(|refusals| !refusals.is_empty())?;
    let reasons = refusals.iter().map(|(reason, calls)| format!("{calls} {reason}"));
    Some(reasons.collect::<Vec<_>>().join(", "))
}

/// Reasons that the outcomes of the requests show as well.
const TOLD_BY_OUTCOMES: [&str; 6] = [
    "abandoned",
    "cancelled",
    "draining",
    "expired",
    "line_full",
    "queue_full",
];

/// The reasons in a sentence; `None` if they say no more than the outcomes do.
fn told_reasons(service: &ServiceReport) -> Option<String> {
    let is_told = |reason: &String| TOLD_BY_OUTCOMES.contains(&reason.as_str());
    if service.refusals.as_ref()?.keys().all(is_told) {
        return None;
    }
    reasons(service).map(|reasons| format!("The service names these reasons for calls without OK: {reasons}."))
}

/// Sentences about requests that were neither ok nor rejected nor withheld.
fn endings(ledger: &Ledger) -> Vec<String> {
    let mut sentences = Vec::new();
    let requests = |number| counted(number, "request");
    if ledger.unavailable > 0 {
        let unavailable = requests(ledger.unavailable);
        sentences.push(format!("The service was unavailable for {unavailable}."));
    }
    if ledger.expired > 0 {
        sentences.push(format!("{} passed the deadline.", requests(ledger.expired)));
    }
    if ledger.failed > 0 {
        sentences.push(format!("{} failed.", requests(ledger.failed)));
    }
    if ledger.throttled > 0 {
        let throttled = requests(ledger.throttled);
        sentences.push(format!("The clients themselves held back {throttled}."));
    }
    if ledger.in_flight > 0 {
        let verb = was(ledger.in_flight);
        let open = requests(ledger.in_flight);
        sentences.push(format!("{open} {verb} still unanswered when the run ended."));
    }
    sentences
}
