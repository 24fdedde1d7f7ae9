//! Saved runs side by side: each figure of some, of another, and what has changed; of several, whether by more than they
//! differ among themselves.

use std::fmt::Write;

use comfy_table::{CellAlignment, Table, TableStyle};

use super::words::time;
use crate::{
    ledger::{Ledger, Part},
    report::{DistributionReport, Run},
};

/// A figure that both runs may have.
struct Figure {
    name: String,
    kind: Kind,
    before: Vec<Option<f64>>,
    after: Option<f64>,
}

#[derive(Clone, Copy)]
enum Kind {
    /// In seconds.
    Time,
    Count,
    /// Per second.
    Rate,
}

/// The run of a file, and what the file is called.
#[derive(Debug, Clone, Copy)]
pub struct Saved<'a> {
    /// The name of the file.
    pub file: &'a str,
    /// A run of it.
    pub run: &'a Run,
}

/// What has changed from the first runs to the second; says so if they were not made under the same load. Of several first
/// runs, their mean stands in the table, with what lies between the least and the most of them.
///
/// Not of none.
pub fn changes(first: &[Saved<'_>], second: Saved<'_>) -> String {
    let spread = first.len() > 1;
    let before = match first {
        [one] => one.file.to_owned(),
        several => format!("mean of {}", several.len()),
    };
    let mut header = vec![second.run.name.as_str(), &before, second.file, "change"];
    if spread {
        header.extend(["spread", "beyond it"]);
    }
    let mut table = Table::new();
    table.load_style(TableStyle::new());
    table.set_header(header);
    for figure in figures(first, second.run) {
        let (before, after) = (figure.mean(), figure.after);
        if before.is_none() && after.is_none() {
            continue;
        }
        let shown = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| figure.kind.show(value));
        let mut row = vec![
            figure.name.clone(),
            shown(before),
            shown(after),
            change(figure.kind, before, after),
        ];
        if let Some((least, most)) = figure.spread().filter(|_| spread) {
            let beyond = after.is_some_and(|after| after < least || after > most);
            row.push(format!("{} to {}", shown(Some(least)), shown(Some(most))));
            row.push(if beyond { "yes" } else { "" }.to_owned());
        }
        table.add_row(row);
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    let mut text = table.trim_fmt() + "\n";
    let mut differences: Vec<String> = first.iter().flat_map(|first| unlike(first.run, second.run)).collect();
    differences.dedup();
    for difference in differences {
        let _ = writeln!(text, "Not the same: {difference}.");
    }
    text
}

/// What is shown of a distribution.
type Statistic = (&'static str, fn(&DistributionReport) -> f64);
const STATISTICS: [Statistic; 4] = [
    ("mean", |times| times.mean),
    ("p50", |times| times.p50),
    ("p99", |times| times.p99),
    ("max", |times| times.max),
];

impl Figure {
    /// Of the first runs; `None` unless all of them have it.
    fn mean(&self) -> Option<f64> {
        let all: Option<Vec<f64>> = self.before.iter().copied().collect();
        all.map(|all| all.iter().sum::<f64>() / all.len() as f64)
    }

    /// The least and the most of the first runs; likewise.
    fn spread(&self) -> Option<(f64, f64)> {
        let all: Vec<f64> = self.before.iter().copied().collect::<Option<_>>()?;
        Some((
            all.iter().copied().fold(f64::INFINITY, f64::min),
            all.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        ))
    }
}

fn figures(first: &[Saved<'_>], second: &Run) -> Vec<Figure> {
    let figure = |name: String, kind, of: &dyn Fn(&Run) -> Option<f64>| Figure {
        name,
        kind,
        before: first.iter().map(|first| of(first.run)).collect(),
        after: of(second),
    };
    let count = |name: &str, of: &dyn Fn(&Run) -> Option<u64>| {
        figure(name.to_owned(), Kind::Count, &|run| of(run).map(|count| count as f64))
    };
    let mut all = vec![
        figure("offered".to_owned(), Kind::Rate, &|run| run.load.offered_rps),
        figure("goodput".to_owned(), Kind::Rate, &|run| run.goodput_rps),
    ];
    // What is not waited for to the end is a matter of when a run was stopped.
    let settled = Ledger::COLUMNS.iter().filter(|column| column.part != Part::Open);
    all.extend(settled.map(|column| count(column.label, &|run| Some((column.of)(&run.ledger)))));
    all.extend([
        count("dropped", &|run| run.service.as_ref().map(|service| service.dropped)),
        count("lost", &|run| run.audit.as_ref().map(|audit| audit.lost)),
        count("unknown", &|run| run.audit.as_ref().map(|audit| audit.unknown)),
        count("queue at end of load", &|run| run.service.as_ref()?.queue_depth_end),
        count("most in system", &|run| {
            run.service.as_ref().map(|service| service.in_system_max)
        }),
        figure("time to drain".to_owned(), Kind::Time, &|run| {
            run.service.as_ref()?.drain_seconds
        }),
    ]);
    let mut times = |name: &str, of: &dyn Fn(&Run) -> Option<DistributionReport>| {
        for (quantile, value) in STATISTICS {
            all.push(figure(format!("{name} {quantile}"), Kind::Time, &|run| {
                of(run).as_ref().map(value)
            }));
        }
    };
    times("response time (ok)", &|run| {
        run.response_time_seconds.get("ok").copied()
    });
    times("response time (rejected)", &|run| {
        run.response_time_seconds.get("rejected").copied()
    });
    times("service time (ok)", &|run| run.service_time_seconds.get("ok").copied());
    times("time to done", &|run| run.time_to_done_seconds);
    times("start lag", &|run| run.start_lag_seconds);
    all
}

impl Kind {
    fn show(self, value: f64) -> String {
        match self {
            Self::Time => time(value),
            Self::Count => format!("{value}"),
            Self::Rate => format!("{value:.2}/s"),
        }
    }
}

/// In percent of the first, or the difference where the first is nothing; empty if there is none.
fn change(kind: Kind, before: Option<f64>, after: Option<f64>) -> String {
    let (Some(before), Some(after)) = (before, after) else {
        return String::new();
    };
    let difference = after - before;
    if difference == 0.0 {
        return "=".to_owned();
    }
    let sign = if difference > 0.0 { "+" } else { "−" };
    if before == 0.0 {
        return format!("{sign}{}", kind.show(difference.abs()));
    }
    let percent = 100.0 * difference.abs() / before.abs();
    if percent < 1000.0 {
        format!("{sign}{percent:.1} %")
    } else {
        format!("×{:.0}", after / before)
    }
}

/// In what the two were made under, and would have to be the same for their figures to compare.
fn unlike(first: &Run, second: &Run) -> Vec<String> {
    let (one, other) = (&first.load, &second.load);
    let pairs = [
        ("the call", first.rpc.clone(), second.rpc.clone()),
        (
            "virtual time",
            first.virtual_time.to_string(),
            second.virtual_time.to_string(),
        ),
        ("clients", one.clients.to_string(), other.clients.to_string()),
        ("arrival", one.arrival.clone(), other.arrival.clone()),
        (
            "seconds of load",
            one.duration_seconds.round().to_string(),
            other.duration_seconds.round().to_string(),
        ),
        (
            "seconds of warm-up",
            one.warmup_seconds.to_string(),
            other.warmup_seconds.to_string(),
        ),
    ];
    let unlike = pairs.into_iter().filter(|(_, one, other)| one != other);
    unlike
        .map(|(what, one, other)| format!("{what} ({one}, {other})"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_within_what_the_first_runs_differ_by_is_none_beyond_it() {
        let figure = |before: &[f64]| Figure {
            name: String::new(),
            kind: Kind::Count,
            before: before.iter().copied().map(Some).collect(),
            after: None,
        };
        assert_eq!(figure(&[1.0, 4.0, 1.0]).mean(), Some(2.0));
        assert_eq!(figure(&[2.0, 4.0, 1.0]).spread(), Some((1.0, 4.0)));
        let missing = Figure {
            before: vec![Some(1.0), None],
            ..figure(&[])
        };
        assert_eq!((missing.mean(), missing.spread()), (None, None));
    }

    #[test]
    fn a_change_is_told_in_the_unit_that_says_most() {
        for (kind, before, after, told) in [
            (Kind::Time, Some(0.1), Some(0.15), "+50.0 %"),
            (Kind::Time, Some(0.1), Some(0.05), "−50.0 %"),
            (Kind::Count, Some(0.0), Some(7.0), "+7"),
            (Kind::Rate, Some(3.0), Some(3.0), "="),
            (Kind::Time, Some(0.002), Some(2.0), "×1000"),
            (Kind::Time, None, Some(2.0), ""),
        ] {
            assert_eq!(change(kind, before, after), told);
        }
    }
}
