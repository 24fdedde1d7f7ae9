//! Every sentence about a run, read as a whole, in every branch.

use serde_json::json;

use super::*;
use crate::{
    ledger::AuditCounts,
    report::{DistributionReport, StageReport},
};

/// A run of 10 s at 8/s by four clients in which every request is answered, with what the service says of itself.
pub(crate) fn run(rpc: &str) -> Run {
    let run = json!({
        "name": "run",
        "rpc": rpc,
        "virtual_time": false,
        "configuration": {
            "target": "http://127.0.0.1:50051", "clients": 4, "connections": 1, "threads": 1, "arrival": "constant",
            "rps": 8.0, "stages": null, "repeat": false, "trace_sends": null, "max_in_flight": 1,
            "when_blocked": "backlog", "duration_seconds": 10.0, "requests": null, "timeout_seconds": 60.0,
            "slo_seconds": 1.0, "warmup_seconds": 0.0, "drain_limit_seconds": null, "payload_bytes": null, "metadata": [],
        },
        "load": {
            "clients": 4, "offered_rps": 8.0, "duration_seconds": 10.0, "warmup_seconds": 0.0, "arrival": "constant",
        },
        "ledger": {
            "intended": 80, "ok": 80, "rejected": 0, "expired": 0, "unavailable": 0, "failed": 0, "withheld": 0,
            "in_flight": 0,
        },
        "service": {
            "admitted": 80, "completed": 80, "dropped": 0, "expired": 0, "cancelled": 0, "abandoned": 0, "failed": 0,
            "queued": 0, "restarts": 0, "queue_depth_max": 2, "queue_depth_end": 0, "in_system_max": 4,
            "queue_bytes_max": 0, "resident_bytes_max": null, "drain_seconds": 0.2,
        },
        "audit": null,
        "goodput_rps": 8.0,
        "response_time_seconds": {},
        "service_time_seconds": {},
        "time_to_done_seconds": null,
        "queue_wait_seconds": null,
        "start_lag_seconds": null,
        "series": [],
        "verdict": {
            "client_limited": false, "reason": "the generator kept its schedule", "start_lag_p99_seconds": null,
            "cpu_share": null, "stream_waits": 0, "stream_wait_max_seconds": null, "stream_wait_mean_seconds": null,
            "withheld_share": 0.0,
        },
        "gates": [],
        "notes": [],
    });
    let mut run: Run = serde_json::from_value(run).unwrap();
    run.response_time_seconds.insert("ok".to_owned(), times(0.25));
    run.service_time_seconds.insert("ok".to_owned(), times(0.25));
    run.time_to_done_seconds = Some(times(0.25));
    run
}

/// Times that are all the same.
pub(in crate::present) fn times(seconds: f64) -> DistributionReport {
    let text = json!({
        "count": 80, "mean": seconds, "min": seconds, "p50": seconds, "p90": seconds, "p95": seconds, "p99": seconds,
        "p999": seconds, "max": seconds,
    });
    serde_json::from_value(text).unwrap()
}

/// Of Enqueue, with everything done.
pub(in crate::present) fn queued() -> Run {
    let mut run = run("enqueue");
    run.queue_wait_seconds = Some(times(0.17));
    run.audit = Some(AuditCounts {
        acknowledged: 80,
        done: 80,
        discarded: 0,
        queued: 0,
        lost: 0,
        unknown: 0,
        duplicated: 0,
        done_unacknowledged: 0,
        done_again: 0,
    });
    run
}

fn changed(mut run: Run, change: impl FnOnce(&mut Run)) -> Run {
    change(&mut run);
    run
}

/// A service of the user's own: no Watch.
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

fn service(run: &mut Run) -> &mut ServiceReport {
    run.service.as_mut().unwrap()
}

fn audit(run: &mut Run) -> &mut AuditCounts {
    run.audit.as_mut().unwrap()
}

#[test]
fn nothing_sent() {
    assert_eq!(own(|run| run.ledger.intended = 0), "No requests were sent.");
}

#[test]
fn a_service_of_ones_own() {
    assert_eq!(
        own(|_| ()),
        "Each client waits for its answer before it sends the next request. The slowest successful answer took 0.25 s."
    );
    assert_eq!(
        own(|run| run.configuration.as_mut().unwrap().clients = 1),
        "The client waits for its answer before it sends the next request. The slowest successful answer took 0.25 s."
    );
    assert_eq!(
        own(|run| run.configuration.as_mut().unwrap().max_in_flight = 100),
        "Each client has up to 100 requests in flight. The slowest successful answer took 0.25 s."
    );
    assert_eq!(
        own(|run| run.configuration = None),
        "The slowest successful answer took 0.25 s."
    );
}

