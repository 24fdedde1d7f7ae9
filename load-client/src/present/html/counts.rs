//! The counts that add up: the clients' ledger, the service's figures, the audit.

use super::{
    labelled::Labelled,
    markup::Markup,
    tables::{Table, per_run},
    terms,
};
use crate::{
    ledger::{AttemptCounts, AuditCounts, Column, Ledger, Part, ServiceCounts},
    present::{grid::MISSING, words::reasons},
    report::ServiceReport,
    units::{bytes, time},
};

/// Writes the tables of counts: the clients' ledger, the service's, the audit.
pub(super) fn write(runs: &[&Labelled<'_>], page: &mut Markup) {
    ledger(runs, page);
    if runs.iter().any(|run| run.run.attempts.is_some()) {
        attempts(runs, page);
    }
    if runs.iter().any(|run| run.run.service.is_some()) {
        service(runs, page);
    } else {
        page.line("p", &[], "The service was not watched.");
    }
    if runs.iter().any(|run| run.run.audit.is_some()) {
        audit(runs, page);
    } else {
        page.line(
            "p",
            &[],
            "There was no audit: nothing was queued, or the service was not watched.",
        );
    }
}

/// The heads of a table of counts: the run, and each count.
fn heads<T>(columns: &[Column<T>]) -> Vec<String> {
    let heads = columns.iter().map(|column| column.label.to_owned());
    ["run".to_owned()].into_iter().chain(heads).collect()
}

/// A sentence that says which counts add up to the total.
fn adds_up<T>(columns: &[Column<T>]) -> String {
    let total = columns.iter().find(|column| column.part == Part::Total);
    let summands: Vec<&str> = columns
        .iter()
        .filter(|column| column.part.is_summand())
        .map(|column| column.label)
        .collect();
    match (total, summands.as_slice()) {
        (Some(total), [first, .., last]) => {
            format!("The counts from “{first}” to “{last}” add up to “{}”.", total.label)
        }
        _ => String::new(),
    }
}

fn ledger(runs: &[&Labelled<'_>], page: &mut Markup) {
    let cells = |run: &&Labelled<'_>| {
        let ledger = &run.run.ledger;
        let sum = if ledger.balances() { "yes" } else { "NO" };
        let counts = ledger.values().map(|count| count.to_string());
        [run.label.clone()]
            .into_iter()
            .chain(counts)
            .chain([sum.to_owned()])
            .collect()
    };
    let mut columns = heads(&Ledger::COLUMNS);
    columns.push("adds up".to_owned());
    Table {
        caption: &format!(
            "The clients' ledger: how every scheduled request ended. {}",
            adds_up(&Ledger::COLUMNS)
        ),
        columns,
        rows: runs.iter().map(cells).collect(),
        class: "",
    }
    .write(page);
    terms::counts(&Ledger::COLUMNS, page);
}

/// A figure that the service reports besides its counts: its name, and its value in words; `None` if it is not known.
type Figure = (&'static str, fn(&ServiceReport) -> Option<String>);

const SERVICE: &[Figure] = &[
    ("calls without OK, by reason", reasons),
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
    ("busy after load", |service| service.drain_seconds.map(time)),
];

fn service(runs: &[&Labelled<'_>], page: &mut Markup) {
    let row = |name: &str, of: &dyn Fn(&ServiceReport) -> Option<String>| {
        let cells = runs.iter().map(|run| run.run.service.as_ref().and_then(of));
        let cells = cells.map(|cell| cell.unwrap_or_else(|| MISSING.to_owned()));
        [name.to_owned()].into_iter().chain(cells).collect()
    };
    let counts = ServiceCounts::COLUMNS.iter();
    let counts = counts.map(|column| row(column.label, &|service| Some((column.of)(&service.counts).to_string())));
    let rows = counts.chain(SERVICE.iter().map(|(name, of)| row(name, of)));
    Table {
        caption: "What the service reported, including the warm-up and other senders",
        columns: per_run(runs),
        rows: rows.collect(),
        class: "",
    }
    .write(page);
    terms::counts(&ServiceCounts::COLUMNS, page);
}

fn attempts(runs: &[&Labelled<'_>], page: &mut Markup) {
    let cells = |run: &&Labelled<'_>| {
        let counts = run.run.attempts.as_ref().map(|attempts| attempts.counts.values());
        let cells = match counts {
            Some(counts) => counts.map(|count| count.to_string()),
            None => [MISSING; AttemptCounts::COLUMNS.len()].map(str::to_owned),
        };
        let attempts = run.run.attempts.as_ref();
        let each = attempts.and_then(|attempts| attempts.per_request);
        let each = each.map_or_else(|| MISSING.to_owned(), |each| format!("{each:.2}"));
        [run.label.clone(), each].into_iter().chain(cells).collect()
    };
    let mut columns = heads(&AttemptCounts::COLUMNS);
    columns.insert(1, "per request".to_owned());
    Table {
        caption: &format!(
            "The attempts: how they ended, and what became of their requests. {}",
            adds_up(&AttemptCounts::COLUMNS)
        ),
        columns,
        rows: runs.iter().map(cells).collect(),
        class: "",
    }
    .write(page);
    terms::counts(&AttemptCounts::COLUMNS, page);
}

fn audit(runs: &[&Labelled<'_>], page: &mut Markup) {
    let cells = |run: &&Labelled<'_>| {
        let counts = run.run.audit.as_ref().map(AuditCounts::values);
        let cells = match counts {
            Some(counts) => counts.map(|count| count.to_string()),
            None => [MISSING; AuditCounts::COLUMNS.len()].map(str::to_owned),
        };
        [run.label.clone()].into_iter().chain(cells).collect()
    };
    Table {
        caption: &format!(
            "The audit: what became of queued messages. {}",
            adds_up(&AuditCounts::COLUMNS)
        ),
        columns: heads(&AuditCounts::COLUMNS),
        rows: runs.iter().map(cells).collect(),
        class: "",
    }
    .write(page);
    terms::counts(&AuditCounts::COLUMNS, page);
}
