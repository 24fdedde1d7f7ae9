//! The page of a search for the capacity: the answer, goodput and p99 by rate, and all tests.

use std::fmt::Write;

use super::{
    frame::{Column, Drawn, Frame, Row, down},
    labelled::swatch,
    line::WIDTH,
    markup::Markup,
    scale::{Scale, Tick, Unit},
    tables::Table,
};
use crate::{
    present::{
        grid::times_in_one_unit,
        knee::{by_rate, per_second, result},
    },
    report::{FoundReport, ProbeReport, ProbeResult, Report, Run},
    units::{plain, time},
};

/// The looks (colours and dashes) in the charts: rates that hold, rates that do not, and the ideal.
const HOLDS: &str = "look0";
const FAILS: &str = "look1";
const IDEAL: &str = "look5";

/// A chart over the rates of the tests.
struct Chart<'a> {
    id: &'a str,
    title: &'a str,
    about: &'a str,
    y: Scale,
    unit: Unit,
    of: fn(&Run) -> Option<f64>,
    /// Computes the ideal value for a rate, if there is one.
    ideal: Option<fn(f64) -> f64>,
}

/// Writes the answer, the charts and the table.
pub(super) fn write(report: &Report, found: &FoundReport, commands: &[&str], page: &mut Markup) {
    let class = if found.found { "fine" } else { "alert" };
    page.line("p", &[("class", class), ("role", "note")], &found.says);
    let tests = by_rate(report, found);
    let highest = tests.iter().map(|(probe, _)| probe.rps).fold(0.0, f64::max);
    let x = Scale::linear(highest, Unit::Rate);
    page.element("ul", &[("class", "legend"), ("aria-label", "Legend")], |list| {
        for (look, name) in [
            (HOLDS, "holds"),
            (FAILS, "does not hold"),
            (IDEAL, "all requests in time"),
        ] {
            list.element("li", &[], |item| {
                swatch(look, item);
                item.text(name);
            });
        }
    });
    let p99 = |run: &Run| run.judged_times().map(|times| times.p99);
    let charts = [
        Chart {
            id: "knee-goodput",
            title: "Goodput by offered load",
            about: "Requests done within the SLO per second, in each test. Where the service holds the rate, it is the offered load.",
            y: x,
            unit: Unit::Rate,
            of: |run| run.goodput_rps,
            ideal: Some(|rate| rate),
        },
        Chart {
            id: "knee-p99",
            title: "p99 by offered load",
            about: "The 99th percentile of the response time (of Enqueue: of the time to done) in each test. The scale is logarithmic.",
            y: Scale::log(tests.iter().filter_map(|(_, run)| p99(run))),
            unit: Unit::Seconds,
            of: |run| run.judged_times().map(|times| times.p99),
            ideal: None,
        },
    ];
    for chart in charts {
        chart.write(&tests, x, commands, page);
    }
    table(&tests, page);
}