#[test]
fn a_service_of_ones_own_that_fails() {
    let all_fail = |run: &mut Run| {
        (run.ledger.ok, run.ledger.failed) = (0, 80);
        run.response_time_seconds.clear();
    };
    assert_eq!(own(all_fail), "No request succeeded. 80 requests failed.");
    let each_way = |run: &mut Run| {
        let ledger = &mut run.ledger;
        (
            ledger.ok,
            ledger.failed,
            ledger.expired,
            ledger.unavailable,
            ledger.in_flight,
        ) = (76, 1, 1, 1, 1);
    };
    assert_eq!(
        own(each_way),
        "Each client waits for its answer before it sends the next request. The slowest successful answer took 0.25 s. The \
         service was unavailable for 1 request. 1 request passed the deadline. 1 request failed. 1 request was still \
         unanswered when the run ended."
    );
    assert_eq!(
        own(|run| (run.ledger.ok, run.ledger.in_flight) = (78, 2))
            .rsplit_once(". ")
            .unwrap()
            .1,
        "2 requests were still unanswered when the run ended."
    );
}

#[test]
fn a_service_of_ones_own_that_rejects_has_no_waiting_line_that_anybody_knows_of() {
    let rejects = |run: &mut Run| {
        (run.ledger.ok, run.ledger.rejected) = (56, 24);
        run.response_time_seconds.insert("rejected".to_owned(), times(0.001_1));
    };
    assert_eq!(
        own(rejects),
        "24 of 80 requests (30 %) were rejected; the median rejection took 1.1 ms. The slowest successful answer took 0.25 s."
    );
}

#[test]
fn too_few_clients_are_no_backpressure() {
    let withholds = |run: &mut Run| (run.ledger.ok, run.ledger.withheld) = (20, 60);
    let says = "Each client waits for its answer before it sends the next request. The slowest successful answer took \
                0.25 s. 60 of 80 requests (75 %) were withheld because the clients were still waiting for earlier answers.";
    assert_eq!(own(withholds), says);
    for limit in [None, Some(Limit::Clients), Some(Limit::Generator)] {
        let says = process(|run| {
            withholds(run);
            run.verdict.limited_by = limit;
        });
        assert!(!says.contains("backpressure"), "{limit:?}: {says}");
    }
}

#[test]
fn process_holds_its_clients_back() {
    let says = process(|run| {
        (run.ledger.ok, run.ledger.withheld) = (41, 39);
        run.response_time_seconds.insert("ok".to_owned(), times(1.0));
        run.service_time_seconds.insert("ok".to_owned(), times(1.0));
        run.verdict.limited_by = Some(Limit::Service);
    });
    assert_eq!(
        says,
        "Each client waits for its answer before it sends the next request. At most 4 requests were in the service at once. \
         The slowest successful answer took 1.00 s. 39 of 80 requests (49 %) were withheld because the clients were still \
         waiting for earlier answers. The service holds its clients back: this is backpressure."
    );
}

