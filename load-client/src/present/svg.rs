//! The picture of a sweep as an SVG file for a document: goodput against offered load, on light and on dark pages. It has its
//! own style, because no page stands around it.

use std::fmt::Write;

use super::{
    html::markup::Markup,
    sweep::{factor, factors, ticks},
};
use crate::{report::SweepReport, units::plain};

/// The size of the picture, and the area of the curves in it.
const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 380.0;
const LEFT: f64 = 60.0;
const TOP: f64 = 20.0;
const AREA: [f64; 2] = [520.0, 300.0];
/// The least distance between two names beside the curves.
const LINE: f64 = 18.0;

/// The colours of the curves on light and on dark pages, and their dashes: no reader needs to tell two by hue alone.
const LOOKS: [[&str; 3]; 6] = [
    ["#1a7f37", "#3fb950", ""],
    ["#0969da", "#58a6ff", "9 5"],
    ["#9a6700", "#d29922", "2 5"],
    ["#8250df", "#bc8cff", "12 5 2 5"],
    ["#cf222e", "#f85149", "5 4"],
    ["#57606a", "#8b949e", "16 5"],
];

/// Converts values into coordinates of the picture.
struct Places {
    from: f64,
    to: f64,
    highest: f64,
}

impl Places {
    fn x(&self, factor: f64) -> f64 {
        LEFT + AREA[0] * (factor / self.from).ln() / (self.to / self.from).ln().max(f64::MIN_POSITIVE)
    }

    fn y(&self, goodput: f64) -> f64 {
        TOP + AREA[1] * (1.0 - goodput / self.highest)
    }

    /// The path through these factors and goodputs, as shares of the capacity.
    fn path(&self, points: impl Iterator<Item = (f64, f64)>) -> String {
        points.fold(String::new(), |mut path, (factor, goodput)| {
            let letter = if path.is_empty() { 'M' } else { 'L' };
            let _ = write!(path, "{letter}{:.1} {:.1}", self.x(factor), self.y(goodput));
            path
        })
    }
}

/// The picture as SVG. Goodput is drawn as a share of the capacity.
pub fn sweep(sweep: &SweepReport) -> String {
    let factors = factors(sweep);
    let all = sweep.curves.iter().flat_map(|curve| &curve.points);
    let highest = all
        .filter_map(|point| point.goodput_rps)
        .fold(sweep.capacity_rps, f64::max);
    let places = Places {
        from: factors.first().copied().unwrap_or(0.1),
        to: factors.last().copied().unwrap_or(10.0),
        highest: 1.05 * highest / sweep.capacity_rps,
    };
    let mut svg = Markup::default();
    let view = format!("0 0 {WIDTH} {HEIGHT}");
    let attributes = [
        ("xmlns", "http://www.w3.org/2000/svg"),
        ("viewBox", view.as_str()),
        ("font-family", "system-ui, sans-serif"),
        ("font-size", "13"),
        ("role", "img"),
        (
            "aria-label",
            "Goodput against offered load: a curve for each strategy, and the ideal",
        ),
    ];
    svg.element("svg", &attributes, |svg| {
        svg.new_line();
        svg.line("style", &[], &style(sweep.curves.len()));
        axes(&places, &factors, svg);
        curves(sweep, &places, svg);
        svg.new_line();
    });
    svg.new_line();
    svg.into_string()
}

fn style(curves: usize) -> String {
    let colours = |at: usize| {
        (0..curves).fold(String::new(), |mut text, number| {
            let colour = LOOKS[number % LOOKS.len()][at];
            let _ = write!(
                text,
                " .c{number} {{ stroke: {colour} }} .t{number} {{ fill: {colour} }}"
            );
            text
        })
    };
    format!(
        "\ntext {{ fill: #1f2328 }} .grid {{ stroke: #d0d7de; fill: none }} .curve {{ fill: none; stroke-width: 2.5; \
         stroke-linejoin: round }} .ideal {{ fill: none; stroke: #57606a; stroke-width: 1.2 }}{}\n@media \
         (prefers-color-scheme: dark) {{ text {{ fill: #e6edf3 }} .grid {{ stroke: #30363d }} .ideal {{ stroke: #8b949e }}{} \
         }}\n",
        colours(0),
        colours(1)
    )
}

