//! The instants that every chart over time marks: the ends of warm-up and load, and the changes of the services.

use super::labelled::Labelled;
use crate::report::EventReport;

/// The marks, each with its place on an axis of `end` seconds, from 0 to 1.
pub(super) fn of(runs: &[&Labelled<'_>], end: f64) -> Vec<(f64, String)> {
    // The end of the warm-up or of the load is marked only if it is the same for all runs.
    let same = |of: &dyn Fn(&Labelled<'_>) -> f64| {
        let mut all = runs.iter().map(|run| of(run));
        let first = all.next()?;
        all.all(|other| (other - first).abs() < 0.01 * end).then_some(first)
    };
    let warmup = same(&|run| run.run.load.warmup_seconds).filter(|at| *at > 0.0);
    let over = same(&|run| run.run.load.warmup_seconds + run.run.load.duration_seconds);
    let marks = warmup.map(|at| (at, "the warm-up ends".to_owned())).into_iter();
    let marks = marks.chain(over.map(|at| (at, "the load ends".to_owned())));
    let marks = marks.chain(events(runs));
    // A mark at the very end would only repeat the end of the axis.
    marks
        .map(|(at, what)| (at / end, what))
        .filter(|(at, _)| *at < 0.985)
        .collect()
}

/// The changes of the services: once if all changed alike, with the names of the runs otherwise.
fn events(runs: &[&Labelled<'_>]) -> Vec<(f64, String)> {
    let mut events: Vec<(&EventReport, Vec<&str>)> = Vec::new();
    for run in runs {
        for event in run.run.events.iter().flatten() {
            match events.iter_mut().find(|(known, _)| *known == event) {
                Some((_, labels)) => labels.push(&run.name),
                None => events.push((event, vec![&run.name])),
            }
        }
    }
    let words = |(event, labels): (&EventReport, Vec<&str>)| {
        let says = if labels.len() == runs.len() {
            event.says.clone()
        } else {
            format!("{}: {}", labels.join(", "), event.says)
        };
        (event.at_seconds, says)
    };
    events.into_iter().map(words).collect()
}
