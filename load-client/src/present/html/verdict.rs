//! The top of the page: what the runs show, in words. The reasons to doubt the figures come first.

use std::collections::BTreeSet;

use super::{Labelled, markup::Markup, tables};
use crate::{
    present::{
        gates::{Status, count, seen},
        words::{client_limited, driven, explain, generator},
    },
    report::{GateReport, Report},
};

/// Writes it.
pub(super) fn write(runs: &[&Labelled<'_>], title: &str, sources: &[(&str, &Report)], page: &mut Markup) {
    page.element("header", &[], |header| {
        header.line("h1", &[], title);
        let made: Vec<String> = sources.iter().map(|(file, report)| made(file, report)).collect();
        header.line("p", &[("class", "made")], &made.join(" · "));
    });
    for run in runs {
        if let Some(warning) = client_limited(run.run, &run.label) {
            page.line("p", &[("class", "alert"), ("role", "note")], &warning);
        }
    }
    for run in runs {
        for failure in failures(run) {
            page.line("p", &[("class", "alert"), ("role", "note")], &failure);
        }
    }
    gates(runs, page);
    page.new_line();
    let generators: BTreeSet<String> = runs.iter().map(|run| sentence(&generator(run.run))).collect();
    // Once, if it is the same for all.
    let for_all = generators.len() == 1 && runs.len() > 1;
    page.element("dl", &[("class", "verdict")], |list| {
        for run in runs {
            list.element("dt", &[], |name| {
                swatch(run, name);
                name.text(&run.label);
            });
            list.element("dd", &[], |said| {
                if let Some(driven) = driven(run.run) {
                    said.line("p", &[("class", "aside")], &driven);
                }
                said.line("p", &[], &explain(run.run));
                if !for_all {
                    said.line("p", &[("class", "aside")], &sentence(&generator(run.run)));
                }
                for note in run.run.notes.iter().flatten() {
                    said.line("p", &[("class", "aside")], &sentence(note));
                }
            });
        }
    });
    for all in generators.iter().filter(|_| for_all) {
        page.line("p", &[("class", "aside")], &format!("All: {all}"));
    }
    if runs.iter().any(|run| !run.run.gates.is_empty()) {
        tables::gates(runs, page);
    }
}

/// The runs, each as it is drawn.
pub(super) fn legend(runs: &[&Labelled<'_>], page: &mut Markup) {
    page.element("ul", &[("class", "legend"), ("aria-label", "Legend")], |list| {
        for run in runs {
            list.element("li", &[], |item| {
                swatch(run, item);
                item.text(&run.label);
            });
        }
    });
}

fn swatch(run: &Labelled<'_>, page: &mut Markup) {
    let attributes = [
        ("class", "swatch"),
        ("width", "40"),
        ("height", "10"),
        ("aria-hidden", "true"),
    ];
    page.element("svg", &attributes, |svg| {
        svg.empty("path", &[("class", &format!("line {}", run.look())), ("d", "M1 5H39")]);
    });
}

fn made(file: &str, report: &Report) -> String {
    let version = report.version.as_ref().map(|version| format!("load-client {version}"));
    let seed = format!("seed {}", report.seed);
    let file = (!file.is_empty()).then(|| file.to_owned());
    let all: Vec<String> = file.into_iter().chain(version).chain([seed]).collect();
    all.join(", ")
}

/// What failed in a run. These lines appear even if the figures look good.
fn failures(run: &Labelled<'_>) -> Vec<String> {
    let ledger = &run.run.ledger;
    let mut failures = Vec::new();
    let stopped = run.run.gates.iter().any(|gate| gate.stopped_at_seconds.is_some());
    if ledger.intended > 0 && ledger.ok == 0 && !stopped {
        failures.push(format!("{}: no request succeeded.", run.label));
    }
    if !ledger.balances() {
        failures.push(format!("{}: the ledger does not balance.", run.label));
    }
    failures
}

/// The rules that fail the runs; if all pass, that they do.
fn gates(runs: &[&Labelled<'_>], page: &mut Markup) {
    let all = runs
        .iter()
        .flat_map(|run| run.run.gates.iter().map(move |gate| (run, gate)));
    let all: Vec<(&&Labelled<'_>, &GateReport)> = all.collect();
    for (run, gate) in all.iter().filter(|(_, gate)| gate.fails()) {
        let failure = format!("{}: {}: {}.", Status::of(gate), run.label, seen(run.run, gate));
        page.line("p", &[("class", "alert"), ("role", "note")], &failure);
    }
    if !all.is_empty() && !all.iter().any(|(_, gate)| gate.fails()) {
        let passed = format!("{}.", count(&vec![Status::Pass; all.len()]));
        page.line("p", &[("class", "fine")], &passed);
    }
}

/// A text of its own, as such.
fn sentence(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters.next().map(|first| first.to_uppercase().to_string());
    let text = first
        .into_iter()
        .chain([characters.as_str().to_owned()])
        .collect::<String>();
    if text.ends_with(['.', '!', '?']) {
        text
    } else {
        text + "."
    }
}
