//! Every sentence about a run, read as a whole, in every branch.

mod answered;
mod choice;
mod conclusion;
mod enqueued;

use super::{
    samples::{audit, changed, queued, run, service, times},
    *,
};
use crate::report::{ConfigurationReport, Limit, Run};

/// The sentences about a service of the user's own, which has no Watch.
fn own(change: impl FnOnce(&mut Run)) -> String {
    let mut run = run("helloworld.Greeter/SayHello");
    run.service = None;
    explain(&changed(run, change))
}

fn process(change: impl FnOnce(&mut Run)) -> String {
    explain(&changed(run("process"), change))
}

fn enqueue(change: impl FnOnce(&mut Run)) -> String {
    explain(&changed(queued(), change))
}

#[test]
fn nothing_sent() {
    assert_eq!(own(|run| run.ledger.intended = 0), "No requests were sent.");
}

#[test]
fn the_reasons_of_the_service_are_told_where_the_outcomes_do_not_tell_them() {
    let mut run = run("process");
    let mut explained = |refusals: &[(&str, u64)]| {
        let refusals = refusals.iter().map(|(reason, calls)| ((*reason).to_owned(), *calls));
        run.service.as_mut().unwrap().refusals = Some(refusals.collect());
        explain(&run)
    };
    let quiet = explained(&[]);
    assert_eq!(explained(&[("line_full", 7), ("cancelled", 1)]), quiet);
    let told = explained(&[("too_late", 12), ("line_full", 7)]);
    let sentence = " The service names these reasons for calls without OK: 7 line_full, 12 too_late.";
    assert_eq!(told, format!("{quiet}{sentence}"));
}

#[test]
fn restarts_are_told() {
    let once = process(|run| service(run).restarts = 1);
    assert!(
        once.ends_with(" The service was restarted once during the run."),
        "{once}"
    );
    let twice = process(|run| service(run).restarts = 2);
    assert!(
        twice.ends_with(" The service was restarted 2 times during the run."),
        "{twice}"
    );
}

#[test]
fn losses_and_duplicates_are_loud() {
    let lost = enqueue(|run| (audit(run).done, audit(run).lost, audit(run).duplicated) = (78, 2, 1));
    assert!(
        lost.ends_with(" 2 accepted messages were LOST. 1 message was processed TWICE."),
        "{lost}"
    );
}

#[test]
fn withheld_requests_have_no_time() {
    let says = |ok, withheld| {
        unanswered(&changed(run("process"), |run| {
            (run.ledger.ok, run.ledger.withheld) = (ok, withheld);
        }))
    };
    assert_eq!(says(80, 0), None);
    assert_eq!(
        says(79, 1).unwrap(),
        "1 request was withheld and has no response time, so no percentile counts it. \
         Counted as an answer that never came, it would leave percentiles above p98.8 without a value."
    );
    assert_eq!(
        says(143, 157).unwrap(),
        "157 requests were withheld and have no response time, so no percentile counts them. \
         Counted as answers that never came, they would leave percentiles above p47.7 without a value."
    );
    assert_eq!(says(0, 2).unwrap(), "2 requests were withheld.");
}

#[test]
fn a_run_is_named_after_its_method_and_says_what_was_driven() {
    let greeter = run("helloworld.Greeter/SayHello");
    assert_eq!(label(&greeter), "SayHello");
    assert_eq!(
        driven(&greeter).unwrap(),
        "helloworld.Greeter/SayHello at http://127.0.0.1:50051: 4 clients, 8 requests per second (constant arrivals), for \
         10.0 s."
    );
    let made = |change: fn(&mut ConfigurationReport)| {
        driven(&changed(run("enqueue"), |run| {
            change(run.configuration.as_mut().unwrap());
        }))
        .unwrap()
    };
    let one = made(|made| (made.target, made.clients, made.rps, made.max_in_flight) = (None, 1, Some(1.0), 9));
    assert_eq!(
        one,
        "Enqueue: 1 client with up to 9 requests in flight each, 1 request per second (constant arrivals), for 10.0 s."
    );
    assert_eq!(
        made(|made| (made.rps, made.trace_sends) = (None, Some(1))),
        "Enqueue at http://127.0.0.1:50051: 4 clients, a trace of 1 request, for 10.0 s."
    );
    assert_eq!(
        made(|made| made.rps = None),
        "Enqueue at http://127.0.0.1:50051: 4 clients, as fast as the answers come, for 10.0 s."
    );
    assert_eq!(
        made(|made| made.target = Some("Enqueue: the answer comes at once".to_owned())),
        "Enqueue: the answer comes at once. The load: 4 clients, 8 requests per second (constant arrivals), for 10.0 s."
    );
    let started = changed(greeter.clone(), |run| {
        run.started_at = Some("2026-11-26T16:00:00.000Z".to_owned());
    });
    assert!(
        driven(&started)
            .unwrap()
            .ends_with("for 10.0 s. Started at 2026-11-26T16:00:00.000Z.")
    );
    assert_eq!(driven(&changed(greeter, |run| run.configuration = None)), None);
}

#[test]
fn figures_of_the_load_client_are_said_to_be_its_own() {
    let limited = changed(run("process"), |run| {
        run.verdict.client_limited = true;
        "the generator was late".clone_into(&mut run.verdict.reason);
        run.verdict.start_lag_p99_seconds = Some(0.02);
        (run.verdict.stream_waits, run.verdict.stream_wait_max_seconds) = (1, Some(0.5));
    });
    assert_eq!(
        warning(&[limited.clone(), run("process")]),
        "CLIENT-LIMITED: Process: the generator was late. These figures describe the load client, not the service.\n"
    );
    assert_eq!(
        generator(&limited),
        "the load client: 99 % of its requests were at most 20 ms late, 1 request waited for an HTTP/2 stream, up to 0.50 s"
    );
}
