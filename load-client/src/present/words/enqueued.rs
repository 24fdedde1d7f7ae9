//! Sentences about runs of Enqueue, which answers before the message is processed.

use super::{
    parts::{backlog, grows, of_a_second, share, was},
    withheld::withheld,
};
use crate::{
    report::{Run, ServiceReport},
    units::{counted, time, time_on},
};

/// The sentences about a run of Enqueue.
pub(super) fn enqueued(run: &Run) -> Vec<String> {
    let ledger = &run.ledger;
    let mut sentences = Vec::new();
    if ledger.rejected > 0 {
        let full = if run.service.as_ref().is_some_and(|service| service.queue_depth_max > 0) {
            " because the queue was full"
        } else {
            ""
        };
        sentences.push(format!(
            "{} of {} {} {} rejected{full}.",
            ledger.rejected,
            counted(ledger.intended, "request"),
            share(ledger.rejected, ledger.intended),
            was(ledger.rejected),
        ));
    }
    if ledger.ok == 0 {
        sentences.push("No message was accepted.".to_owned());
    } else {
        match &run.service {
            None => sentences.push(format!(
                "The service accepted {}. It was not watched, so what became of them is not known.",
                counted(ledger.ok, "message")
            )),
            Some(service) => sentences.extend(queue(run, service)),
        }
    }
    sentences.extend(withheld(run));
    sentences
}

/// The sentences about the queue, while the load lasted and after it.
fn queue(run: &Run, service: &ServiceReport) -> Vec<String> {
    let mut sentences = Vec::new();
    let audit = run.audit.as_ref();
    let (discarded, left) = audit.map_or((0, 0), |audit| (audit.discarded, audit.queued));
    if service.counts.dropped > 0 {
        sentences.push(format!(
            "The service dropped {} of {} {} because its queue was full, and the senders were not told.",
            service.counts.dropped,
            counted(service.counts.admitted, "accepted message"),
            share(service.counts.dropped, service.counts.admitted),
        ));
    }
    let ends_known = audit.is_some_and(|audit| audit.done == audit.acknowledged) && service.restarts == 0;
    match (backlog(run), service.queue_depth_end) {
        // Messages came faster than they were processed.
        (Some(end), _) if service.counts.dropped == 0 && run.ledger.rejected == 0 => {
            sentences.push(grown(run, end));
            if let Some(drain) = service.drain_seconds.filter(|_| service.restarts == 0) {
                sentences.push(format!("The service needed another {} to process them.", time(drain)));
            }
        }
        _ if ends_known && service.queue_depth_max as f64 <= of_a_second(run) => {
            sentences.push(format!(
                "The workers kept up: the queue never held more than {}.",
                counted(service.queue_depth_max, "message")
            ));
        }
        (_, end) => {
            let at_end = end.map_or_else(String::new, |end| format!(", and {end} when the load stopped"));
            let most = counted(service.queue_depth_max, "message");
            sentences.push(format!("The queue held at most {most}{at_end}."));
        }
    }
    if let Some(times) = run.time_to_done_seconds {
        let processed = if ends_known { "" } else { "processed " };
        let slowest = time_on(run.virtual_time, times.max);
        sentences.push(format!(
            "The slowest {processed}message was done {slowest} after its scheduled send."
        ));
    }
    if left > 0 {
        let (messages, verb) = (counted(left, "accepted message"), was(left));
        sentences.push(format!(
            "{messages} {verb} still queued when the load client stopped waiting."
        ));
    }
    // Dropped messages have a sentence already.
    if discarded > 0 && service.counts.dropped == 0 {
        let why = if service.counts.abandoned > 0 {
            " when the service shut down"
        } else if service.counts.expired >= discarded {
            " because they had waited longer than --message-ttl of the service"
        } else {
            ""
        };
        let (messages, verb) = (counted(discarded, "accepted message"), was(discarded));
        sentences.push(format!("{messages} {verb} discarded{why}."));
    }
    sentences
}

/// Says that the queue has grown: it holds more than a second's load when the load stops.
fn grown(run: &Run, end: u64) -> String {
    let seconds = run.load.duration_seconds + run.load.warmup_seconds;
    let growth = if grows(run) && seconds > 0.0 {
        format!(" It grew by {:.1} messages per second.", end as f64 / seconds)
    } else {
        String::new()
    };
    let held = counted(end, "message");
    format!(
        "The clients do not wait for the processing, so nothing slows them down: the queue held {held} when the load \
         stopped.{growth}"
    )
}
