//! Sentences about runs whose answers mean that the message has been processed.

use super::{
    parts::{share, was},
    withheld::withheld,
};
use crate::{
    outcome::Outcome,
    report::{ConfigurationReport, Run, ServiceReport},
    units::{counted, time_on},
};

/// The sentences about a run of an RPC whose answer means that the message has been processed.
pub(super) fn answered(run: &Run) -> Vec<String> {
    let ledger = &run.ledger;
    let mut sentences = Vec::new();
    if ledger.rejected > 0 {
        let full = if run.service.as_ref().is_some_and(only_full) {
            " because the waiting line was full"
        } else {
            ""
        };
        let median = run.response_time_seconds.get(Outcome::Rejected.label());
        let median = median.map_or_else(String::new, |times| {
            format!("; the median rejection took {}", time_on(run.virtual_time, times.p50))
        });
        sentences.push(format!(
            "{} of {} {} {} rejected{full}{median}.",
            ledger.rejected,
            counted(ledger.intended, "request"),
            share(ledger.rejected, ledger.intended),
            was(ledger.rejected),
        ));
    } else if ledger.ok > 0
        && let Some(made) = &run.configuration
    {
        sentences.push(in_flight(made));
    }
    if let Some(service) = &run.service {
        let most = service.in_system_max;
        sentences.push(format!(
            "At most {} {} in the service at once.",
            counted(most, "request"),
            was(most)
        ));
    }
    sentences.push(match run.response_time_seconds.get(Outcome::Ok.label()) {
        Some(times) => format!(
            "The slowest successful answer took {}.",
            time_on(run.virtual_time, times.max)
        ),
        None => "No request succeeded.".to_owned(),
    });
    sentences.extend(withheld(run));
    sentences
}

/// The service's reasons for calls that did not end as rejected.
const NOT_REJECTED: [&str; 10] = [
    "abandoned",
    "cancelled",
    "draining",
    "expired",
    "failed",
    "invalid",
    "other_role",
    "queue_unavailable",
    "queue_unsure",
    "work_failed",
];

/// Whether the service rejected calls for one reason alone: its waiting line was full. False if its reasons are not known.
fn only_full(service: &ServiceReport) -> bool {
    let Some(refusals) = &service.refusals else {
        return false;
    };
    let mut rejections = refusals
        .keys()
        .filter(|reason| !NOT_REJECTED.contains(&reason.as_str()));
    rejections.next().is_some_and(|reason| reason == "line_full") && rejections.next().is_none()
}

/// Says how many requests a client may have in flight.
fn in_flight(made: &ConfigurationReport) -> String {
    let client = if made.clients == 1 { "The client" } else { "Each client" };
    match made.max_in_flight {
        1 => format!("{client} waits for its answer before it sends the next request."),
        many => format!("{client} has up to {many} requests in flight."),
    }
}
