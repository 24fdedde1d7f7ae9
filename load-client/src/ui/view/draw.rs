//! The screen: a heading, the table, the charts over one time axis, the keys. It is a pure function of the runs and the
//! size. If there is too little room, parts are left out from the bottom up, the charts first.

use std::time::Duration;

use ratatui::{
    Frame,
    buffer::Buffer,
    layout::{Constraint, Layout, Rect},
    style::{Modifier, Style},
    text::Line as Text,
    widgets::Widget,
};

use super::{
    axis::{Unit, span},
    chart::{Chart, Legend, Series, TimeAxis, draw_time_axis},
    history::Point,
    model::RunModel,
    palette::{Palette, strong},
    table,
};
use crate::{
    live::Phase,
    units::{clock, compact_rate},
};

/// The least number of rows of a chart, with its title: a lower chart shows too little.
const LEAST_CHART: u16 = 4;
/// Rows of the time axis.
const AXIS: u16 = 2;
/// The number of rows for charts from which on the chart of the goodput is shown too.
const ROOM_FOR_GOODPUT: u16 = 24;

/// Takes from a point the value that a chart shows.
type Value = fn(&Point) -> Option<f64>;

/// Draws the runs. `asked` is how often the user has asked to end them.
pub(super) fn draw(frame: &mut Frame, runs: &[RunModel], asked: u8, palette: Palette) {
    let area = frame.area();
    let table = u16::try_from(runs.len())
        .unwrap_or(u16::MAX)
        .min(area.height / 3)
        .max(1)
        + table::HEAD;
    let [head, rows, charts, keys] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(table),
        Constraint::Min(0),
        Constraint::Length(1),
    ])
    .areas(area);
    let buffer = frame.buffer_mut();
    draw_head(head, buffer, runs);
    table::draw(rows, buffer, runs, palette);
    draw_charts(charts, buffer, runs, palette);
    Text::styled(keys_for(asked), Style::new().add_modifier(Modifier::REVERSED)).render(keys, buffer);
}

fn keys_for(asked: u8) -> &'static str {
    match asked {
        0 => " q, Esc or Ctrl-C ends the run, with its report ",
        1 => " Ending with the answers in flight. q, Esc or Ctrl-C again: report at once ",
        _ => " Ending at once. q, Esc or Ctrl-C again: leave without a report ",
    }
}

fn elapsed(runs: &[RunModel]) -> Duration {
    runs.iter().map(|run| run.elapsed).max().unwrap_or_default()
}

fn planned(runs: &[RunModel]) -> Option<Duration> {
    runs.iter().map(RunModel::planned).max().flatten()
}

/// Draws the heading: on the left the runs, on the right their state and the time.
fn draw_head(area: Rect, buffer: &mut Buffer, runs: &[RunModel]) {
    let what = match runs {
        [run] => format!("{}  {}", run.name, run.scenario.rpc.label()),
        _ => format!("{} runs side by side", runs.len()),
    };
    let what = format!("{what}{}", last_event(runs));
    let state = state(runs);
    // After the load, the service works off what is left, and that has no planned end.
    let planned = planned(runs).filter(|_| runs.iter().any(|run| run.load_over.is_none()));
    let planned = planned.map_or_else(String::new, |planned| format!(" of {}", clock(planned)));
    let right = format!("{state}  {:>7}{planned}", clock(elapsed(runs)));
    let wide = u16::try_from(right.chars().count()).unwrap_or(u16::MAX).min(area.width);
    let [left_area, right_area] = Layout::horizontal([Constraint::Min(0), Constraint::Length(wide)]).areas(area);
    Text::styled(right, strong()).render(right_area, buffer);
    Text::styled(what, strong()).render(left_area, buffer);
}

fn state(runs: &[RunModel]) -> String {
    let at = |phase| runs.iter().filter(|run| run.reading.phase == phase).count();
    let warming_up = runs.iter().any(|run| run.elapsed < run.scenario.warmup);
    if at(Phase::Connecting) > 0 {
        let trouble = runs.iter().find_map(|run| run.trouble.as_deref());
        trouble.unwrap_or("waiting for the service to answer").to_owned()
    } else if at(Phase::Loading) > 0 {
        let warmup = if warming_up { "warm-up, " } else { "" };
        format!("{warmup}{}", offered(runs))
    } else if at(Phase::Draining) > 0 {
        "load over, working off the rest".to_owned()
    } else {
        "done".to_owned()
    }
}

