//! The tables of the page: the results as the terminal shows them, times, gates; and the parts that every table has.

use super::{labelled::Labelled, markup::Markup, terms};
use crate::{
    present::{
        changes::Changes,
        classes, columns, distributions,
        gates::{Status, seen},
        grid::MISSING,
    },
    report::{DistributionReport, Run},
};

/// The attributes of a box in which something wide scrolls by itself, also with the keyboard.
pub(super) const SCROLL: [(&str, &str); 2] = [("class", "scroll"), ("tabindex", "0")];

/// A table: its caption, the heads of its columns, and rows that begin with their own head.
pub(super) struct Table<'a> {
    pub(super) caption: &'a str,
    pub(super) columns: Vec<String>,
    pub(super) rows: Vec<Vec<String>>,
    /// The kind of its cells, for the style sheet: empty for figures; "words"; or "kinds": words in the second column, and
    /// figures in the others.
    pub(super) class: &'static str,
}

impl Table<'_> {
    /// Writes the table, in a box that scrolls.
    pub(super) fn write(&self, page: &mut Markup) {
        page.new_line();
        hint("table", self.width(), page);
        page.element("div", &SCROLL, |scroll| {
            scroll.element("table", &[("class", &self.classes())], |table| {
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
        if self.rows.iter().flatten().any(|cell| cell == MISSING) {
            page.line("p", &[("class", "aside")], DASH);
        }
    }
}

/// Says what a dash in a table means.
const DASH: &str = "A dash (–) means that there is no such figure: it cannot occur in that row or column, or it is not known. \
                    0 means that it did not occur.";

impl Table<'_> {
    /// The classes for the style sheet: short names of rows stay on one line.
    fn classes(&self) -> String {
        let short = self.rows.iter().all(|row| row[0].chars().count() <= SHORT);
        format!("{}{}", self.class, if short { " short" } else { "" })
    }

    /// The least width of the table on the screen, in pixels, roughly.
    fn width(&self) -> f64 {
        let column = |index: usize, head: &String| {
            let cells = self.rows.iter().filter_map(|row| row.get(index));
            // Cells of figures stay on one line. Heads and words break between words.
            let longest = if self.class == "words" || index == 0 {
                cells.map(|cell| longest_word(cell)).max()
            } else {
                cells.map(|cell| cell.chars().count()).max()
            };
            longest.unwrap_or(0).max(longest_word(head)) as f64 * CHARACTER + PADDING
        };
        self.columns
            .iter()
            .enumerate()
            .map(|(index, head)| column(index, head))
            .sum()
    }
}

/// The width of a character in a table, in pixels, on average (measured: digits and small letters at 14 px).
const CHARACTER: f64 = 7.6;
/// The most characters of a short name (arbitrary: the built-in strategies have at most 15).
const SHORT: usize = 20;
/// The space beside the text of a cell, in pixels.
const PADDING: f64 = 18.0;
/// Widths of a window, in pixels, below which the style sheet shows a hint.
const WINDOWS: [f64; 4] = [400.0, 700.0, 1000.0, 1300.0];
/// The space beside a table in a window, in pixels.
const MARGIN: f64 = 28.0;

fn longest_word(text: &str) -> usize {
    text.split_whitespace()
        .map(|word| word.chars().count())
        .max()
        .unwrap_or(0)
}

/// Says that something of this width scrolls, in windows in which it does not fit.
pub(super) fn hint(what: &str, width: f64, page: &mut Markup) {
    let needs = width + MARGIN;
    if needs <= WINDOWS[0] - 10.0 {
        return;
    }
    let class = match WINDOWS.iter().find(|window| needs <= **window) {
        Some(window) => format!("hint below-{window}"),
        None => "hint".to_owned(),
    };
    let text = format!("This {what} is wider than the window. Scroll it sideways to see the rest.");
    page.line("p", &[("class", &class)], &text);
}

/// Writes the changes between runs: a table for each, with the differences of their loads above it.
pub(super) fn changes(all: &[Changes], page: &mut Markup) {
    for changes in all {
        if !changes.differences.is_empty() {
            page.new_line();
            page.line("p", &[], &changes.differences);
        }
        Table {
            caption: &changes.name,
            columns: ["figure".to_owned()].into_iter().chain(changes.heads.clone()).collect(),
            rows: changes.rows.clone(),
            class: "",
        }
        .write(page);
    }
}

/// A command, in a box from which it can be copied.
pub(super) fn command(command: &str, page: &mut Markup) {
    page.new_line();
    page.element("pre", &[("class", "command")], |pre| {
        pre.text("Made by: ");
        pre.line("code", &[], command);
    });
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

/// Writes the results, as the terminal shows them, and the meaning of their columns.
pub(super) fn runs(runs: &[&Labelled<'_>], page: &mut Markup) {
    let all: Vec<&Run> = runs.iter().map(|run| run.run).collect();
    let mut columns = columns::columns(&all, runs.iter().map(|run| run.name.clone()).collect());
    "run".clone_into(&mut columns[0].head);
    let heads: Vec<String> = columns.iter().map(|column| column.head.clone()).collect();
    let rows = 0..runs.len();
    Table {
        caption: "Results",
        rows: rows
            .map(|row| columns.iter().map(|column| column.cells[row].clone()).collect())
            .collect(),
        class: if runs.len() > 1 { "kinds" } else { "" },
        columns: heads.clone(),
    }
    .write(page);
    terms::write(&heads, page);
    let names: Vec<String> = runs.iter().map(|run| run.name.clone()).collect();
    let Some(mut columns) = classes::columns(&all, &names) else {
        return;
    };
    "class".clone_into(&mut columns[0].head);
    let rows = 0..columns[0].cells.len();
    Table {
        caption: classes::CAPTION,
        rows: rows
            .map(|row| columns.iter().map(|column| column.cells[row].clone()).collect())
            .collect(),
        class: "",
        columns: columns.iter().map(|column| column.head.clone()).collect(),
    }
    .write(page);
}

/// Writes the result of each rule.
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

/// Writes the most important times: time to done if messages are queued, then the time until the answer, by outcome.
pub(super) fn main_times(runs: &[&Labelled<'_>], page: &mut Markup) {
    let of = |run: &Run| {
        let all = distributions::all_distributions(run).into_iter();
        all.filter(|(name, _)| {
            ["time to done", "acknowledgement", "response"]
                .iter()
                .any(|time| name.starts_with(time))
        })
        .collect()
    };
    let caption = if runs.iter().any(|run| run.run.is_queued()) {
        "Times, all from the scheduled send: until done, until Enqueue accepts, until any other answer"
    } else {
        "Response time by outcome: from the scheduled send to the end of the call"
    };
    times(runs, caption, &of, page);
}

/// Writes all distributions of all runs.
pub(super) fn distributions(runs: &[&Labelled<'_>], page: &mut Markup) {
    let caption = "Distributions. Mean and maximum are exact, quantiles have three digits";
    times(runs, caption, &distributions::all_distributions, page);
}

/// Picks the times of a run that a table shows, each with its name.
type Times<'a> = &'a dyn Fn(&Run) -> Vec<(String, DistributionReport)>;

fn times(runs: &[&Labelled<'_>], caption: &str, of: Times<'_>, page: &mut Markup) {
    let all: Vec<(&Run, Vec<(String, DistributionReport)>)> = runs.iter().map(|run| (run.run, of(run.run))).collect();
    let unit = distributions::unit(&all);
    let rows = runs.iter().zip(&all).flat_map(|(run, (_, times))| {
        let row = |(name, times): &(String, DistributionReport)| {
            [vec![run.label.clone(), name.clone()], distributions::cells(times, unit)].concat()
        };
        times.iter().map(row).collect::<Vec<_>>()
    });
    Table {
        caption,
        columns: ["run", "time"]
            .into_iter()
            .chain(distributions::DISTRIBUTION)
            .map(str::to_owned)
            .collect(),
        rows: rows.collect(),
        class: "kinds",
    }
    .write(page);
    let names = all
        .iter()
        .flat_map(|(_, times)| times.iter().map(|(name, _)| name.clone()));
    let quantiles = "p50, p90, p99, p99.9".to_owned();
    terms::write(&names.chain([quantiles]).collect::<Vec<_>>(), page);
}

/// The heads of a table with a run per column.
pub(super) fn per_run(runs: &[&Labelled<'_>]) -> Vec<String> {
    let labels = runs.iter().map(|run| run.label.clone());
    [String::new()].into_iter().chain(labels).collect()
}

/// Writes a table with a setting per row and a run per column.
pub(super) fn settings(runs: &[&Labelled<'_>], rows: Vec<Vec<String>>, page: &mut Markup) {
    Table {
        caption: "Configuration, defaults included",
        columns: per_run(runs),
        rows,
        class: "words",
    }
    .write(page);
}
