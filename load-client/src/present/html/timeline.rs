//! The charts over time: all runs of one kind of clock, on one axis.

use std::fmt::Write;

use super::{
    Labelled,
    frame::{Column, Drawn, Frame, HEIGHT, down},
    line::{Bin, Fold, Value, WIDTH, bins, joined, stairs, step},
    markup::Markup,
    panels::{PANELS, Panel},
    scale::{Scale, Unit, time_ticks},
};
use crate::{
    report::{EventReport, PointReport},
    units::{bytes, plain, time},
};

/// As many sends are to be intended in a bin of a rate, so that chance does not hide what is to be seen (arbitrary).
const SENDS_PER_BIN: f64 = 10.0;
/// But as many bins are to be left (arbitrary: fewer have no shape).
const LEAST_BINS: f64 = 24.0;
/// The offered load is drawn in bins of so many seconds (arbitrary: long enough for clients to have had their turns)
const OFFERED_BIN: f64 = 1.0;
/// but in no fewer bins than this (arbitrary).
const LEAST_OFFERED_BINS: f64 = 10.0;
/// Stretches whose figures can be pointed at.
const COLUMNS: u32 = 60;

/// Runs on one axis of time.
pub(super) struct Timeline<'a> {
    runs: &'a [&'a Labelled<'a>],
    /// Goes before the names of its charts.
    prefix: &'a str,
    /// When the last series ends, in seconds since the load began.
    end: f64,
    /// Of rates and times, in seconds.
    bin: f64,
}

impl<'a> Timeline<'a> {
    /// `None` if nothing ever happened.
    pub(super) fn new(runs: &'a [&'a Labelled<'a>], prefix: &'a str) -> Option<Self> {
        let ends = runs.iter().filter_map(|run| {
            let series = &run.run.series;
            Some(series.last()?.t + step(series))
        });
        let end = ends.reduce(f64::max)?;
        let finest = runs.iter().map(|run| step(&run.run.series)).fold(0.0, f64::max);
        let mut bin = finest;
        let slowest = runs
            .iter()
            .filter_map(|run| run.run.load.offered_rps)
            .fold(f64::INFINITY, f64::min);
        while bin * slowest < SENDS_PER_BIN && end / (2.0 * bin) >= LEAST_BINS {
            bin *= 2.0;
        }
        Some(Self { runs, prefix, end, bin })
    }

    /// Writes all charts for which any run has figures.
    pub(super) fn write(&self, page: &mut Markup) {
        for panel in &PANELS {
            let known = |run: &&Labelled<'_>| run.run.series.iter().any(|point| (panel.value)(point).is_some());
            // Where every answer means done, the times are the same as above.
            let twice = panel.id == "time-to-done-p99" && !self.runs.iter().any(|run| run.is_queued());
            // The queue of a run without Enqueue is always empty.
            let empty = panel.id == "queue-depth" && !self.runs.iter().any(|run| run.is_queued());
            if self.runs.iter().any(known) && !twice && !empty {
                self.panel(panel, page);
            }
        }
    }

    fn panel(&self, panel: &Panel, page: &mut Markup) {
        let series: Vec<Vec<Bin>> = self
            .runs
            .iter()
            .map(|run| bins(&run.run.series, panel.value, panel.fold, self.bin))
            .collect();
        let offered = if panel.id == "goodput" {
            self.offered()
        } else {
            Vec::new()
        };
        let values = || series.iter().chain(&offered).flatten().filter_map(|bin| bin.value);
        let scale = if panel.log {
            Scale::log(values())
        } else {
            Scale::linear(values().fold(0.0, f64::max), panel.unit)
        };
        let x = |seconds: f64| seconds / self.end * WIDTH;
        let y = |value: f64| down(scale.place(value));
        let mut lines: Vec<Drawn> = self.offered_lines(&offered, x, y);
        for (run, bins) in self.runs.iter().zip(&series) {
            let path = if panel.fold == Fold::Mean {
                stairs(bins, x, y)
            } else {
                joined(bins, x, y)
            };
            lines.push(Drawn {
                label: run.label.clone(),
                class: format!("line {}", run.look()),
                path,
            });
        }
        let id = format!("{}{}", self.prefix, panel.id);
        Frame {
            id: &id,
            title: &self.title(panel),
            about: &self.about(panel),
            described: &self.described(panel, &series),
            x: &time_ticks(self.end),
            y: &scale.ticks(panel.unit),
            marks: &self
                .marks()
                .iter()
                .map(|(at, what)| (*at, what.as_str()))
                .collect::<Vec<_>>(),
            lines: &lines,
            columns: &self.columns(panel, &series, &offered),
            missing: &self.missing(panel, &series),
        }
        .write(page);
    }

