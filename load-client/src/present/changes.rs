//! Compares a run with saved first runs: each figure of both, and the change. With several first runs, it also shows
//! whether the change is larger than the differences among them.

use std::iter;

use super::{
    differences::differences,
    distributions::response,
    grid::{Column, Grid, Kind as Cells},
    layout::{Layout, wrap},
    words::label,
};
use crate::{
    ledger::{Ledger, Part},
    report::{DistributionReport, Run},
    units::time,
};

/// A figure that both runs may have.
struct Figure {
    name: String,
    kind: Kind,
    before: Vec<Option<f64>>,
    after: Option<f64>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A time in seconds.
    Time,
    Count,
    /// A number per second.
    Rate,
}

/// A run from a saved report, and the name of the file.
#[derive(Debug, Clone, Copy)]
pub struct Saved<'a> {
    /// The name of the file.
    pub file: &'a str,
    /// One of the runs in the file.
    pub run: &'a Run,
}

/// The changes from one or more earlier runs to a later run: a row for each figure that at least one of these runs has.
#[derive(Debug)]
pub struct Changes {
    /// The name of the second run.
    pub name: String,
    /// How the loads and the targets differ, in sentences; empty if they do not.
    pub differences: String,
    /// The heads of all columns but the first, which has the names of the figures: the value before, the value after, the
    /// change. With several first runs the value before is their mean, and two more columns have the range of the first runs,
    /// and whether the value after is outside it.
    pub heads: Vec<String>,
    /// The cells of the rows, in words, as many as there are columns.
    pub rows: Vec<Vec<String>>,
}

