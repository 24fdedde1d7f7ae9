//! Times by percentile, with the distance to 100 % on a log axis, so that the tail is easy to read.

use std::fmt::Write;

use super::{
    frame::{Column, Drawn, Frame, Row, down},
    labelled::Labelled,
    line::WIDTH,
    markup::Markup,
    scale::{Scale, Tick, Unit},
};
use crate::{
    outcome::Outcome,
    present::words::unanswered,
    report::{CurvePointReport, Run},
    units::{plain, time},
};

/// A chart with a curve per run, of the distribution that `of` picks. It is left out if no run has one.
struct Chart<'a> {
    id: &'a str,
    title: String,
    about: String,
    of: &'a dyn Fn(&'a Run) -> Option<&'a [CurvePointReport]>,
    commands: &'a [&'a str],
}

/// How to read such a chart.
const HOW_TO_READ: &str = "At 90 %, nine of ten took at most this time. Both scales are logarithmic.";

/// Writes the charts: the time to done, and the response time of every outcome that occurred.
pub(super) fn write<'a>(runs: &'a [&'a Labelled<'a>], prefix: &str, commands: &[&str], page: &mut Markup) {
    // If every answer means done, the times to done are the response times of the ok answers, which have a chart below.
    if runs.iter().any(|run| run.run.is_queued()) {
        let id = format!("{prefix}percentiles-done");
        Chart {
            id: &id,
            title: "Time to done by percentile".to_owned(),
            about: format!("From the scheduled send until the message was processed. {HOW_TO_READ}"),
            of: &|run| run.time_to_done_curve.as_deref(),
            commands,
        }
        .write(runs, page);
    }
    for outcome in Outcome::ALL.map(Outcome::label) {
        let id = format!("{prefix}percentiles-{outcome}");
        let unanswered = runs.iter().filter(|_| outcome == Outcome::Ok.label());
        let unanswered = unanswered.filter_map(|run| Some(format!(" {}: {}", run.name, unanswered_of(run)?)));
        Chart {
            id: &id,
            title: format!("{} by percentile: {outcome}", name(runs, outcome)),
            about: format!(
                "From the scheduled send to the end of the call, of the requests that ended {outcome}. {HOW_TO_READ}{}",
                unanswered.collect::<String>()
            ),
            of: &|run| Some(run.response_time_curve.as_ref()?.get(outcome)?.as_slice()),
            commands,
        }
        .write(runs, page);
    }
}

