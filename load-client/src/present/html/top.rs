//! The top of the page: its title, the reasons to doubt the figures, the rules that failed, and the conditions of the runs.

use super::{labelled::Labelled, markup::Markup};
use crate::{
    present::{
        conditions,
        gates::{Status, count, seen},
        words::{client_limited, label, method},
    },
    report::{CapacityReport, GateReport, Report, Run},
};

/// Writes the title, and how the reports were made.
pub(super) fn title(title: &str, sources: &[(&str, &Report)], page: &mut Markup) {
    page.element("header", &[], |header| {
        header.line("h1", &[], title);
        let made: Vec<String> = sources.iter().map(|(file, report)| made(file, report)).collect();
        header.line("p", &[("class", "made")], &made.join(" · "));
    });
}

/// Writes the reasons to doubt the figures, the rules that failed, and the conditions of the runs.
pub(super) fn write(runs: &[&Labelled<'_>], page: &mut Markup) {
    let alerts = runs
        .iter()
        .filter_map(|run| client_limited(run.run, &run.label))
        .chain(runs.iter().flat_map(|run| failures(run)));
    for alert in alerts {
        page.line("p", &[("class", "alert"), ("role", "note")], &alert);
    }
    gates(runs, page);
    conditions(runs, page);
}

/// The program, the seed and the time of a report.
fn made(file: &str, report: &Report) -> String {
    let version = report.version.as_ref().map(|version| format!("load-client {version}"));
    let seed = format!("seed {}", report.seed);
    let starts = report.runs.iter().filter_map(|run| run.started_at.as_ref());
    let start = starts.min().map(|start| format!("started at {start}"));
    let file = (!file.is_empty()).then(|| file.to_owned());
    let all: Vec<String> = file.into_iter().chain(version).chain([seed]).chain(start).collect();
    all.join(", ")
}

/// The failures of a run. They are shown even if the figures look good.
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

/// Writes the rules that fail the runs, or that all rules passed.
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

/// Writes the services, the load, the capacity and the changes, as far as the report has them.
fn conditions(runs: &[&Labelled<'_>], page: &mut Markup) {
    // A strategy in real time and the same strategy in virtual time have the same conditions.
    let mut once: Vec<&Labelled<'_>> = Vec::new();
    for run in runs {
        if !once.iter().any(|other| other.name == run.name) {
            once.push(run);
        }
    }
    // If the files have the same runs under the same conditions, these are said once, without the names of the files.
    let same = once.iter().all(|run| {
        let first = once
            .iter()
            .find(|first| first.file == once[0].file && first.run.name == run.run.name);
        first.is_some_and(|first| alike(first.run, run.run))
    });
    if same {
        once.retain(|run| run.file == runs[0].file);
    }
    let names: Vec<String> = once
        .iter()
        .map(|run| if same { label(run.run) } else { run.name.clone() })
        .collect();
    let called = once.iter().filter_map(|run| {
        let target = run.run.configuration.as_ref()?.target.as_deref()?;
        target
            .contains("://")
            .then(|| (*run, format!("{} at {target}", method(run.run))))
    });
    let load = once.iter().filter_map(|run| {
        let made = run.run.configuration.as_ref()?;
        Some((*run, conditions::load(made)))
    });
    let capacities: Vec<(&str, CapacityReport)> = once
        .iter()
        .zip(&names)
        .filter_map(|(run, name)| Some((name.as_str(), run.run.configuration.as_ref()?.capacity?)))
        .collect();
    let mut capacity: Vec<String> = conditions::capacity(&capacities).into_iter().collect();
    if let [sentence] = capacity.as_mut_slice()
        && let Some(ratio) = ratio(&once, &names)
    {
        sentence.push_str(&ratio);
    }
    let changes: Vec<_> = once
        .iter()
        .zip(&names)
        .map(|(run, name)| (name.as_str(), run.run.events.clone().unwrap_or_default()))
        .collect();
    let all = [
        ("Called", said(called.collect(), &once)),
        ("Load", said(load.collect(), &once)),
        ("Capacity", capacity),
        ("Changes", conditions::changes(&changes).into_iter().collect()),
    ];
    if all.iter().all(|(_, sentences)| sentences.is_empty()) {
        return;
    }
    page.new_line();
    page.element("dl", &[("class", "conditions")], |list| {
        for (name, sentences) in all.iter().filter(|(_, sentences)| !sentences.is_empty()) {
            list.line("dt", &[], name);
            list.element("dd", &[], |said| {
                for sentence in sentences {
                    said.line("p", &[], sentence);
                }
            });
        }
    });
}

/// Whether two runs have the same target, load, capacity and events.
fn alike(one: &Run, other: &Run) -> bool {
    let of = |run: &Run| {
        let made = run.configuration.as_ref();
        let made = made.map(|made| (made.target.clone(), made.rps, made.capacity, conditions::load(made)));
        (made, run.events.clone().unwrap_or_default())
    };
    of(one) == of(other)
}

/// A sentence that compares the load with the capacity, if all runs have the same load; with the names of the runs that
/// differ from the first.
fn ratio(runs: &[&Labelled<'_>], names: &[String]) -> Option<String> {
    let of = |(run, name): (&&Labelled<'_>, &String)| {
        let made = run.run.configuration.as_ref()?;
        Some((name.clone(), made.rps?, made.rps? / made.capacity?.per_second()?))
    };
    let all: Vec<(String, f64, f64)> = runs.iter().zip(names).map(of).collect::<Option<_>>()?;
    let (_, rps, first) = all.first()?;
    let same_load = all.iter().all(|(_, other, _)| (other - rps).abs() < f64::EPSILON);
    let percent = |share: f64| format!("{:.0} %", 100.0 * share);
    let differ = all.iter().filter(|(.., share)| percent(*share) != percent(*first));
    let differ: Vec<String> = differ
        .map(|(name, _, share)| format!("{name}: {}", percent(*share)))
        .collect();
    let differ = if differ.is_empty() {
        String::new()
    } else {
        format!(" ({})", differ.join(", "))
    };
    same_load.then(|| format!(" The load is {} of the capacity{differ}.", percent(*first)))
}

/// Each sentence once. One that is not true of all runs has the names of its runs, or of their files.
fn said(sentences: Vec<(&Labelled<'_>, String)>, runs: &[&Labelled<'_>]) -> Vec<String> {
    let mut each: Vec<(String, Vec<&Labelled<'_>>)> = Vec::new();
    for (run, sentence) in sentences {
        match each.iter_mut().find(|(known, _)| *known == sentence) {
            Some((_, of)) => of.push(run),
            None => each.push((sentence, vec![run])),
        }
    }
    let named = |(sentence, of): (String, Vec<&Labelled<'_>>)| {
        if of.len() == runs.len() {
            return sentence;
        }
        let of_file = |file: &str, runs: &[&Labelled<'_>]| runs.iter().filter(|run| run.file == file).count();
        let mut names: Vec<&str> = Vec::new();
        for run in &of {
            let whole_file = !run.file.is_empty() && of_file(run.file, &of) == of_file(run.file, runs);
            let name = if whole_file { run.file } else { &run.name };
            if !names.contains(&name) {
                names.push(name);
            }
        }
        format!("{}: {sentence}", names.join(", "))
    };
    each.into_iter().map(named).collect()
}