impl Chart<'_> {
    fn write(&self, tests: &[(&ProbeReport, &Run)], x: Scale, commands: &[&str], page: &mut Markup) {
        let place = |probe: &ProbeReport, run: &Run| {
            let at = x.place(probe.rps) * WIDTH;
            Some((at, down(self.y.place((self.of)(run)?))))
        };
        let held = |probe: &ProbeReport| probe.result == ProbeResult::Holds;
        let line = |class: &str, label: &str, path: String| Drawn {
            label: label.to_owned(),
            class: format!("line {class}"),
            path,
        };
        let dots = |of_held: bool| {
            let tests = tests.iter().filter(|(probe, _)| held(probe) == of_held);
            let places = tests.filter_map(|(probe, run)| place(probe, run));
            places.fold(String::new(), |mut path, (x, y)| {
                let _ = write!(path, "M{x:.1} {y:.1}h0");
                path
            })
        };
        let joined = tests.iter().filter_map(|(probe, run)| place(probe, run));
        let joined = joined.enumerate().fold(String::new(), |mut path, (index, (x, y))| {
            let letter = if index == 0 { 'M' } else { 'L' };
            let _ = write!(path, "{letter}{x:.1} {y:.1}");
            path
        });
        let ideal = self.ideal.map(|ideal| {
            let Scale::Linear(end) = x else { return String::new() };
            let corner = |rate: f64| format!("{:.1} {:.1}", x.place(rate) * WIDTH, down(self.y.place(ideal(rate))));
            format!("M{}L{}", corner(0.0), corner(end))
        });
        let mut lines: Vec<Drawn> = Vec::new();
        lines.extend(ideal.map(|path| line(IDEAL, "all requests in time", path)));
        lines.push(line("thin", "all tests", joined));
        lines.push(line(&format!("{HOLDS} dots"), "holds", dots(true)));
        lines.push(line(&format!("{FAILS} dots"), "does not hold", dots(false)));
        let mut described = self.about.to_owned();
        for (probe, run) in tests {
            let _ = write!(described, " {}: {}.", rate(probe), self.figure(run));
        }
        Frame {
            id: self.id,
            title: self.title,
            about: self.about,
            x: &rates(x),
            y: &self.y.ticks(self.unit),
            marks: &[],
            rows: &[Row {
                name: None,
                described,
                figure: String::new(),
                lines,
                columns: self.columns(tests, x),
            }],
            missing: "",
            commands,
        }
        .write(page);
    }

    fn figure(&self, run: &Run) -> String {
        match ((self.of)(run), self.unit) {
            (None, _) => "–".to_owned(),
            (Some(value), Unit::Seconds) => time(value),
            (Some(value), _) => format!("{}/s", plain(value)),
        }
    }

    /// A column around each rate, with the figures of its tests.
    fn columns(&self, tests: &[(&ProbeReport, &Run)], x: Scale) -> Vec<Column> {
        let mut columns: Vec<(f64, String)> = Vec::new();
        for (probe, run) in tests {
            let says = format!("{}, {}: {}", rate(probe), probe.result.label(), self.figure(run));
            let at = x.place(probe.rps);
            match columns.last_mut() {
                Some((last, figures)) if (at - *last).abs() < f64::EPSILON => {
                    let _ = write!(figures, "\n{says}");
                }
                _ => columns.push((at, format!("{}\n{says}", self.title))),
            }
        }
        let places: Vec<f64> = columns.iter().map(|(at, _)| *at).collect();
        let edge = |index: usize| match (index.checked_sub(1).map(|before| places[before]), places.get(index)) {
            (Some(before), Some(after)) => f64::midpoint(before, *after),
            (None, _) => 0.0,
            (_, None) => 1.0,
        };
        let columns = columns.into_iter().enumerate().map(|(index, (_, figures))| Column {
            from: edge(index),
            to: edge(index + 1),
            figures,
        });
        columns.collect()
    }
}

/// The ticks of the axis of rates; the last one says the unit.
fn rates(x: Scale) -> Vec<Tick> {
    let mut ticks = x.ticks(Unit::Rate);
    if let Some(last) = ticks.last_mut() {
        last.label.push_str("/s");
    }
    ticks
}

fn rate(probe: &ProbeReport) -> String {
    let last = if probe.long { " (last test)" } else { "" };
    format!("{}/s{last}", plain(probe.rps))
}

fn table(tests: &[(&ProbeReport, &Run)], page: &mut Markup) {
    let p99s: Vec<Option<f64>> = tests
        .iter()
        .map(|(_, run)| run.judged_times().map(|times| times.p99))
        .collect();
    let virtual_time = tests.first().is_some_and(|(_, run)| run.virtual_time);
    let p99s = times_in_one_unit(&p99s, virtual_time);
    let rows = tests.iter().zip(p99s).map(|((probe, run), p99)| {
        vec![
            format!("{}/s", plain(probe.rps)),
            per_second(run.goodput_rps),
            p99,
            result(probe),
        ]
    });
    Table {
        caption: "All tests, by their rates",
        columns: ["rate", "goodput", "p99", "result"].map(str::to_owned).into(),
        rows: rows.collect(),
        class: "words",
    }
    .write(page);
}