/// The name of the time to an answer. An ok of Enqueue is an acknowledgement.
fn name(runs: &[&Labelled<'_>], outcome: &str) -> &'static str {
    let acknowledges = |run: &&Labelled<'_>| run.run.is_queued() && outcome == Outcome::Ok.label();
    if runs.iter().all(acknowledges) {
        "Acknowledgement time"
    } else if runs.iter().any(acknowledges) {
        "Response time (of Enqueue: acknowledgement time)"
    } else {
        "Response time"
    }
}

fn unanswered_of(run: &Labelled<'_>) -> Option<String> {
    unanswered(run.run)
}

impl<'a> Chart<'a> {
    fn write(&self, runs: &'a [&'a Labelled<'a>], page: &mut Markup) {
        let curves: Vec<(&Labelled<'_>, &[CurvePointReport])> = runs
            .iter()
            .filter_map(|run| Some((*run, (self.of)(run.run)?)))
            .filter(|(_, curve)| !curve.is_empty())
            .collect();
        if curves.is_empty() {
            return;
        }
        // The last point of a curve is the maximum: as far to the right as its number of requests allows.
        let end = curves.iter().map(|(_, curve)| last(curve)).fold(1.0, f64::max);
        let scale = Scale::log(
            curves
                .iter()
                .flat_map(|(_, curve)| curve.iter())
                .map(|point| point.seconds),
        );
        let lines: Vec<Drawn> = curves
            .iter()
            .map(|(run, curve)| Drawn {
                label: run.name.clone(),
                class: format!("line {}", run.look()),
                path: path(curve, end, scale),
            })
            .collect();
        let mut described = self.about.clone();
        for (run, curve) in &curves {
            let at = |quantile| at(curve, quantile).map_or_else(|| "–".to_owned(), |point| time(point.seconds));
            let _ = write!(
                described,
                " {}: p50 {}, p99 {}, longest {}.",
                run.name,
                at(0.5),
                at(0.99),
                at(1.0)
            );
        }
        let without = runs
            .iter()
            .filter(|run| !curves.iter().any(|(other, _)| std::ptr::eq(*other, **run)));
        let without: Vec<&str> = without.map(|run| run.name.as_str()).collect();
        let missing = if without.is_empty() {
            String::new()
        } else {
            format!("Without figures: {}.", without.join(", "))
        };
        Frame {
            id: self.id,
            title: &self.title,
            about: &self.about,
            x: &ticks(end),
            y: &scale.ticks(Unit::Seconds),
            marks: &[],
            rows: &[Row {
                name: None,
                described,
                figure: String::new(),
                lines,
                columns: columns(&self.title, &curves, end),
            }],
            missing: &missing,
            commands: self.commands,
        }
        .write(page);
    }
}

/// Decades of the distance to 100 %: 50 % is at 0.3, 99 % at 2.
fn decades(quantile: f64) -> f64 {
    // Subtracted from 0.0: a minus sign alone would make a negative zero of the quantile 0.
    0.0 - (1.0 - quantile).log10()
}

fn last(curve: &[CurvePointReport]) -> f64 {
    curve.last().map_or(0.0, |point| (point.count.max(1) as f64).log10())
}

fn path(curve: &[CurvePointReport], end: f64, scale: Scale) -> String {
    let mut path = String::new();
    for (index, point) in curve.iter().enumerate() {
        let x = if index + 1 == curve.len() {
            last(curve)
        } else {
            decades(point.quantile)
        };
        let letter = if index == 0 { 'M' } else { 'L' };
        let _ = write!(
            path,
            "{letter}{:.1} {:.1}",
            x / end * WIDTH,
            down(scale.place(point.seconds))
        );
    }
    path
}

fn ticks(end: f64) -> Vec<Tick> {
    let half = Tick {
        place: decades(0.5) / end,
        label: "50 %".to_owned(),
    };
    let nines = (0..)
        .map(|digits: i32| (f64::from(digits), percent(digits)))
        .take_while(|(at, _)| *at <= end);
    let mut ticks: Vec<Tick> = nines.map(|(at, label)| Tick { place: at / end, label }).collect();
    ticks.insert(1.min(ticks.len()), half);
    ticks
}

/// 0 %, 90 %, 99 %, 99.9 %, …
fn percent(nines: i32) -> String {
    match nines {
        0 => "0 %".to_owned(),
        1 => "90 %".to_owned(),
        2 => "99 %".to_owned(),
        more => format!("99.{} %", (2..more).map(|_| '9').collect::<String>()),
    }
}

/// The first point of a curve at this quantile or beyond; `None` if the curve ends before it.
fn at(curve: &[CurvePointReport], quantile: f64) -> Option<&CurvePointReport> {
    curve.iter().find(|point| point.quantile >= quantile - 1e-9)
}

/// A column for every point of the longest curve.
fn columns(title: &str, curves: &[(&Labelled<'_>, &[CurvePointReport])], end: f64) -> Vec<Column> {
    let Some((_, longest)) = curves.iter().max_by_key(|(_, curve)| curve.len()) else {
        return Vec::new();
    };
    let places: Vec<f64> = longest
        .iter()
        .map(|point| {
            if point.quantile < 1.0 {
                decades(point.quantile) / end
            } else {
                1.0
            }
        })
        .collect();
    let edge = |index: usize| match (index.checked_sub(1).map(|before| places[before]), places.get(index)) {
        (Some(before), Some(after)) => f64::midpoint(before, *after),
        (None, _) => 0.0,
        (_, None) => 1.0,
    };
    longest
        .iter()
        .enumerate()
        .map(|(index, point)| {
            let where_to = if point.quantile < 1.0 {
                format!("p{}", plain_percent(point.quantile))
            } else {
                "longest".to_owned()
            };
            let mut figures = format!("{title}, {where_to}");
            for (run, curve) in curves {
                let figure = at(curve, point.quantile).map_or_else(
                    || "–".to_owned(),
                    |point| format!("{} ({} of them)", time(point.seconds), plain(point.count as f64)),
                );
                let _ = write!(figures, "\n{}: {figure}", run.name);
            }
            Column {
                from: edge(index),
                to: edge(index + 1),
                figures,
            }
        })
        .collect()
}

fn plain_percent(quantile: f64) -> String {
    let text = format!("{:.9}", quantile * 100.0);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_axis_has_every_nine_as_far_as_there_are_sends() {
        let labels: Vec<String> = ticks(4.2).into_iter().map(|tick| tick.label).collect();
        assert_eq!(labels, ["0 %", "50 %", "90 %", "99 %", "99.9 %", "99.99 %"]);
    }

    #[test]
    fn a_curve_ends_at_its_longest_time() {
        let point = |quantile, seconds, count| CurvePointReport {
            quantile,
            seconds,
            count,
        };
        let curve = [point(0.0, 0.01, 1), point(0.9, 0.1, 90), point(1.0, 1.0, 100)];
        let path = path(&curve, 2.0, Scale::Log(-2, 0));
        assert_eq!(path, "M0.0 190.0L500.0 95.0L1000.0 0.0");
    }
}
