//! The page of a sweep: goodput against offered load, a line for each strategy beside the ideal, and the figures.

use std::fmt::Write;

use super::{
    frame::{Column, Drawn, Frame, Row, down},
    labelled::swatch,
    line::WIDTH,
    markup::Markup,
    scale::{Scale, Tick, Unit},
    tables::Table,
};
use crate::{
    present::sweep::{self, HOW_TO_READ, factor, factors, heads, rows},
    report::SweepReport,
    units::plain,
};

/// The number of looks for strategies. Further strategies repeat them.
const LOOKS: usize = 8;

/// Writes the chart and the table.
pub(super) fn write(sweep: &SweepReport, commands: &[&str], page: &mut Markup) {
    let factors = factors(sweep);
    let x = Scale::log(factors.iter().copied());
    let highest = sweep.curves.iter().map(|curve| curve.capacity_rps);
    let y = Scale::linear(highest.fold(sweep.capacity_rps, f64::max), Unit::Rate);
    page.element("ul", &[("class", "legend"), ("aria-label", "Legend")], |list| {
        for (name, look) in names(sweep).chain([("ideal", "thin".to_owned())]) {
            list.element("li", &[], |item| {
                swatch(&look, item);
                item.text(name);
            });
        }
    });
    let at = |factor: f64, goodput: f64| (x.place(factor) * WIDTH, down(y.place(goodput)));
    let mut lines: Vec<Drawn> = Vec::new();
    // On a log scale the ideal is a curve below the capacity.
    let steps = (0..=100).map(|step| {
        let (from, to) = first_and_last(&factors);
        from * (to / from).powf(f64::from(step) / 100.0)
    });
    let ideal = steps.map(|factor| at(factor, factor.min(1.0) * sweep.capacity_rps));
    lines.push(drawn("ideal", "line thin", ideal));
    for (curve, (_, look)) in sweep.curves.iter().zip(names(sweep)) {
        let points = curve.points.iter();
        let points = points.filter_map(|point| Some(at(point.factor, point.goodput_rps?)));
        lines.push(drawn(&curve.name, &format!("line {look}"), points));
    }
    Frame {
        id: "sweep-goodput",
        title: "Goodput by offered load",
        about: HOW_TO_READ,
        x: &ticks(&factors, x),
        y: &y.ticks(Unit::Rate),
        marks: &[],
        rows: &[Row {
            name: None,
            described: described(sweep),
            figure: String::new(),
            lines,
            columns: columns(sweep, &factors, x),
        }],
        missing: "",
        commands,
    }
    .write(page);
    Table {
        caption: "Goodput per second",
        columns: heads(sweep),
        rows: rows(sweep),
        class: "",
    }
    .write(page);
    page.element("dl", &[("class", "verdict")], |list| {
        for curve in &sweep.curves {
            list.line("dt", &[], &curve.name);
            list.line("dd", &[], &curve.about);
        }
    });
}

/// Each strategy with its look.
fn names(sweep: &SweepReport) -> impl Iterator<Item = (&str, String)> {
    let curves = sweep.curves.iter().enumerate();
    curves.map(|(index, curve)| (curve.name.as_str(), format!("look{}", index % LOOKS)))
}

fn drawn(label: &str, class: &str, points: impl Iterator<Item = (f64, f64)>) -> Drawn {
    let mut path = String::new();
    for (x, y) in points {
        let letter = if path.is_empty() { 'M' } else { 'L' };
        let _ = write!(path, "{letter}{x:.1} {y:.1}");
    }
    Drawn {
        label: label.to_owned(),
        class: class.to_owned(),
        path,
    }
}

fn first_and_last(factors: &[f64]) -> (f64, f64) {
    (
        factors.first().copied().unwrap_or(1.0),
        factors.last().copied().unwrap_or(1.0),
    )
}

/// The ticks of the axis of loads.
fn ticks(factors: &[f64], x: Scale) -> Vec<Tick> {
    let tick = |value: f64| Tick {
        place: x.place(value),
        label: factor(value),
    };
    sweep::ticks(factors).map(tick).collect()
}

fn described(sweep: &SweepReport) -> String {
    let mut text = HOW_TO_READ.to_owned();
    for curve in &sweep.curves {
        let last = curve.points.last();
        let goodput = last.and_then(|point| Some((point.factor, point.goodput_rps?)));
        if let Some((at, goodput)) = goodput {
            let _ = write!(text, " {}: {}/s at {}.", curve.name, plain(goodput), factor(at));
        }
    }
    text
}

/// A column around each load, with the goodput of all strategies.
fn columns(sweep: &SweepReport, factors: &[f64], x: Scale) -> Vec<Column> {
    let places: Vec<f64> = factors.iter().map(|factor| x.place(*factor)).collect();
    let edge = |index: usize| match (index.checked_sub(1).map(|before| places[before]), places.get(index)) {
        (Some(before), Some(after)) => f64::midpoint(before, *after),
        (None, _) => 0.0,
        (_, None) => 1.0,
    };
    let heads = heads(sweep);
    let column = |(index, cells): (usize, Vec<String>)| {
        let figures = heads.iter().zip(&cells).map(|(head, cell)| format!("{head}: {cell}"));
        Column {
            from: edge(index),
            to: edge(index + 1),
            figures: figures.collect::<Vec<_>>().join("\n"),
        }
    };
    rows(sweep).into_iter().enumerate().map(column).collect()
}