impl Changes {
    /// Compares `second` with the runs in `first`, which has at least one.
    pub fn new(first: &[Saved<'_>], second: Saved<'_>) -> Self {
        let spread = first.len() > 1;
        let before = match first {
            [one] => one.file.to_owned(),
            several => format!("mean of {}", several.len()),
        };
        let figures = figures(first, second.run).into_iter();
        let heads = [before.as_str(), second.file, "change", "spread", "beyond it"];
        Self {
            name: label(second.run),
            differences: differences(&first.iter().map(|first| first.run).collect::<Vec<_>>(), second.run),
            heads: heads[..if spread { 5 } else { 3 }]
                .iter()
                .map(|head| (*head).to_owned())
                .collect(),
            rows: figures
                .filter(|figure| !figure.is_empty())
                .map(|figure| figure.row(spread))
                .collect(),
        }
    }

    /// The changes as a text. The first line says how loads and targets differ, if they do.
    pub fn text(&self, layout: Layout) -> String {
        let heads = [&self.name].into_iter().chain(&self.heads).enumerate();
        let columns = heads.map(|(index, head)| {
            let kind = if index == 0 { Cells::Name } else { Cells::Figures };
            Column::new(
                kind,
                head.as_str(),
                self.rows.iter().map(|row| row[index].clone()).collect(),
            )
        });
        let mut text = String::new();
        if !self.differences.is_empty() {
            let lines = wrap(&self.differences, layout.sentence(0));
            text.extend(lines.into_iter().map(|line| line + "\n"));
            text.push('\n');
        }
        text + &Grid::new(columns.collect()).text(layout.width)
    }
}

/// A statistic that is shown of a distribution: its name, and how to read it.
type Statistic = (&'static str, fn(&DistributionReport) -> f64);
const STATISTICS: [Statistic; 4] = [
    ("mean", |times| times.mean),
    ("p50", |times| times.p50),
    ("p99", |times| times.p99),
    ("max", |times| times.max),
];

impl Figure {
    /// Whether there is nothing to show: no run has the figure, or it is a count that is zero in all runs.
    fn is_empty(&self) -> bool {
        let empty = |value: &Option<f64>| value.is_none_or(|value| self.kind == Kind::Count && value == 0.0);
        empty(&self.after) && self.before.iter().all(empty)
    }

    /// The cells of the row: name, value before, value after, change; with `spread` also the range of the first runs, and
    /// whether the value after is outside it.
    fn row(&self, spread: bool) -> Vec<String> {
        let shown = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| self.kind.show(value));
        let before = self.mean();
        let mut row = vec![
            self.name.clone(),
            shown(before),
            shown(self.after),
            change(self.kind, before, self.after),
        ];
        if spread {
            let spread = self.spread();
            row.push(spread.map_or_else(String::new, |(least, most)| {
                format!("{} to {}", shown(Some(least)), shown(Some(most)))
            }));
            let beyond = spread.zip(self.after);
            let beyond = beyond.is_some_and(|((least, most), after)| after < least || after > most);
            row.push(if beyond { "yes" } else { "" }.to_owned());
        }
        row
    }

    /// The mean of the first runs; `None` unless all of them have the figure.
    fn mean(&self) -> Option<f64> {
        let all: Option<Vec<f64>> = self.before.iter().copied().collect();
        all.map(|all| all.iter().sum::<f64>() / all.len() as f64)
    }

    /// The least and the most of the first runs; `None` unless all of them have the figure.
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
        figure("offered load".to_owned(), Kind::Rate, &|run| run.load.offered_rps),
        figure("goodput".to_owned(), Kind::Rate, &|run| run.goodput_rps),
    ];
    // Counts of requests that were still open are left out: they depend on when a run was stopped.
    let settled = Ledger::COLUMNS.iter().filter(|column| column.part != Part::Open);
    all.extend(settled.map(|column| count(column.label, &|run| Some((column.of)(&run.ledger)))));
    all.extend([
        count("dropped", &|run| {
            run.service.as_ref().map(|service| service.counts.dropped)
        }),
        count("lost", &|run| run.audit.as_ref().map(|audit| audit.lost)),
        count("unknown", &|run| run.audit.as_ref().map(|audit| audit.unknown)),
        count("queue at end of load", &|run| run.service.as_ref()?.queue_depth_end),
        count("most in system", &|run| {
            run.service.as_ref().map(|service| service.in_system_max)
        }),
        figure("busy after load".to_owned(), Kind::Time, &|run| {
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
    // The most important time comes first. An ok of Enqueue is an acknowledgement, so its times are not in one row with those
    // of another RPC.
    let runs = || iter::once(second).chain(first.iter().map(|first| first.run));
    let is_any_queued = runs().any(Run::is_queued);
    if is_any_queued {
        times("time to done", &|run| run.time_to_done_seconds);
    }
    let mut named = |name: &dyn Fn(&Run) -> String, of: &dyn Fn(&Run) -> Option<DistributionReport>| {
        let mut added = Vec::new();
        for name_of_one in runs().map(name) {
            if !added.contains(&name_of_one) {
                times(&name_of_one, &|run| of(run).filter(|_| name(run) == name_of_one));
                added.push(name_of_one);
            }
        }
    };
    for outcome in ["ok", "rejected"] {
        named(&|run| response(run, outcome), &|run| {
            run.response_time_seconds.get(outcome).copied()
        });
    }
    let of_mixed = runs().any(|run| run.is_queued() != second.is_queued());
    let service = |run: &Run| {
        let ok = if of_mixed && run.is_queued() {
            "acknowledgement"
        } else {
            "ok"
        };
        format!("service time ({ok})")
    };
    named(&service, &|run| run.service_time_seconds.get("ok").copied());
    if !is_any_queued {
        times("time to done", &|run| run.time_to_done_seconds);
    }
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

/// The change in percent of the value before, or the difference if that is 0; empty if a value is missing.
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

#[cfg(test)]
mod tests {
    use super::{super::words::samples, *};

    /// The first line above the table, when a run of that method and target is compared with one of `a.B/C` at http://b:1.
    fn first_line(rpc: &str, target: Option<&str>) -> String {
        let run = |rpc, target: Option<&str>| {
            let mut run = samples::run(rpc);
            let configuration = run.configuration.as_mut().unwrap();
            configuration.target = target.map(str::to_owned);
            run
        };
        let (first, second) = (run(rpc, target), run("a.B/C", Some("http://b:1")));
        let saved = |run| Saved { file: "a.json", run };
        let text = Changes::new(&[saved(&first)], saved(&second)).text(Layout { width: 100 });
        text.split("\n\n").next().unwrap().replace('\n', " ")
    }

    #[test]
    fn the_first_line_names_targets_and_methods_that_differ() {
        assert_eq!(
            first_line("a.B/C", Some("http://a:1")),
            "The targets differ: http://a:1 and http://b:1."
        );
        assert_eq!(
            first_line("a.B/D", Some("http://a:1")),
            "The loads differ: RPC a.B/D and a.B/C. The targets differ: http://a:1 and http://b:1."
        );
        assert_eq!(
            first_line("a.B/D", Some("http://b:1")),
            "The loads differ: RPC a.B/D and a.B/C."
        );
        for target in [Some("http://b:1"), None] {
            assert!(!first_line("a.B/C", target).contains("differ"));
        }
    }

    #[test]
    fn of_enqueue_the_time_to_done_comes_first_and_an_answer_is_an_acknowledgement() {
        let names = |run: &Run| -> Vec<String> {
            let figures = figures(&[Saved { file: "a.json", run }], run);
            let p99 = figures.into_iter().filter(|figure| figure.name.ends_with(" p99"));
            p99.map(|figure| figure.name.trim_end_matches(" p99").to_owned())
                .collect()
        };
        let queued = names(&samples::queued());
        assert_eq!(queued[..2], ["time to done", "acknowledgement time"]);
        assert!(!queued.contains(&"response time (ok)".to_owned()));
        assert_eq!(names(&samples::run("a.B/C"))[0], "response time (ok)");
    }

    #[test]
    fn times_of_enqueue_and_of_another_rpc_do_not_stand_in_one_row() {
        let (queued, synchronous) = (samples::queued(), samples::run("process"));
        let rows = |first: &Run, second: &Run| {
            let saved = |run| Saved { file: "a.json", run };
            let changes = Changes::new(&[saved(first)], saved(second));
            assert!(changes.differences.contains("only the times to done can be compared"));
            let rows = changes.rows.into_iter().filter(|row| row[0].ends_with(" p99"));
            rows.map(|row| row.join(" | ")).collect::<Vec<_>>()
        };
        let both = ["time to done p99 | 0.25 s | 0.25 s | ="];
        assert_eq!(
            rows(&synchronous, &queued),
            [
                both[0],
                "acknowledgement time p99 | – | 0.25 s | ",
                "response time (ok) p99 | 0.25 s | – | ",
                "service time (acknowledgement) p99 | – | 0.25 s | ",
                "service time (ok) p99 | 0.25 s | – | ",
            ]
        );
        assert_eq!(
            rows(&queued, &synchronous)[..2],
            [both[0], "response time (ok) p99 | – | 0.25 s | "]
        );
    }

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
    fn a_change_is_written_in_the_unit_that_says_most() {
        for (kind, before, after, text) in [
            (Kind::Time, Some(0.1), Some(0.15), "+50.0 %"),
            (Kind::Time, Some(0.1), Some(0.05), "−50.0 %"),
            (Kind::Count, Some(0.0), Some(7.0), "+7"),
            (Kind::Rate, Some(3.0), Some(3.0), "="),
            (Kind::Time, Some(0.002), Some(2.0), "×1000"),
            (Kind::Time, None, Some(2.0), ""),
        ] {
            assert_eq!(change(kind, before, after), text);
        }
    }
}
