//! The tables of the page: the runs as the terminal has them, times, gates; and what every table is made of.

use super::{Labelled, markup::Markup};
use crate::{
    present::{
        gates::{Status, seen},
        table,
    },
    report::{DistributionReport, Run},
};

/// A box in which something wide scrolls by itself; a keyboard reaches it.
pub(super) const SCROLL: [(&str, &str); 2] = [("class", "scroll"), ("tabindex", "0")];

/// A table: its caption, the heads of its columns, and rows that begin with their own head.
pub(super) struct Table<'a> {
    pub(super) caption: &'a str,
    pub(super) columns: Vec<String>,
    pub(super) rows: Vec<Vec<String>>,
    /// What its cells are, for the style sheet: figures; "words"; or "kinds", the second column words and the others figures.
    pub(super) class: &'static str,
}

impl Table<'_> {
    /// Writes it, in a box of its own.
    pub(super) fn write(&self, page: &mut Markup) {
        page.new_line();
        page.element("div", &SCROLL, |scroll| {
            scroll.element("table", &[("class", self.class)], |table| {
                table.line("caption", &[], self.caption);
                table.element("thead", &[], |head| {
                    head.element("tr", &[], |row| {
                        for column in &self.columns {
                            row.line("th", &[("scope", "col")], column);
                        }
                    });
                });
                table.element("tbody", &[], |body| self.rows.iter().for_each(|cells| row(cells, body)));
            });
        });
    }
}

fn row(cells: &[String], body: &mut Markup) {
    body.new_line();
    body.element("tr", &[], |row| {
        for (index, cell) in cells.iter().enumerate() {
            if index == 0 {
                row.line("th", &[("scope", "row")], cell);
            } else {
                row.line("td", &[], cell);
            }
        }
    });
}

/// The runs, as the terminal's table has them.
pub(super) fn runs(runs: &[&Labelled<'_>], page: &mut Markup) {
    let all: Vec<&Run> = runs.iter().map(|run| run.run).collect();
    let mut columns = table::columns(&all, runs.iter().map(|run| run.label.clone()).collect());
    "run".clone_into(&mut columns[0].head);
    let rows = 0..runs.len();
    Table {
        caption: "The runs",
        rows: rows
            .map(|row| columns.iter().map(|column| column.cells[row].clone()).collect())
            .collect(),
        class: if runs.len() > 1 { "kinds" } else { "" },
        columns: columns.into_iter().map(|column| column.head).collect(),
    }
    .write(page);
}

/// How each rule was judged.
pub(super) fn gates(runs: &[&Labelled<'_>], page: &mut Markup) {
    let rows = runs.iter().flat_map(|run| {
        run.run.gates.iter().map(|gate| {
            let seen = seen(run.run, gate);
            vec![run.label.clone(), Status::of(gate).to_string(), gate.rule.clone(), seen]
        })
    });
    Table {
        caption: "Gates (a run fails if a rule is true)",
        columns: ["run", "result", "rule", "seen"].map(str::to_owned).into(),
        rows: rows.collect(),
        class: "words",
    }
    .write(page);
}

/// The times that matter: time to done where messages are queued, then the time until the answer, by outcome.
pub(super) fn main_times(runs: &[&Labelled<'_>], page: &mut Markup) {
    let of = |run: &Run| {
        let all = table::all_distributions(run).into_iter();
        all.filter(|(name, _)| {
            ["time to done", "acknowledgement", "response"]
                .iter()
                .any(|time| name.starts_with(time))
        })
        .collect()
    };
    let caption = if runs.iter().any(|run| run.is_queued()) {
        "Times, all from the scheduled send: until done, until Enqueue accepts, until any other answer"
    } else {
        "Response time by outcome: from the scheduled send to the end of the call"
    };
    times(runs, caption, &of, page);
}

/// All distributions of all runs.
pub(super) fn distributions(runs: &[&Labelled<'_>], page: &mut Markup) {
    let caption = "Distributions. Mean and maximum are exact, quantiles have three digits";
    times(runs, caption, &table::all_distributions, page);
}

/// All times of a run that a table has, each with its name.
type Times<'a> = &'a dyn Fn(&Run) -> Vec<(String, DistributionReport)>;

fn times(runs: &[&Labelled<'_>], caption: &str, of: Times<'_>, page: &mut Markup) {
    let all: Vec<(&Run, Vec<(String, DistributionReport)>)> = runs.iter().map(|run| (run.run, of(run.run))).collect();
    let unit = table::unit(&all);
    let rows = runs.iter().zip(&all).flat_map(|(run, (_, times))| {
        let row = |(name, times): &(String, DistributionReport)| {
            [vec![run.label.clone(), name.clone()], table::cells(times, unit)].concat()
        };
        times.iter().map(row).collect::<Vec<_>>()
    });
    Table {
        caption,
        columns: ["run", "time"]
            .into_iter()
            .chain(table::DISTRIBUTION)
            .map(str::to_owned)
            .collect(),
        rows: rows.collect(),
        class: "kinds",
    }
    .write(page);
}

/// The heads of a table with a run per column.
pub(super) fn per_run(runs: &[&Labelled<'_>]) -> Vec<String> {
    let labels = runs.iter().map(|run| run.label.clone());
    [String::new()].into_iter().chain(labels).collect()
}

/// A setting per row, a run per column.
pub(super) fn settings(runs: &[&Labelled<'_>], rows: Vec<Vec<String>>, page: &mut Markup) {
    Table {
        caption: "Configuration, defaults included",
        columns: per_run(runs),
        rows,
        class: "words",
    }
    .write(page);
}