    /// The time until an ok of Enqueue has a name of its own.
    fn title(&self, panel: &Panel) -> String {
        match panel.title.strip_prefix("Response time") {
            Some(which) if self.runs.iter().all(|run| run.is_queued()) => format!("Acknowledgement time{which}"),
            Some(_) if self.runs.iter().any(|run| run.is_queued()) => {
                format!("{} (of Enqueue: acknowledgement time)", panel.title)
            }
            _ => panel.title.to_owned(),
        }
    }

    fn about(&self, panel: &Panel) -> String {
        let finest = self
            .runs
            .iter()
            .map(|run| step(&run.run.series))
            .fold(f64::INFINITY, f64::min);
        let seconds = plain(self.bin);
        let how = match panel.fold {
            _ if self.bin < finest * 1.5 => return format!("{} In steps of {seconds} s.", panel.about),
            Fold::Mean => "the mean",
            Fold::Middle => "the median",
            Fold::Highest => "the highest",
            Fold::Each => return panel.about.to_owned(),
        };
        format!("{} Drawn: {how} of the steps of every {seconds} s.", panel.about)
    }

    /// What was scheduled, of each run, until the load was over. Clients take turns, so a short step has a few requests more
    /// or less than the next: longer bins show the rate and not the turns.
    fn offered(&self) -> Vec<Vec<Bin>> {
        let bin = (self.end / LEAST_OFFERED_BINS).min(OFFERED_BIN).max(self.bin);
        let of = |run: &&Labelled<'_>| {
            let (series, load) = (&run.run.series, &run.run.load);
            let value: Value = |point: &PointReport| Some(point.offered_rps);
            let over = load.warmup_seconds + load.duration_seconds;
            // The load may end within a step, which then has less of it.
            let whole = series.iter().take_while(|point| point.t + step(series) <= over + 1e-6);
            let under_load = whole.count().max(1).min(series.len());
            let mut bins = bins(&series[..under_load], value, Fold::Mean, bin);
            let last = bins.iter().rposition(|bin| bin.value.is_some_and(|value| value > 0.0));
            bins.truncate(last.map_or(0, |last| last + 1));
            bins
        };
        self.runs.iter().map(of).collect()
    }

    /// One line for all runs under the same load; otherwise one for each.
    fn offered_lines(
        &self,
        offered: &[Vec<Bin>],
        x: impl Fn(f64) -> f64 + Copy,
        y: impl Fn(f64) -> f64 + Copy,
    ) -> Vec<Drawn> {
        let line = |label: String, class: String, bins: &[Bin]| {
            let mut path = stairs(bins, x, y);
            // Down to nothing where it ends, and back: what is offered is an area.
            if let (false, Some(first)) = (path.is_empty(), bins.first()) {
                let _ = write!(path, "V{HEIGHT:.1}H{:.1}Z", x(first.from));
            }
            Drawn { label, class, path }
        };
        match offered {
            [first, others @ ..] if others.iter().all(|other| other == first) => {
                vec![line("offered".to_owned(), "offered".to_owned(), first)]
            }
            all => all
                .iter()
                .zip(self.runs)
                .map(|(bins, run)| {
                    line(
                        format!("{}: offered", run.label),
                        format!("offered-each {}", run.look()),
                        bins,
                    )
                })
                .collect(),
        }
    }

    /// The ends of warm-up and load, where they are the same for all, and what happened to services.
    fn marks(&self) -> Vec<(f64, String)> {
        let same = |of: &dyn Fn(&Labelled<'_>) -> f64| {
            let mut all = self.runs.iter().map(|run| of(run));
            let first = all.next()?;
            all.all(|other| (other - first).abs() < 0.01 * self.end)
                .then_some(first)
        };
        let warmup = same(&|run| run.run.load.warmup_seconds).filter(|at| *at > 0.0);
        let over = same(&|run| run.run.load.warmup_seconds + run.run.load.duration_seconds);
        let marks = warmup.map(|at| (at, "judged from here".to_owned())).into_iter();
        let marks = marks.chain(over.map(|at| (at, "load over".to_owned())));
        let marks = marks.chain(self.events());
        // At the very end there is nothing to tell apart.
        marks
            .map(|(at, what)| (at / self.end, what))
            .filter(|(at, _)| *at < 0.985)
            .collect()
    }

    /// What happened to services: once where it happened to all, with the names of those to which it happened otherwise.
    fn events(&self) -> Vec<(f64, String)> {
        let mut events: Vec<(&EventReport, Vec<&str>)> = Vec::new();
        for run in self.runs {
            for event in run.run.events.iter().flatten() {
                match events.iter_mut().find(|(known, _)| *known == event) {
                    Some((_, labels)) => labels.push(&run.label),
                    None => events.push((event, vec![&run.label])),
                }
            }
        }
        let words = |(event, labels): (&EventReport, Vec<&str>)| {
            let says = if labels.len() == self.runs.len() {
                event.says.clone()
            } else {
                format!("{}: {}", labels.join(", "), event.says)
            };
            (event.at_seconds, says)
        };
        events.into_iter().map(words).collect()
    }

    fn columns(&self, panel: &Panel, series: &[Vec<Bin>], offered: &[Vec<Bin>]) -> Vec<Column> {
        let shown = |bins: &[Bin], at: f64| {
            let bin = bins.iter().find(|bin| at >= bin.from && at < bin.to);
            bin.and_then(|bin| bin.value)
                .map_or_else(|| "–".to_owned(), |value| show(value, panel.unit))
        };
        (0..COLUMNS)
            .map(|index| {
                let (from, to) = (
                    f64::from(index) / f64::from(COLUMNS),
                    f64::from(index + 1) / f64::from(COLUMNS),
                );
                let at = f64::midpoint(from, to) * self.end;
                let mut figures = format!("{}, {}", self.title(panel), time(at));
                for (index, (run, bins)) in self.runs.iter().zip(series).enumerate() {
                    let _ = write!(figures, "\n{}: {}", run.label, shown(bins, at));
                    if let Some(offered) = offered.get(index) {
                        let _ = write!(figures, " of {} offered", shown(offered, at));
                    }
                }
                Column { from, to, figures }
            })
            .collect()
    }

    fn described(&self, panel: &Panel, series: &[Vec<Bin>]) -> String {
        let mut text = format!("{} Over {}.", panel.about, time(self.end));
        for (run, bins) in self.runs.iter().zip(series) {
            let known = bins.iter().filter_map(|bin| bin.value);
            let ends = known.fold(None, |ends: Option<(f64, f64)>, value| {
                Some(ends.map_or((value, value), |(low, high)| (low.min(value), high.max(value))))
            });
            let _ = match ends {
                None => write!(text, " {}: no figures.", run.label),
                Some((low, high)) => {
                    let (low, high) = (show(low, panel.unit), show(high, panel.unit));
                    write!(text, " {}: from {low} to {high}.", run.label)
                }
            };
        }
        text
    }

    fn missing(&self, panel: &Panel, series: &[Vec<Bin>]) -> String {
        let without = self.runs.iter().zip(series);
        let without = without.filter(|(_, bins)| bins.iter().all(|bin| bin.value.is_none()));
        let names: Vec<&str> = without.map(|(run, _)| run.label.as_str()).collect();
        if names.is_empty() {
            return String::new();
        }
        format!("Without figures: {} ({}).", names.join(", "), panel.missing)
    }
}

fn show(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Rate => format!("{}/s", plain(value)),
        Unit::Count => plain(value),
        Unit::Bytes => bytes(value),
        Unit::Seconds => time(value),
    }
}