/// The offered load of the runs that are under load: of each run if all have the same, or else the sum.
fn offered(runs: &[RunModel]) -> String {
    let loading = runs.iter().filter(|run| run.reading.phase == Phase::Loading);
    let rates: Vec<f64> = loading.filter_map(|run| run.now.offered).collect();
    let alike = rates.windows(2).all(|pair| (pair[0] - pair[1]).abs() < 1e-9);
    let (offered, recipients) = match (rates.as_slice(), runs.len(), alike) {
        ([first, ..], 1, _) => (*first, ""),
        ([first, ..], _, true) => (*first, " to each"),
        (rates, _, _) => (rates.iter().sum(), " to all"),
    };
    format!("{:>5}/s offered{recipients}", compact_rate(offered))
}

fn draw_charts(area: Rect, buffer: &mut Buffer, runs: &[RunModel], palette: Palette) {
    let charts = match runs {
        [run] => of_one(run, area.height, palette),
        runs => of_several(runs, area.height, palette),
    };
    let rows = area.height.saturating_sub(AXIS);
    let shown = usize::from(rows / LEAST_CHART).min(charts.len());
    if shown == 0 {
        return;
    }
    let axis = TimeAxis {
        end: span(planned(runs), elapsed(runs)),
        step: runs.iter().map(|run| run.history.step()).fold(0.0, f64::max),
        marks: marks(runs),
    };
    let mut constraints = vec![Constraint::Fill(1); shown];
    constraints.push(Constraint::Length(AXIS));
    let areas = Layout::vertical(constraints).split(area);
    for (chart, area) in charts.iter().take(shown).zip(areas.iter()) {
        chart.draw(*area, buffer, &axis);
    }
    draw_time_axis(areas[shown], buffer, &axis);
}

/// The end of the load and the events of the services, in seconds.
fn marks(runs: &[RunModel]) -> Vec<f64> {
    let over = runs.iter().filter_map(|run| run.load_over).max();
    let events = runs.iter().flat_map(|run| run.events.iter().map(|(at, _)| *at));
    let mut marks: Vec<Duration> = over.into_iter().chain(events).collect();
    marks.sort_unstable();
    marks.dedup();
    marks.iter().map(Duration::as_secs_f64).collect()
}

/// The last event of a service as text; empty if there was none.
fn last_event(runs: &[RunModel]) -> String {
    let last = runs.iter().flat_map(|run| &run.events).max_by_key(|(at, _)| *at);
    last.map_or_else(String::new, |(at, says)| format!("  at {}: {says}", clock(*at)))
}

fn of_one(run: &RunModel, height: u16, palette: Palette) -> Vec<Chart> {
    let chart = |title: &str, unit, lines: &[(&'static str, Value)]| Chart {
        title: title.to_owned(),
        unit,
        legend: lines
            .iter()
            .enumerate()
            .map(|(index, (name, value))| Legend {
                ink: palette.ink(index),
                name,
                now: value(&run.now),
            })
            .collect(),
        series: lines
            .iter()
            .enumerate()
            .map(|(index, (_, value))| series(run, index, *value, palette))
            .collect(),
    };
    let times: [(&str, Value); 3] = [
        ("p50", |point| point.median),
        ("p99", |point| point.p99),
        ("max", |point| point.longest),
    ];
    let queued = !run.scenario.rpc.ok_means_done();
    let title = if queued {
        "acknowledgement time"
    } else {
        "response time of ok"
    };
    let mut charts = vec![chart(title, Unit::Time, &times)];
    if run.reading.levels.is_some() {
        let levels: [(&str, Value); 2] = [
            ("in system", |point| point.in_system),
            ("queue depth", |point| point.queue_depth),
        ];
        charts.push(chart("the service", Unit::Count, &levels));
    }
    if queued {
        charts.insert(0, chart("time to done", Unit::Time, &[("p99", |point| point.done_p99)]));
    }
    if height >= ROOM_FOR_GOODPUT {
        let rates: [(&str, Value); 2] = [("goodput", |point| point.goodput), ("offered", |point| point.offered)];
        charts.push(chart("messages", Unit::Rate, &rates));
    }
    charts
}

fn of_several(runs: &[RunModel], height: u16, palette: Palette) -> Vec<Chart> {
    let chart = |title: &str, unit, value: Value| Chart {
        title: title.to_owned(),
        unit,
        legend: Vec::new(),
        series: runs
            .iter()
            .enumerate()
            .map(|(index, run)| series(run, index, value, palette))
            .collect(),
    };
    let mut charts = Vec::new();
    if runs.iter().any(|run| run.reading.levels.is_some()) {
        charts.push(chart("in system", Unit::Count, |point| point.in_system));
    }
    charts.push(chart("time to done, p99 of the last second", Unit::Time, |point| {
        point.done_p99
    }));
    if height >= ROOM_FOR_GOODPUT {
        charts.push(chart("goodput", Unit::Rate, |point| point.goodput));
    }
    charts
}

fn series(run: &RunModel, index: usize, value: Value, palette: Palette) -> Series {
    Series {
        ink: palette.ink(index),
        values: run.history.points().map(|(at, point)| (at, value(point))).collect(),
    }
}
