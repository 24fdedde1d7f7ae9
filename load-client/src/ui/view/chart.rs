//! One chart: a title with a legend, values on the left, lines over time. Every chart has the same left edge and the same
//! time axis, so that points in one column are of the same time.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::Color,
    symbols::Marker,
    text::{Line as Text, Span},
    widgets::{
        Widget,
        canvas::{Canvas, Context, Line, Points},
    },
};

use super::{
    axis::{Unit, WIDTH, ticks},
    palette::{Ink, quiet, strong},
};

/// The least number of columns between two ticks of the time axis.
const TICK_EVERY: usize = 12;
/// Columns left of the plot: a value, a space and the edge.
const EDGE: u16 = WIDTH + 2;

/// A line in a chart.
#[derive(Debug)]
pub(super) struct Series {
    pub(super) ink: Ink,
    /// Times in seconds and their values, in order. `None` makes a gap in the line.
    pub(super) values: Vec<(f64, Option<f64>)>,
}

/// The name and current value of a line, beside the title of the chart.
#[derive(Debug)]
pub(super) struct Legend {
    pub(super) ink: Ink,
    pub(super) name: &'static str,
    pub(super) now: Option<f64>,
}

/// A chart to be drawn.
#[derive(Debug)]
pub(super) struct Chart {
    pub(super) title: String,
    pub(super) unit: Unit,
    pub(super) legend: Vec<Legend>,
    pub(super) series: Vec<Series>,
}

/// The time axis that all charts of a screen share.
#[derive(Debug, Clone)]
pub(super) struct TimeAxis {
    /// The end of the axis, in seconds.
    pub(super) end: f64,
    /// The time between two neighbouring points, in seconds. Points much further apart are not joined.
    pub(super) step: f64,
    /// The end of the load and the events of the services, in seconds.
    pub(super) marks: Vec<f64>,
}

impl Chart {
    /// Draws the chart without its time axis. The first row is the title.
    pub(super) fn draw(&self, area: Rect, buffer: &mut Buffer, axis: &TimeAxis) {
        let area = area.intersection(buffer.area);
        if area.height < 2 || area.width <= EDGE {
            return;
        }
        self.title().render(Rect { height: 1, ..area }, buffer);
        let body = Rect {
            y: area.y + 1,
            height: area.height - 1,
            ..area
        };
        let values = self.series.iter().flat_map(|series| &series.values);
        let top = self
            .unit
            .top(values.filter_map(|(_, value)| *value).fold(0.0, f64::max));
        let width = usize::from(WIDTH);
        for row in 0..body.height {
            let words = match row {
                0 => self.unit.words(top),
                row if row + 1 == body.height => "0".to_owned(),
                _ => String::new(),
            };
            let tick = if words.is_empty() { '│' } else { '┤' };
            let edge = format!("{words:>width$} {tick}");
            buffer.set_stringn(body.x, body.y + row, edge, EDGE.into(), quiet());
        }
        let canvas = Canvas::default()
            .x_bounds([0.0, axis.end])
            .y_bounds([0.0, top])
            .paint(|context| {
                for at in &axis.marks {
                    mark(context, *at, top);
                }
                for series in &self.series {
                    context.marker(series.ink.marker);
                    trace(context, series, axis.step);
                }
            });
        let plot = Rect {
            x: body.x + EDGE,
            width: body.width - EDGE,
            ..body
        };
        canvas.render(plot, buffer);
    }

    fn title(&self) -> Text<'static> {
        let mut spans = vec![Span::styled(self.title.clone(), strong())];
        for legend in &self.legend {
            spans.push(Span::styled(format!("   {}", legend.ink.sign), legend.ink.style()));
            let now = legend.now.map_or_else(|| "–".to_owned(), |now| self.unit.words(now));
            spans.push(Span::raw(format!(
                " {}{now:>width$}",
                legend.name,
                width = usize::from(WIDTH) + 1
            )));
        }
        Text::from(spans)
    }
}

/// Draws a vertical line at the end of the load, or at an event.
fn mark(context: &mut Context<'_>, at: f64, top: f64) {
    context.marker(Marker::Custom('┊'));
    context.draw(&Line::new(at, 0.0, at, top, Color::Reset));
}

/// Draws lines between neighbouring points, and a dot for a point without a neighbour.
fn trace(context: &mut Context<'_>, series: &Series, step: f64) {
    let colour = series.ink.colour;
    let mut last: Option<(f64, f64)> = None;
    for (at, value) in &series.values {
        let Some(value) = *value else {
            last = None;
            continue;
        };
        match last {
            // Up to 2.5 steps apart: one point may have been missed.
            Some((x, y)) if at - x <= 2.5 * step => context.draw(&Line::new(x, y, *at, value, colour)),
            _ => context.draw(&Points::new(&[(*at, value)], colour)),
        }
        last = Some((*at, value));
    }
}

/// Draws the time axis of the charts above: a row of ticks and a row of labels.
pub(super) fn draw_time_axis(area: Rect, buffer: &mut Buffer, axis: &TimeAxis) {
    let area = area.intersection(buffer.area);
    if area.height < 2 || area.width <= EDGE {
        return;
    }
    let (left, plot) = (area.x + EDGE, area.width - EDGE);
    let width = usize::from(WIDTH);
    let line = format!("{:>width$} └{}", "", "─".repeat(plot.into()));
    buffer.set_stringn(area.x, area.y, line, area.width.into(), quiet());
    for (at, words) in ticks(axis.end, usize::from(plot) / TICK_EVERY) {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a share of a width"
        )]
        let column = left + (at / axis.end * f64::from(plot - 1)).round() as u16;
        buffer.set_string(column, area.y, "┴", quiet());
        let half = u16::try_from(words.chars().count() / 2).unwrap_or(0);
        let wide = u16::try_from(words.chars().count()).unwrap_or(0);
        let start = column
            .saturating_sub(half)
            .min((area.x + area.width).saturating_sub(wide));
        buffer.set_stringn(start, area.y + 1, words, area.width.into(), quiet());
    }
}
