//! The charts over time. Runs in real time and runs in virtual time have charts of their own. In each chart all runs share the axes, and
//! each run has its own row.

use std::fmt::Write;

use super::{
    figures::{self, show},
    frame::{Column, Drawn, Frame, HEIGHT, Name, Row, down},
    labelled::Labelled,
    line::{Bin, Fold, Value, WIDTH, bins, joined, stairs, step},
    marks,
    markup::Markup,
    panels::{PANELS, Panel, Place},
    scale::{Scale, Tick, Unit, time_ticks},
};
use crate::{report::PointReport, units::time};

/// A bin of a rate covers about this many scheduled requests, so that chance does not hide the trend (arbitrary).
const REQUESTS_PER_BIN: f64 = 10.0;
/// The least number of bins of a rate (arbitrary: fewer have no shape).
const LEAST_BINS: f64 = 24.0;
/// The length of a bin of the offered load, in seconds (arbitrary: long enough for every client to have had a turn).
const OFFERED_BIN: f64 = 1.0;
/// The least number of bins of the offered load; they are shorter if necessary (arbitrary).
const LEAST_OFFERED_BINS: f64 = 10.0;
/// The number of parts of a row that have figures under the pointer (arbitrary; the more, the larger the page).
const COLUMNS: u32 = 48;

/// Runs on one axis of time.
pub(super) struct Timeline<'a> {
    runs: &'a [&'a Labelled<'a>],
    /// The beginning of the names of its charts.
    prefix: &'a str,
    commands: &'a [&'a str],
    /// When the last series ends, in seconds since the load began.
    end: f64,
    /// The length of a bin of rates and times, in seconds.
    bin: f64,
}

