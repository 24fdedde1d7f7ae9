//! The table at the end: one row per run, and under it what each row means.

use std::fmt::Write;

use comfy_table::{CellAlignment, Table, TableStyle};

use super::words::{explain, generator, picture, time, unanswered, warning};
use crate::{
    ledger::{AuditCounts, Column, Ledger, Part},
    report::{DistributionReport, GateReport, Run},
    scenario::Rpc,
};

/// How wide the words under the table may be.
const WIDTH: usize = 100;
/// But beside a name of any length they are this wide.
const LEAST_WIDTH: usize = 40;
/// What stands where there is no figure.
pub(super) const MISSING: &str = "–";
/// The heads of the columns of a table of runs.
pub(super) const COLUMNS: [&str; 11] = [
    "",
    "intended",
    "done",
    "dropped",
    "rejected",
    "withheld",
    "queue\nat end\nof load",
    "most in\nsystem",
    "time\nto done\n(median)",
    "time\nto done\n(longest)",
    "time\nto drain",
];

/// Rows side by side, with a sentence on each; on top, whose figures are not the service's. All pictures have the same scale.
pub fn comparison(runs: &[Run]) -> String {
    let mut table = Table::new();
    table.load_style(TableStyle::new());
    table.set_header(COLUMNS);
    for run in runs {
        table.add_row(row(run));
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    let mut text = warning(runs);
    if !text.is_empty() {
        text.push('\n');
    }
    text.push_str(&table.trim_fmt());
    text.push_str("\n\n");
    let highest = runs
        .iter()
        .filter_map(|run| run.service.as_ref())
        .map(|service| service.in_system_max)
        .max();
    let name_width = runs.iter().map(|run| run.name.chars().count()).max().unwrap_or(0) + 2;
    for run in runs {
        let picture = picture(run, highest.unwrap_or(1));
        if !picture.is_empty() {
            let most = run.service.as_ref().map_or(0, |service| service.in_system_max);
            let _ = writeln!(
                text,
                "{:name_width$}{picture}  in system over time, at most {most}",
                run.name
            );
        }
        let first = if picture.is_empty() { run.name.as_str() } else { "" };
        for (index, line) in wrap(&explain(run), WIDTH.saturating_sub(name_width).max(LEAST_WIDTH))
            .into_iter()
            .enumerate()
        {
            let label = if index == 0 { first } else { "" };
            let _ = writeln!(text, "{label:name_width$}{line}");
        }
    }
    text
}

/// A run in a table of runs.
pub(super) fn row(run: &Run) -> [String; COLUMNS.len()] {
    let count = |count: Option<u64>| count.map_or_else(|| MISSING.to_owned(), |count| count.to_string());
    let seconds = |seconds: Option<f64>| seconds.map_or_else(|| MISSING.to_owned(), time);
    let service = run.service.as_ref();
    let done = match &run.audit {
        Some(audit) => Some(audit.done + audit.done_unacknowledged),
        None if run.rpc != Rpc::Enqueue.label() => Some(run.ledger.ok),
        None => None,
    };
    [
        run.name.clone(),
        run.ledger.intended.to_string(),
        count(done),
        count(service.map(|service| service.dropped)),
        run.ledger.rejected.to_string(),
        run.ledger.withheld.to_string(),
        count(service.and_then(|service| service.queue_depth_end)),
        count(service.map(|service| service.in_system_max)),
        seconds(run.time_to_done_seconds.map(|times| times.p50)),
        seconds(run.time_to_done_seconds.map(|times| times.max)),
        seconds(service.and_then(|service| service.drain_seconds)),
    ]
}

/// One run in full.
pub fn single(run: &Run) -> String {
    let mut text = comparison(std::slice::from_ref(run));
    let _ = writeln!(text, "\n{}", sum(&Ledger::COLUMNS, &run.ledger));
    if let Some(audit) = &run.audit {
        let _ = writeln!(text, "{}", sum(&AuditCounts::COLUMNS, audit));
    }
    let goodput = run
        .goodput_rps
        .map_or_else(|| MISSING.to_owned(), |goodput| format!("{goodput:.2}/s"));
    let offered = run
        .load
        .offered_rps
        .map_or_else(|| MISSING.to_owned(), |offered| format!("{offered:.2}/s"));
    let _ = writeln!(
        text,
        "offered {offered} for {}, goodput {goodput}\n",
        time(run.load.duration_seconds)
    );
    text.push_str(&distributions(run));
    if let Some(unanswered) = unanswered(run) {
        let _ = writeln!(text, "\n{}", wrap(&unanswered, WIDTH).join("\n"));
    }
    let _ = writeln!(text, "\n{}", generator(run));
    text
}

/// A table of counts as a sum: `intended 5 = ok 3 + rejected 2`.
fn sum<T>(columns: &[Column<T>], counts: &T) -> String {
    let terms = columns.iter().enumerate().map(|(place, column)| {
        let before = match column.part {
            _ if place == 0 => "",
            Part::Beside => "; ",
            _ if place == 1 => " = ",
            _ => " + ",
        };
        format!("{before}{} {}", column.label, (column.of)(counts))
    });
    terms.collect()
}

/// How each rule was judged, of each run; empty if there are none.
pub fn gates(runs: &[Run]) -> String {
    let mut table = Table::new();
    table.load_style(TableStyle::new());
    for run in runs {
        for gate in &run.gates {
            table.add_row(self::gate(&run.name, gate));
        }
    }
    if table.is_empty() {
        return String::new();
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table.trim_fmt() + "\n"
}

/// How a rule was judged: the run, the result, the rule, what was seen.
pub(super) fn gate(run: &str, gate: &GateReport) -> [String; 4] {
    let met = match gate.met {
        Some(true) => "MET",
        Some(false) => "not met",
        None => "NOT KNOWN",
    };
    let stopped = gate
        .stopped_at_seconds
        .map_or_else(String::new, |at| format!("; stopped the run after {}", time(at)));
    let says = format!("{}{stopped}", gate.says);
    [run.to_owned(), met.to_owned(), gate.rule.clone(), says]
}

fn distributions(run: &Run) -> String {
    let mut table = Table::new();
    table.load_style(TableStyle::new());
    table.set_header(["", "count", "mean", "p50", "p90", "p99", "p99.9", "max"]);
    table.add_rows(distribution_rows(run));
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table.trim_fmt() + "\n"
}

/// A distribution in a table of them: its name, its count, its times.
pub(super) fn distribution(name: &str, times: &DistributionReport) -> Vec<String> {
    let figures = [times.mean, times.p50, times.p90, times.p99, times.p999, times.max].map(time);
    [vec![name.to_owned(), times.count.to_string()], figures.to_vec()].concat()
}

/// All distributions of a run.
pub(super) fn distribution_rows(run: &Run) -> Vec<Vec<String>> {
    let responses = run
        .response_time_seconds
        .iter()
        .map(|(outcome, times)| (format!("response time ({outcome})"), Some(*times)));
    let services = run
        .service_time_seconds
        .iter()
        .filter(|(outcome, times)| {
            let responses = run.response_time_seconds.get(*outcome);
            responses.is_some_and(|responses| differ(times, responses))
        })
        .map(|(outcome, times)| (format!("service time ({outcome})"), Some(*times)));
    let others = [
        ("time to done".to_owned(), run.time_to_done_seconds),
        ("queue wait".to_owned(), run.queue_wait_seconds),
        ("start lag".to_owned(), run.start_lag_seconds),
    ];
    let all = responses.chain(services).chain(others);
    all.filter_map(|(name, times)| Some(distribution(&name, &times?)))
        .collect()
}

/// Whether the one can be told from the other: by more than a tick of the timers, and a hundredth.
fn differ(service: &DistributionReport, response: &DistributionReport) -> bool {
    let pairs = [
        (service.p50, response.p50),
        (service.p99, response.p99),
        (service.max, response.max),
    ];
    pairs
        .iter()
        .any(|(service, response)| response - service > 0.001_f64.max(0.01 * response))
}

fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last_mut().expect("there is always a line");
        if line.is_empty() {
            line.push_str(word);
        } else if line.chars().count() + 1 + word.chars().count() <= width {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}
