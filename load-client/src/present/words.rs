//! What a run shows, in plain sentences, from its figures alone. A sentence is said only where the figures prove it.

use super::attempts;
use crate::{
    ledger::Ledger,
    outcome::Outcome,
    report::{ConfigurationReport, DistributionReport, Limit, Run, ServiceReport},
    scenario::Rpc,
    units::{counted, time, time_on},
};

/// The name that a run goes by: its own, or that of the RPC method where `run` has made it.
pub fn label(run: &Run) -> String {
    if run.name != "run" {
        return run.name.clone();
    }
    method(run).rsplit('/').next().unwrap_or_default().to_owned()
}

/// The RPC method: `Enqueue`, `Process`, or as `--call` has it.
pub fn method(run: &Run) -> String {
    match run.rpc.as_str() {
        rpc if rpc == Rpc::Enqueue.label() => "Enqueue".to_owned(),
        rpc if rpc == Rpc::Process.label() => "Process".to_owned(),
        other => other.to_owned(),
    }
}

/// What was called where, under which load; `None` if the report does not say.
pub fn driven(run: &Run) -> Option<String> {
    let made = run.configuration.as_ref()?;
    let what = match made.target.as_deref() {
        Some(urls) if urls.contains("://") => format!("{} at {urls}:", method(run)),
        // What a strategy does, in its own words.
        Some(about) => format!("{about}. The load:"),
        None => format!("{}:", method(run)),
    };
    let many = if made.max_in_flight > 1 {
        format!(" with up to {} requests in flight each", made.max_in_flight)
    } else {
        String::new()
    };
    let start = run.started_at.as_ref();
    let start = start.map_or_else(String::new, |start| format!(" Started at {start}."));
    Some(format!(
        "{what} {}{many}, {}, for {}.{start}",
        counted(u64::from(made.clients), "client"),
        rate(made),
        time(run.load.duration_seconds),
    ))
}

/// The times that a rule without a scope judges: to done where messages are queued, else until the ok answer. `None` if there
/// are none.
pub(crate) fn judged_times(run: &Run) -> Option<&DistributionReport> {
    if run.rpc == Rpc::Enqueue.label() {
        run.time_to_done_seconds.as_ref()
    } else {
        run.response_time_seconds.get(Outcome::Ok.label())
    }
}

fn rate(made: &ConfigurationReport) -> String {
    if let Some(rps) = made.rps {
        let requests = if (rps - 1.0).abs() < f64::EPSILON {
            "request"
        } else {
            "requests"
        };
        return format!("{rps} {requests} per second ({} arrivals)", made.arrival);
    }
    if let Some(stages) = &made.stages {
        let again = if made.repeat { ", repeated" } else { "" };
        return format!(
            "{} ({} arrivals){again}",
            counted(stages.len() as u64, "stage"),
            made.arrival
        );
    }
    match made.trace_sends {
        Some(sends) => format!("a trace of {}", counted(sends, "request")),
        None => "as fast as the answers come".to_owned(),
    }
}

fn was(number: u64) -> &'static str {
    if number == 1 { "was" } else { "were" }
}

/// A share with what it is of.
fn share(part: u64, whole: u64) -> String {
    let percent = 100.0 * part as f64 / whole.max(1) as f64;
    format!("({percent:.0} %)")
}

