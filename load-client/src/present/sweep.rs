//! The results of a sweep, as text: goodput against offered load, a column for each strategy beside the ideal.

use super::{
    grid::{Column, Grid, Kind, MISSING},
    layout::{Layout, wrap},
};
use crate::{
    report::{SweepCurveReport, SweepReport},
    units::plain,
};

/// Explains the figures.
pub(super) const HOW_TO_READ: &str = "Requests done within the SLO per second, by the load as a multiple of the capacity. The \
                                      ideal is the offered load up to the capacity, and the capacity above it.";

/// The loads of a sweep as multiples of the capacity, in rising order.
pub(super) fn factors(sweep: &SweepReport) -> Vec<f64> {
    let points = sweep.curves.iter().flat_map(|curve| &curve.points);
    let mut factors: Vec<f64> = points.map(|point| point.factor).collect();
    factors.sort_by(f64::total_cmp);
    factors.dedup();
    factors
}

/// A load as a multiple: 0.5×.
pub(super) fn factor(value: f64) -> String {
    format!("{}×", plain(value))
}

/// The loads at which the axis has ticks: 1, 2 and 5 times each power of ten.
pub(super) fn ticks(factors: &[f64]) -> impl Iterator<Item = f64> {
    let (from, to) = (
        factors.first().copied().unwrap_or(1.0),
        factors.last().copied().unwrap_or(1.0),
    );
    let decades = (-3..=3).flat_map(|decade: i32| [1.0, 2.0, 5.0].map(|part| part * 10_f64.powi(decade)));
    decades.filter(move |factor| *factor >= from * 0.999 && *factor <= to * 1.001)
}

/// The heads of the table: the load as a multiple of the capacity, the offered load, the ideal, and each strategy.
pub(super) fn heads(sweep: &SweepReport) -> Vec<String> {
    let names = sweep.curves.iter().map(|curve| curve.name.clone());
    ["load", "offered", "ideal"]
        .map(str::to_owned)
        .into_iter()
        .chain(names)
        .collect()
}

/// A row for each load, with the columns of [`heads()`].
pub(super) fn rows(sweep: &SweepReport) -> Vec<Vec<String>> {
    let row = |value: f64| {
        let offered = value * sweep.capacity_rps;
        let ideal = offered.min(sweep.capacity_rps);
        let goodput = |curve: &SweepCurveReport| {
            let at = curve
                .points
                .iter()
                .find(|point| point.factor.to_bits() == value.to_bits());
            let goodput = at.and_then(|point| point.goodput_rps);
            goodput.map_or_else(|| MISSING.to_owned(), plain)
        };
        let curves = sweep.curves.iter().map(goodput);
        [factor(value), plain(offered), plain(ideal)]
            .into_iter()
            .chain(curves)
            .collect()
    };
    factors(sweep).into_iter().map(row).collect()
}

/// The table as text, and an explanation of its figures.
pub fn table(sweep: &SweepReport, layout: Layout) -> String {
    let rows = rows(sweep);
    let columns = heads(sweep).into_iter().enumerate().map(|(index, head)| {
        let cells = rows.iter().map(|row| row[index].clone()).collect();
        Column::new(Kind::Figures, head, cells)
    });
    let table = Grid::new(columns.collect()).text(layout.width);
    format!("{table}\n{}\n", wrap(HOW_TO_READ, layout.sentence(0)).join("\n"))
}