impl<'a> Timeline<'a> {
    /// The charts over time of these runs; `None` if no run has a series.
    pub(super) fn new(runs: &'a [&'a Labelled<'a>], prefix: &'a str, commands: &'a [&'a str]) -> Option<Self> {
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
        while bin * slowest < REQUESTS_PER_BIN && end / (2.0 * bin) >= LEAST_BINS {
            bin *= 2.0;
        }
        Some(Self {
            runs,
            prefix,
            commands,
            end,
            bin,
        })
    }

    /// Writes the first charts, or the further ones, for which any run has figures.
    pub(super) fn write(&self, first: bool, page: &mut Markup) {
        let queued = self.runs.iter().any(|run| run.run.is_queued());
        // The page says once what each strategy does: beside the rows of its first chart.
        let mut about = first;
        for panel in &PANELS {
            let is_first = panel.place == Place::First || (panel.place == Place::FirstWithoutQueue && !queued);
            let known = |run: &&Labelled<'_>| run.run.series.iter().any(|point| (panel.value)(point).is_some());
            // If every answer means done, the time to done is the response time, and no queue has anything to show.
            let needs_queue = ["time-to-done-p99", "queue-depth"].contains(&panel.id);
            if is_first == first && self.runs.iter().any(known) && (queued || !needs_queue) {
                self.panel(panel, about, page);
                about = false;
            }
        }
    }

    fn panel(&self, panel: &Panel, about: bool, page: &mut Markup) {
        let series: Vec<Vec<Bin>> = self
            .runs
            .iter()
            .map(|run| {
                let mut bins = bins(&run.run.series, panel.value, panel.fold, self.bin);
                if let Some(most) = figures::most(panel, run) {
                    for value in bins.iter_mut().filter_map(|bin| bin.value.as_mut()) {
                        *value = value.min(most);
                    }
                }
                bins
            })
            .collect();
        let offered = if panel.id == "goodput" {
            self.offered()
        } else {
            Vec::new()
        };
        let values = || series.iter().chain(&offered).flatten().filter_map(|bin| bin.value);
        let alone = self.runs.len() == 1;
        // In one row there is room to read a log scale. Several rows are to be compared at a glance.
        let log = alone && panel.unit == Unit::Seconds;
        let scale = if log {
            Scale::log(values())
        } else {
            Scale::linear(values().fold(0.0, f64::max), panel.unit)
        };
        let rows = self.runs.iter().zip(&series).enumerate();
        let rows: Vec<Row> = rows
            .map(|(index, (run, bins))| {
                let offered = offered.get(index).map(Vec::as_slice);
                let name = Name {
                    label: run.name.clone(),
                    look: run.look(),
                    about: if about { run.about() } else { String::new() },
                };
                Row {
                    name: (!alone).then_some(name),
                    described: self.described(panel, log, run, bins),
                    figure: if alone {
                        String::new()
                    } else {
                        figures::of_row(panel, run, bins)
                    },
                    lines: self.lines(panel, run, bins, offered, scale),
                    columns: self.columns(panel, run, bins, offered),
                }
            })
            .collect();
        let mut y = scale.ticks(panel.unit);
        if !alone {
            keep_first_and_last(&mut y);
        }
        let id = format!("{}{}", self.prefix, panel.id);
        let marks = marks::of(self.runs, self.end);
        Frame {
            id: &id,
            title: &self.title(panel),
            about: &self.about(panel, log),
            x: &time_ticks(self.end),
            y: &y,
            marks: &marks.iter().map(|(at, what)| (*at, what.as_str())).collect::<Vec<_>>(),
            rows: &rows,
            missing: &self.missing(panel, &series),
            commands: self.commands,
        }
        .write(page);
    }

    fn lines(
        &self,
        panel: &Panel,
        run: &Labelled<'_>,
        bins: &[Bin],
        offered: Option<&[Bin]>,
        scale: Scale,
    ) -> Vec<Drawn> {
        let x = |seconds: f64| seconds / self.end * WIDTH;
        let y = |value: f64| down(scale.place(value));
        let offered = offered.map(|bins| {
            let mut path = stairs(bins, x, y);
            // Closes the path at zero, because the offered load is drawn as an area.
            if let (false, Some(first)) = (path.is_empty(), bins.first()) {
                let _ = write!(path, "V{HEIGHT:.1}H{:.1}Z", x(first.from));
            }
            Drawn {
                label: "offered".to_owned(),
                class: "offered".to_owned(),
                path,
            }
        });
        let path = if panel.fold == Fold::Mean {
            stairs(bins, x, y)
        } else {
            joined(bins, x, y)
        };
        let line = Drawn {
            label: run.name.clone(),
            class: format!("line {}", run.look()),
            path,
        };
        offered.into_iter().chain([line]).collect()
    }

    /// The title of a chart. With Enqueue, the time until an ok has its own name.
    fn title(&self, panel: &Panel) -> String {
        match panel.title.strip_prefix("How long an answer took") {
            Some(which) if self.runs.iter().all(|run| run.run.is_queued()) => {
                format!("How long an acknowledgement took{which}")
            }
            Some(_) if self.runs.iter().any(|run| run.run.is_queued()) => {
                format!("{} (with Enqueue: an acknowledgement)", panel.title)
            }
            _ => panel.title.to_owned(),
        }
    }

    /// The sentences below the title: what the chart shows, how long its steps are, and how they became the points of a line.
    fn about(&self, panel: &Panel, log: bool) -> String {
        let steps = || self.runs.iter().map(|run| step(&run.run.series));
        let (shortest, longest) = (steps().fold(f64::INFINITY, f64::min), steps().fold(0.0, f64::max));
        let steps = if longest < shortest * 1.01 {
            time(shortest)
        } else {
            format!("{} to {}", time(shortest), time(longest))
        };
        let mut about = panel.about.replace("{step}", &steps);
        if let (Some(slo), true) = (self.slo(), panel.id == "goodput") {
            about = about.replace("the SLO (--slo)", &format!("the SLO (--slo) of {}", time(slo)));
        }
        if log {
            about.push_str(" The scale is logarithmic.");
        }
        let folded = self.bin >= shortest * 1.5;
        let bin = time(self.bin);
        let how = match panel.fold {
            Fold::Mean => format!(" Each level of the line is the mean over {bin}."),
            Fold::Middle if folded => {
                format!(" Each point is the middle one of the medians of {bin}, one for every {steps}.")
            }
            Fold::Highest if folded => {
                format!(
                    " Each point is the highest p99 of {bin}, with one p99 for every {steps}: 99 % took at most this long."
                )
            }
            Fold::Middle => format!(" Each point is the median of {steps}."),
            Fold::Highest => format!(" Each point is the p99 of {steps}: 99 % took at most this long."),
            Fold::Each => String::new(),
        };
        about + &how
    }

    /// The SLO in seconds, if it is the same for all runs.
    fn slo(&self) -> Option<f64> {
        let mut all = self
            .runs
            .iter()
            .map(|run| Some(run.run.configuration.as_ref()?.slo_seconds));
        let first = all.next()??;
        all.all(|slo| slo == Some(first)).then_some(first)
    }

    /// The offered load of each run in bins, until its load was over. Clients take turns, so a short step has a few requests
    /// more or less than the next: longer bins show the rate and not the turns.
    fn offered(&self) -> Vec<Vec<Bin>> {
        let bin = (self.end / LEAST_OFFERED_BINS).min(OFFERED_BIN).max(self.bin);
        let of = |run: &&Labelled<'_>| {
            let (series, load) = (&run.run.series, &run.run.load);
            let value: Value = |point: &PointReport| Some(point.offered_rps);
            let over = load.warmup_seconds + load.duration_seconds;
            // If the load ends within a step, that step is left out: only a part of it has load.
            let whole = series.iter().take_while(|point| point.t + step(series) <= over + 1e-6);
            let under_load = whole.count().max(1).min(series.len());
            let mut bins = bins(&series[..under_load], value, Fold::Mean, bin);
            let last = bins.iter().rposition(|bin| bin.value.is_some_and(|value| value > 0.0));
            bins.truncate(last.map_or(0, |last| last + 1));
            bins
        };
        self.runs.iter().map(of).collect()
    }

    fn columns(&self, panel: &Panel, run: &Labelled<'_>, series: &[Bin], offered: Option<&[Bin]>) -> Vec<Column> {
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
                let mut figures = format!("{} after {}: {}", run.name, time(at), shown(series, at));
                if let Some(offered) = offered {
                    let _ = write!(figures, " of {} offered", shown(offered, at));
                }
                Column { from, to, figures }
            })
            .collect()
    }

    fn described(&self, panel: &Panel, log: bool, run: &Labelled<'_>, bins: &[Bin]) -> String {
        let known = bins.iter().filter_map(|bin| bin.value);
        let ends = known.fold(None, |ends: Option<(f64, f64)>, value| {
            Some(ends.map_or((value, value), |(low, high)| (low.min(value), high.max(value))))
        });
        let ends = ends.map_or_else(
            || "no figures".to_owned(),
            |(low, high)| format!("from {} to {}", show(low, panel.unit), show(high, panel.unit)),
        );
        format!(
            "{} {}: {ends}, over {}.",
            self.about(panel, log),
            run.name,
            time(self.end)
        )
    }

    fn missing(&self, panel: &Panel, series: &[Vec<Bin>]) -> String {
        let without = self.runs.iter().zip(series);
        let without = without.filter(|(_, bins)| bins.iter().all(|bin| bin.value.is_none()));
        let names: Vec<&str> = without.map(|(run, _)| run.name.as_str()).collect();
        if names.is_empty() {
            return String::new();
        }
        format!("Without figures: {} ({}).", names.join(", "), panel.missing)
    }
}

/// Keeps the lowest and the highest tick: a low row has room for two.
fn keep_first_and_last(ticks: &mut Vec<Tick>) {
    if ticks.len() > 2 {
        ticks.drain(1..ticks.len() - 1);
    }
}