#[test]
fn process_rejects() {
    let says = process(|run| {
        (run.ledger.ok, run.ledger.rejected) = (79, 1);
        run.response_time_seconds
            .insert("rejected".to_owned(), times(0.000_893));
        run.virtual_time = true;
        service(run).in_system_max = 1;
    });
    assert_eq!(
        says,
        "1 of 80 requests (1 %) was rejected because the waiting line was full; the median rejection took 1 ms. At most 1 \
         request was in the service at once. The slowest successful answer took 0.25 s."
    );
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
fn the_workers_keep_up_only_where_everything_was_done_and_the_queue_was_short() {
    assert_eq!(
        enqueue(|_| ()),
        "The workers kept up: the queue never held more than 2 messages. The longest wait was 0.17 s."
    );
    // At random, or after a spike: the queue was long for a while.
    assert_eq!(
        enqueue(|run| {
            service(run).queue_depth_max = 57;
            run.queue_wait_seconds = Some(times(7.04));
        }),
        "The queue held at most 57 messages, and 0 when the load stopped. The longest wait was 7.04 s."
    );
    // The service went away with what it had.
    assert_eq!(
        enqueue(|run| {
            (audit(run).done, audit(run).unknown) = (41, 39);
            run.queue_wait_seconds = Some(times(0.000_038));
            service(run).queue_depth_end = None;
        }),
        "The queue held at most 2 messages. The longest wait of a processed message was 38 µs. What became of 39 accepted \
         messages is unknown."
    );
    assert_eq!(
        enqueue(|run| {
            (audit(run).done, audit(run).unknown) = (79, 1);
            run.queue_wait_seconds = None;
        }),
        "The queue held at most 2 messages, and 0 when the load stopped. What became of 1 accepted message is unknown."
    );
}

#[test]
fn a_growing_queue() {
    let backlog = |run: &mut Run| {
        (service(run).queue_depth_max, service(run).queue_depth_end) = (40, Some(40));
        service(run).drain_seconds = Some(10.2);
        run.queue_wait_seconds = Some(times(10.1));
    };
    let nothing_slows = "The clients do not wait for the processing, so nothing slows them down: the queue held 40 messages \
                         when the load stopped.";
    assert_eq!(
        enqueue(backlog),
        format!(
            "{nothing_slows} It grew by 4.0 messages per second. The service needed another 10.2 s to process them. The \
             longest wait was 10.1 s."
        )
    );
    // Only a constant rate lets a queue grow at one.
    let no_rate =
        format!("{nothing_slows} The service needed another 10.2 s to process them. The longest wait was 10.1 s.");
    assert_eq!(
        enqueue(|run| {
            backlog(run);
            let made = run.configuration.as_mut().unwrap();
            made.rps = None;
            made.stages = Some(Vec::<StageReport>::new());
        }),
        no_rate
    );
    assert_eq!(
        enqueue(|run| {
            backlog(run);
            run.configuration.as_mut().unwrap().arrival = "poisson".to_owned();
        }),
        no_rate
    );
    // Stopped by q before it was empty.
    assert_eq!(
        enqueue(|run| {
            backlog(run);
            service(run).drain_seconds = None;
            (audit(run).done, audit(run).queued) = (45, 35);
        }),
        format!(
            "{nothing_slows} It grew by 4.0 messages per second. The longest wait of a processed message was 10.1 s. 35 \
             accepted messages were still queued when the load client stopped waiting."
        )
    );
    // The service was told to stop, and its drain was too short.
    assert_eq!(
        enqueue(|run| {
            backlog(run);
            (service(run).drain_seconds, service(run).counts.abandoned) = (None, 22);
            (audit(run).done, audit(run).discarded) = (58, 22);
        }),
        format!(
            "{nothing_slows} It grew by 4.0 messages per second. The longest wait of a processed message was 10.1 s. 22 \
             accepted messages were discarded when the service shut down."
        )
    );
}

#[test]
fn a_bounded_queue() {
    assert_eq!(
        enqueue(|run| {
            (
                service(run).counts.dropped,
                service(run).queue_depth_max,
                service(run).queue_depth_end,
            ) = (32, 8, Some(8));
            (audit(run).done, audit(run).discarded) = (48, 32);
            run.queue_wait_seconds = Some(times(2.0));
        }),
        "The service dropped 32 of 80 accepted messages (40 %) because its queue was full, and the senders were not told. The \
         queue held at most 8 messages, and 8 when the load stopped. The longest wait of a processed message was 2.00 s."
    );
    assert_eq!(
        enqueue(|run| {
            (run.ledger.ok, run.ledger.rejected) = (48, 32);
            (service(run).queue_depth_max, service(run).queue_depth_end) = (9, Some(9));
            (audit(run).acknowledged, audit(run).done) = (48, 48);
        }),
        "32 of 80 requests (40 %) were rejected because the queue was full. The queue held at most 9 messages, and 9 when the \
         load stopped. The longest wait was 0.17 s."
    );
    assert_eq!(
        enqueue(|run| (run.ledger.ok, run.ledger.rejected) = (0, 80)),
        "80 of 80 requests (100 %) were rejected because the queue was full. No message was accepted."
    );
}

#[test]
fn enqueue_without_watch() {
    let says = enqueue(|run| (run.service, run.audit) = (None, None));
    assert_eq!(
        says,
        "The service accepted 80 messages. It was not watched, so what became of them is not known."
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
        "1 request was withheld. If you count it as unanswered, percentiles above p98.8 are infinite."
    );
    assert_eq!(
        says(143, 157).unwrap(),
        "157 requests were withheld. If you count them as unanswered, percentiles above p47.7 are infinite."
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
        "the load client: start lag p99 20 ms, 1 request waited for an HTTP/2 stream, up to 0.50 s"
    );
}
