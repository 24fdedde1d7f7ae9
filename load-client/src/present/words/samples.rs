//! Runs for the tests of sentences about runs.

use serde_json::json;

use crate::{
    ledger::AuditCounts,
    report::{DistributionReport, Run, ServiceReport},
};

/// A run of 10 s at 8/s by four clients in which every request is answered, with the service's own figures.
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

/// A distribution of times that are all the same.
pub(in crate::present) fn times(seconds: f64) -> DistributionReport {
    let text = json!({
        "count": 80, "mean": seconds, "min": seconds, "p50": seconds, "p90": seconds, "p95": seconds, "p99": seconds,
        "p999": seconds, "max": seconds,
    });
    serde_json::from_value(text).unwrap()
}

/// A run of Enqueue in which every message is done.
pub(in crate::present) fn queued() -> Run {
    let mut run = run("enqueue");
    run.queue_wait_seconds = Some(times(0.17));
    run.audit = Some(AuditCounts {
        acknowledged: 80,
        done: 80,
        discarded: 0,
        discarded_expired: 0,
        discarded_dead_lettered: 0,
        redelivered: 0,
        queued: 0,
        lost: 0,
        unknown: 0,
        duplicated: 0,
        done_unacknowledged: 0,
        done_again: 0,
    });
    run
}

pub(in crate::present) fn changed(mut run: Run, change: impl FnOnce(&mut Run)) -> Run {
    change(&mut run);
    run
}

pub(in crate::present) fn service(run: &mut Run) -> &mut ServiceReport {
    run.service.as_mut().unwrap()
}

pub(in crate::present) fn audit(run: &mut Run) -> &mut AuditCounts {
    run.audit.as_mut().unwrap()
}