fn axes(places: &Places, factors: &[f64], svg: &mut Markup) {
    let (right, bottom) = (LEFT + AREA[0], TOP + AREA[1]);
    for quarter in (0..)
        .map(|quarter| f64::from(quarter) / 4.0)
        .take_while(|share| *share <= places.highest)
    {
        let y = places.y(quarter);
        svg.new_line();
        svg.empty("path", &[("class", "grid"), ("d", &format!("M{LEFT} {y:.1}H{right}"))]);
        let at = [("x", format!("{}", LEFT - 8.0)), ("y", format!("{:.1}", y + 4.0))];
        text("end", "", &at, &format!("{:.0} %", 100.0 * quarter), svg);
    }
    for value in ticks(factors) {
        let x = places.x(value);
        svg.new_line();
        svg.empty("path", &[("class", "grid"), ("d", &format!("M{x:.1} {TOP}V{bottom}"))]);
        let at = [("x", format!("{x:.1}")), ("y", format!("{}", bottom + 18.0))];
        text("middle", "", &at, &factor(value), svg);
    }
    let at = [
        ("x", format!("{}", LEFT + AREA[0] / 2.0)),
        ("y", format!("{}", bottom + 42.0)),
    ];
    text("middle", "", &at, "offered load, times the capacity", svg);
    let at = [("x", "8".to_owned()), ("y", format!("{}", TOP - 6.0))];
    text("start", "", &at, "goodput, share of the capacity", svg);
}

fn curves(sweep: &SweepReport, places: &Places, svg: &mut Markup) {
    let steps = (0..=100).map(|step| places.from * (places.to / places.from).powf(f64::from(step) / 100.0));
    let ideal = places.path(steps.map(|factor| (factor, factor.min(1.0))));
    svg.new_line();
    svg.element("path", &[("class", "ideal"), ("d", &ideal)], |path| {
        path.line("title", &[], "ideal");
    });
    let mut names = vec![(places.y(1.0) - 2.0, "ideal", String::new())];
    for (number, curve) in sweep.curves.iter().enumerate() {
        let points = curve.points.iter();
        let points = points.filter_map(|point| Some((point.factor, point.goodput_rps? / sweep.capacity_rps)));
        let points: Vec<(f64, f64)> = points.collect();
        let Some((_, end)) = points.last().copied() else {
            continue;
        };
        let class = format!("curve c{number}");
        let dashes = LOOKS[number % LOOKS.len()][2];
        let path = places.path(points.into_iter());
        let attributes = [
            ("class", class.as_str()),
            ("stroke-dasharray", dashes),
            ("d", path.as_str()),
        ];
        let attributes: Vec<_> = attributes.into_iter().filter(|(_, value)| !value.is_empty()).collect();
        svg.new_line();
        svg.element("path", &attributes, |path| {
            path.line(
                "title",
                &[],
                &format!("{}: capacity {}/s", curve.name, plain(curve.capacity_rps)),
            );
        });
        names.push((places.y(end) + 4.0, &curve.name, format!("t{number}")));
    }
    // Names beside the ends of their curves, at least a line apart, and none below the axis.
    names.sort_by(|(one, ..), (other, ..)| one.total_cmp(other));
    let mut least = TOP;
    let mut lines: Vec<f64> = names
        .iter()
        .map(|(end, ..)| {
            let at = end.max(least);
            least = at + LINE;
            at
        })
        .collect();
    let mut most = TOP + AREA[1] + 4.0;
    for line in lines.iter_mut().rev() {
        *line = line.min(most);
        most = *line - LINE;
    }
    let right = format!("{}", LEFT + AREA[0] + 10.0);
    for ((_, name, class), line) in names.iter().zip(lines) {
        svg.new_line();
        text(
            "start",
            class,
            &[("x", right.clone()), ("y", format!("{line:.1}"))],
            name,
            svg,
        );
    }
}

fn text(anchor: &str, class: &str, at: &[(&str, String); 2], text: &str, svg: &mut Markup) {
    let [(_, x), (_, y)] = at;
    let attributes = [("class", class), ("text-anchor", anchor), ("x", x), ("y", y)];
    let attributes: Vec<_> = attributes.into_iter().filter(|(_, value)| !value.is_empty()).collect();
    svg.line("text", &attributes, text);
}
