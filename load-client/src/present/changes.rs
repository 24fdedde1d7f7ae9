//! Compares a run with saved first runs: each figure of both, and the change. With several first runs, it also shows
//! whether the change is larger than the differences among them.

use super::{
    grid::{Column, Grid, Kind as Cells},
    layout::{Layout, wrap},
    words::{label, method},
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
    /// One of its runs.
    pub run: &'a Run,
}

/// What has changed from the first runs to the second. The first line says how their loads and targets differ, if they do.
/// Of several first runs the table has the mean, the least and the most.
///
/// Not of none.
pub fn changes(first: &[Saved<'_>], second: Saved<'_>, layout: Layout) -> String {
    let spread = first.len() > 1;
    let before = match first {
        [one] => one.file.to_owned(),
        several => format!("mean of {}", several.len()),
    };
    let mut rows = Vec::new();
    for figure in figures(first, second.run) {
        let (before, after) = (figure.mean(), figure.after);
        // A count that is zero in all of them says nothing.
        let empty = |value: Option<f64>| value.is_none() || (figure.kind == Kind::Count && value == Some(0.0));
        if empty(before) && empty(after) && figure.before.iter().all(|value| empty(*value)) {
            continue;
        }
        let shown = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| figure.kind.show(value));
        let mut row = vec![
            figure.name.clone(),
            shown(before),
            shown(after),
            change(figure.kind, before, after),
        ];
        if spread {
            let spread = figure.spread();
            row.push(spread.map_or_else(String::new, |(least, most)| {
                format!("{} to {}", shown(Some(least)), shown(Some(most)))
            }));
            let beyond = spread.zip(after);
            let beyond = beyond.is_some_and(|((least, most), after)| after < least || after > most);
            row.push(if beyond { "yes" } else { "" }.to_owned());
        }
        rows.push(row);
    }
    let name = label(second.run);
    let heads = [name.as_str(), &before, second.file, "change", "spread", "beyond it"];
    let heads = heads.iter().take(if spread { 6 } else { 4 }).enumerate();
    let columns = heads.map(|(index, head)| {
        let kind = if index == 0 { Cells::Name } else { Cells::Figures };
        Column::new(kind, *head, rows.iter().map(|row| row[index].clone()).collect())
    });
    let mut text = String::new();
    let unlike = |what: &str, of: &dyn Fn(&Run) -> Vec<String>| {
        let mut differences: Vec<String> = first.iter().flat_map(|first| of(first.run)).collect();
        differences.dedup();
        (!differences.is_empty()).then(|| format!("The {what} differ: {}.", differences.join("; ")))
    };
    let loads = unlike("loads", &|first| unlike_loads(first, second.run));
    let targets = unlike("targets", &|first| {
        unlike_targets(first, second.run).into_iter().collect()
    });
    let warning = loads.into_iter().chain(targets).collect::<Vec<_>>().join(" ");
    if !warning.is_empty() {
        text.extend(wrap(&warning, layout.sentence(0)).into_iter().map(|line| line + "\n"));
        text.push('\n');
    }
    text + &Grid::new(columns.collect()).text(layout.width)
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
        figure("offered".to_owned(), Kind::Rate, &|run| run.load.offered_rps),
        figure("goodput".to_owned(), Kind::Rate, &|run| run.goodput_rps),
    ];
    // What is not waited for to the end is a matter of when a run was stopped.
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

/// The targets of the two, if they differ.
fn unlike_targets(first: &Run, second: &Run) -> Option<String> {
    let target = |run: &Run| run.configuration.as_ref()?.target.clone();
    let (one, other) = (target(first)?, target(second)?);
    (one != other).then(|| format!("{one} and {other}"))
}

/// The length of the load: as it was asked for, or else as it was measured.
fn load_seconds(run: &Run) -> f64 {
    let asked_for = run.configuration.as_ref().and_then(|made| made.duration_seconds);
    asked_for.unwrap_or(run.load.duration_seconds)
}

/// Whether two lengths of a load differ by more than a measured length varies between runs (arbitrary: 5 %).
fn lengths_differ(one: f64, other: f64) -> bool {
    (one - other).abs() > 0.05 * one.max(other)
}

/// How the loads of the two differ; figures of different loads do not compare.
fn unlike_loads(first: &Run, second: &Run) -> Vec<String> {
    let lengths_unlike = lengths_differ(load_seconds(first), load_seconds(second));
    let load = |run: &Run| {
        let made = run.configuration.as_ref();
        let load = &run.load;
        let seconds = lengths_unlike.then(|| (100.0 * load_seconds(run)).round() / 100.0);
        [
            ("RPC", Some(method(run))),
            (
                "clock",
                Some(if run.virtual_time { "virtual" } else { "real" }.to_owned()),
            ),
            ("clients", Some(load.clients.to_string())),
            (
                "requests per second",
                made.and_then(|made| made.rps).map(|rps| rps.to_string()),
            ),
            ("arrivals", Some(load.arrival.clone())),
            (
                "stages",
                made.and_then(|made| made.stages.as_ref())
                    .map(|stages| format!("{stages:?}")),
            ),
            ("in flight per client", made.map(|made| made.max_in_flight.to_string())),
            ("seconds of load", seconds.map(|seconds| seconds.to_string())),
            ("seconds of warm-up", Some(load.warmup_seconds.to_string())),
        ]
    };
    let pairs = load(first).into_iter().zip(load(second));
    let unlike =
        pairs.filter_map(|((what, one), (_, other))| Some((what, one?, other?)).filter(|(_, one, other)| one != other));
    unlike
        .map(|(what, one, other)| {
            if what == "stages" {
                "stages".to_owned()
            } else {
                format!("{what} {one} and {other}")
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{super::words::tests, *};

    /// What stands above the table when a run of that method and target is compared with one at
    /// http://b:1.
    fn first_line(rpc: &str, target: Option<&str>) -> String {
        let run = |rpc, target: Option<&str>| {
            let mut run = tests::run(rpc);
            let configuration = run.configuration.as_mut().unwrap();
            configuration.target = target.map(str::to_owned);
            run
        };
        let (first, second) = (run(rpc, target), run("a.B/C", Some("http://b:1")));
        let saved = |run| Saved { file: "a.json", run };
        let text = changes(&[saved(&first)], saved(&second), Layout { width: 100 });
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
    fn lengths_differ_where_more_than_a_measurement_sets_them_apart() {
        for (one, other, differ) in [
            (2.0, 0.65, true),
            (0.65, 1.4, true),
            (10.0, 10.02, false),
            (0.0, 0.0, false),
        ] {
            assert_eq!(lengths_differ(one, other), differ, "{one} and {other}");
            assert_eq!(lengths_differ(other, one), differ, "{other} and {one}");
        }
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
