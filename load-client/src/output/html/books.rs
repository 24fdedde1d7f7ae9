//! What adds up: the clients' ledger, the service's figures, the audit.

use super::{
    Labelled,
    markup::Markup,
    scale::bytes,
    tables::{Table, per_run},
};
use crate::{
    output::{table::MISSING, words::time},
    report::{LedgerReport, ServiceReport},
};

/// All that ended somehow, or will.
pub(super) fn ended(ledger: &LedgerReport) -> u64 {
    ledger.ok
        + ledger.rejected
        + ledger.expired
        + ledger.unavailable
        + ledger.failed
        + ledger.withheld
        + ledger.in_flight
}

/// Ledger, service, audit.
pub(super) fn write(runs: &[&Labelled<'_>], page: &mut Markup) {
    ledger(runs, page);
    if runs.iter().any(|run| run.run.service.is_some()) {
        service(runs, page);
    } else {
        page.line("p", &[], "The service said nothing of itself.");
    }
    if runs.iter().any(|run| run.run.audit.is_some()) {
        audit(runs, page);
    } else {
        page.line(
            "p",
            &[],
            "There was no audit: nothing was queued, or the service does not say what became of it.",
        );
    }
}

fn ledger(runs: &[&Labelled<'_>], page: &mut Markup) {
    let cells = |run: &&Labelled<'_>| {
        let ledger = &run.run.ledger;
        let counts = [
            ledger.intended,
            ledger.ok,
            ledger.rejected,
            ledger.expired,
            ledger.unavailable,
            ledger.failed,
            ledger.withheld,
            ledger.in_flight,
        ];
        let sum = if ended(ledger) == ledger.intended {
            "balances"
        } else {
            "DOES NOT BALANCE"
        };
        let counts = counts.iter().map(u64::to_string);
        [run.label.clone()]
            .into_iter()
            .chain(counts)
            .chain([sum.to_owned()])
            .collect()
    };
    let columns = [
        "run",
        "intended",
        "= ok",
        "+ rejected",
        "+ expired",
        "+ unavailable",
        "+ failed",
        "+ withheld",
        "+ in flight",
        "",
    ];
    Table {
        caption: "The clients' ledger: how every intended send ended",
        columns: columns.map(str::to_owned).into(),
        rows: runs.iter().map(cells).collect(),
        class: "",
    }
    .write(page);
}

/// What it is called, and its value in words; nothing where it is not known.
type Figure = (&'static str, fn(&ServiceReport) -> Option<String>);

const SERVICE: &[Figure] = &[
    ("admitted", |service| Some(service.admitted.to_string())),
    ("completed", |service| Some(service.completed.to_string())),
    ("dropped", |service| Some(service.dropped.to_string())),
    ("expired", |service| Some(service.expired.to_string())),
    ("cancelled", |service| Some(service.cancelled.to_string())),
    ("abandoned", |service| Some(service.abandoned.to_string())),
    ("failed", |service| Some(service.failed.to_string())),
    ("still queued or in service", |service| Some(service.queued.to_string())),
    ("restarts", |service| Some(service.restarts.to_string())),
    ("queue depth, at most", |service| {
        Some(service.queue_depth_max.to_string())
    }),
    ("queue depth at the end of the load", |service| {
        service.queue_depth_end.map(|depth| depth.to_string())
    }),
    ("in system, at most", |service| Some(service.in_system_max.to_string())),
    ("bytes on the queue, at most", |service| {
        Some(bytes(service.queue_bytes_max as f64))
    }),
    ("memory, at most", |service| {
        service.resident_bytes_max.map(|memory| bytes(memory as f64))
    }),
    ("time to drain", |service| service.drain_seconds.map(time)),
];

fn service(runs: &[&Labelled<'_>], page: &mut Markup) {
    let rows = SERVICE.iter().map(|(name, of)| {
        let cells = runs.iter().map(|run| run.run.service.as_ref().and_then(of));
        let cells = cells.map(|cell| cell.unwrap_or_else(|| MISSING.to_owned()));
        [(*name).to_owned()].into_iter().chain(cells).collect()
    });
    Table {
        caption: "What the service said of itself, warm-up and other senders included",
        columns: per_run(runs),
        rows: rows.collect(),
        class: "",
    }
    .write(page);
}

fn audit(runs: &[&Labelled<'_>], page: &mut Markup) {
    let columns = [
        "run",
        "acknowledged",
        "= done",
        "+ discarded",
        "+ queued",
        "+ lost",
        "+ unknown",
        "done twice",
        "done without acknowledgement",
    ];
    let cells = |run: &&Labelled<'_>| {
        let cells = run.run.audit.as_ref().map(|audit| {
            let counts = [
                audit.acknowledged,
                audit.done,
                audit.discarded,
                audit.queued,
                audit.lost,
                audit.unknown,
                audit.duplicated,
                audit.done_unacknowledged,
            ];
            counts.iter().map(u64::to_string).collect()
        });
        let cells: Vec<String> = cells.unwrap_or_else(|| vec![MISSING.to_owned(); columns.len() - 1]);
        [vec![run.label.clone()], cells].concat()
    };
    Table {
        caption: "The audit: what became of queued messages",
        columns: columns.map(str::to_owned).into(),
        rows: runs.iter().map(cells).collect(),
        class: "",
    }
    .write(page);
}