/// What a run shows, in a few sentences.
pub fn explain(run: &Run) -> String {
    if run.ledger.intended == 0 {
        return "No requests were sent.".to_owned();
    }
    let mut sentences = if run.rpc == Rpc::Enqueue.label() {
        enqueued(run)
    } else {
        answered(run)
    };
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

/// Why the service did not answer calls with OK, by its own names: `3 displaced, 12 too_late`; `None` if it names none.
pub fn reasons(service: &ServiceReport) -> Option<String> {
    let refusals = service.refusals.as_ref().filter(|refusals| !refusals.is_empty())?;
    let reasons = refusals.iter().map(|(reason, calls)| format!("{calls} {reason}"));
    Some(reasons.collect::<Vec<_>>().join(", "))
}

/// Reasons that the outcomes of the requests tell as well.
const TOLD_BY_OUTCOMES: [&str; 6] = [
    "abandoned",
    "cancelled",
    "draining",
    "expired",
    "line_full",
    "queue_full",
];

/// The same as a sentence; `None` where it says no more than the outcomes do.
fn told_reasons(service: &ServiceReport) -> Option<String> {
    let is_told = |reason: &String| TOLD_BY_OUTCOMES.contains(&reason.as_str());
    if service.refusals.as_ref()?.keys().all(is_told) {
        return None;
    }
    reasons(service).map(|reasons| format!("The service names these reasons for calls without OK: {reasons}."))
}

/// Requests that had no answer of the service's own.
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

/// What must be said before anything else: figures that are the load client's own. Empty if there is nothing.
pub fn warning(runs: &[Run]) -> String {
    let warnings = runs.iter().filter_map(|run| client_limited(run, &label(run)));
    warnings.map(|warning| warning + "\n").collect()
}

/// The same of one run, by the name that it goes by; `None` if there is nothing.
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
        .map(|lag| format!("start lag p99 {}", time(lag)));
    let cpu = verdict
        .cpu_share
        .map(|cpu| format!("{:.0} % of a core on its busiest thread", 100.0 * cpu));
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

/// What withheld requests mean for the quantiles beside them; `None` if there are none.
pub fn unanswered(run: &Run) -> Option<String> {
    let (ok, withheld) = (run.ledger.ok, run.ledger.withheld);
    (withheld > 0).then(|| {
        let answered = 100.0 * ok as f64 / (ok + withheld) as f64;
        let (requests, verb) = (counted(withheld, "request"), was(withheld));
        let them = if withheld == 1 { "it" } else { "them" };
        if ok == 0 {
            return format!("{requests} {verb} withheld.");
        }
        format!(
            "{requests} {verb} withheld. If you count {them} as unanswered, percentiles above p{answered:.1} are infinite."
        )
    })
}

/// Of Enqueue, which answers before the message is processed.
fn enqueued(run: &Run) -> Vec<String> {
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

/// What became of the queue while the load lasted, and after it.
fn queue(run: &Run, service: &ServiceReport) -> Vec<String> {
    let mut sentences = Vec::new();
    let audit = run.audit.as_ref();
    let (discarded, left) = audit.map_or((0, 0), |audit| (audit.discarded, audit.queued));
    let longest = run.queue_wait_seconds.map(|wait| time_on(run.virtual_time, wait.max));
    if service.counts.dropped > 0 {
        sentences.push(format!(
            "The service dropped {} of {} {} because its queue was full, and the senders were not told.",
            service.counts.dropped,
            counted(service.counts.admitted, "accepted message"),
            share(service.counts.dropped, service.counts.admitted),
        ));
    }
    let ends_known = audit.is_some_and(|audit| audit.done == audit.acknowledged) && service.restarts == 0;
    let second = run.load.offered_rps.unwrap_or(f64::INFINITY).max(1.0);
    let end = service.queue_depth_end;
    match end {
        // More than a second of the load is left: it came faster than it was processed.
        Some(end) if end as f64 > second && service.counts.dropped == 0 && run.ledger.rejected == 0 => {
            sentences.push(grown(run, end));
            if let Some(drain) = service.drain_seconds.filter(|_| service.restarts == 0) {
                sentences.push(format!("The service needed another {} to process them.", time(drain)));
            }
        }
        _ if ends_known && service.queue_depth_max as f64 <= second => {
            sentences.push(format!(
                "The workers kept up: the queue never held more than {}.",
                counted(service.queue_depth_max, "message")
            ));
        }
        end => {
            let at_end = end.map_or_else(String::new, |end| format!(", and {end} when the load stopped"));
            let most = counted(service.queue_depth_max, "message");
            sentences.push(format!("The queue held at most {most}{at_end}."));
        }
    }
    if let Some(longest) = longest {
        let of = if ends_known { "" } else { " of a processed message" };
        sentences.push(format!("The longest wait{of} was {longest}."));
    }
    if left > 0 {
        let (messages, verb) = (counted(left, "accepted message"), was(left));
        sentences.push(format!(
            "{messages} {verb} still queued when the load client stopped waiting."
        ));
    }
    // The dropped ones have had their sentence.
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

/// A queue that holds more than a second's load when the load stops.
fn grown(run: &Run, end: u64) -> String {
    let steady = run
        .configuration
        .as_ref()
        .is_some_and(|made| made.rps.is_some() && made.arrival == "constant");
    let seconds = run.load.duration_seconds + run.load.warmup_seconds;
    let restarts = run.service.as_ref().map_or(0, |service| service.restarts);
    // A service that was changed meanwhile has more than one pace.
    let changed = run.events.as_ref().is_some_and(|events| !events.is_empty());
    let growth = if steady && !changed && restarts == 0 && seconds > 0.0 {
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

/// Of RPCs whose answer means that the message has been processed.
fn answered(run: &Run) -> Vec<String> {
    let ledger = &run.ledger;
    let of_foo = run.rpc == Rpc::Process.label();
    let mut sentences = Vec::new();
    if ledger.rejected > 0 {
        let full = if of_foo {
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

/// How many requests a client may have open.
fn in_flight(made: &ConfigurationReport) -> String {
    let client = if made.clients == 1 { "The client" } else { "Each client" };
    match made.max_in_flight {
        1 => format!("{client} waits for its answer before it sends the next request."),
        many => format!("{client} has up to {many} requests in flight."),
    }
}

/// Requests that were never sent, and why.
fn withheld(run: &Run) -> Option<String> {
    let ledger = &run.ledger;
    (ledger.withheld > 0).then(|| {
        let backpressure = if run.verdict.limited_by == Some(Limit::Service) {
            " The service holds its clients back: this is backpressure."
        } else {
            ""
        };
        format!(
            "{} of {} {} {} withheld because the clients were still waiting for earlier answers.{backpressure}",
            ledger.withheld,
            counted(ledger.intended, "request"),
            share(ledger.withheld, ledger.intended),
            was(ledger.withheld),
        )
    })
}

#[cfg(test)]
pub(crate) mod tests;
