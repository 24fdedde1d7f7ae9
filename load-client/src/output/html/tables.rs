//! The tables of the page: the runs as the terminal has them, times, gates; and what every table is made of.

use super::{Labelled, markup::Markup};
use crate::output::table;

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
    let mut columns = table::COLUMNS.map(str::to_owned).to_vec();
    "run".clone_into(&mut columns[0]);
    Table {
        caption: "The runs",
        columns,
        rows: runs
            .iter()
            .map(|run| labelled(run, table::row(run.run).into()))
            .collect(),
        class: "",
    }
    .write(page);
}

fn labelled(run: &Labelled<'_>, mut cells: Vec<String>) -> Vec<String> {
    run.label.clone_into(&mut cells[0]);
    cells
}

/// How each rule was judged.
pub(super) fn gates(runs: &[&Labelled<'_>], page: &mut Markup) {
    let rows = runs.iter().flat_map(|run| {
        let rows = run.run.gates.iter().map(|gate| table::gate(&run.label, gate).into());
        rows.collect::<Vec<Vec<String>>>()
    });
    Table {
        caption: "Gates: what must not be",
        columns: ["run", "", "rule", "seen"].map(str::to_owned).into(),
        rows: rows.collect(),
        class: "words",
    }
    .write(page);
}

const DISTRIBUTION: [&str; 9] = ["run", "", "count", "mean", "p50", "p90", "p99", "p99.9", "max"];

/// The response times, by outcome.
pub(super) fn response_times(runs: &[&Labelled<'_>], page: &mut Markup) {
    let of = |run: &&Labelled<'_>| {
        let times = run.run.response_time_seconds.iter();
        let rows = times.map(|(outcome, times)| table::distribution(outcome, times));
        rows.map(|cells| [vec![run.label.clone()], cells].concat())
            .collect::<Vec<_>>()
    };
    Table {
        caption: "Response time by outcome: from the intended send to the end of the call",
        columns: DISTRIBUTION
            .map(|column| if column.is_empty() { "outcome" } else { column }.to_owned())
            .into(),
        rows: runs.iter().flat_map(of).collect(),
        class: "kinds",
    }
    .write(page);
}

/// All distributions of all runs.
pub(super) fn distributions(runs: &[&Labelled<'_>], page: &mut Markup) {
    let of = |run: &&Labelled<'_>| {
        let rows = table::distribution_rows(run.run).into_iter();
        rows.map(|cells| [vec![run.label.clone()], cells].concat())
            .collect::<Vec<_>>()
    };
    Table {
        caption: "Distributions. Mean and maximum are exact, quantiles have three digits",
        columns: DISTRIBUTION
            .map(|column| if column.is_empty() { "time" } else { column }.to_owned())
            .into(),
        rows: runs.iter().flat_map(of).collect(),
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
