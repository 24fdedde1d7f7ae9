//! The frame of a chart: title, axes, grid, lines, and the figures under the pointer. Lines stretch with the page; labels
//! keep their size, so that a chart can be read on a phone as well.

use super::{line::WIDTH, markup::Markup, scale::Tick};

/// How high the plot is, in pixels.
pub(super) const HEIGHT: f64 = 190.0;
/// Below this share of the width of a wide page, two labels of the x axis need one of them to go where the page is narrow.
const CLOSE: f64 = 0.2;

/// A chart, ready to be drawn.
pub(super) struct Frame<'a> {
    /// Its name within the page, of letters, digits and dashes.
    pub(super) id: &'a str,
    pub(super) title: &'a str,
    /// What is drawn, in a sentence.
    pub(super) about: &'a str,
    /// A description of the chart, for screen readers.
    pub(super) described: &'a str,
    pub(super) x: &'a [Tick],
    pub(super) y: &'a [Tick],
    /// Instants that mean something, each from 0 to 1, and what.
    pub(super) marks: &'a [(f64, &'a str)],
    pub(super) lines: &'a [Drawn],
    pub(super) columns: &'a [Column],
    /// What is not there, and why.
    pub(super) missing: &'a str,
}

/// A line of a chart.
pub(super) struct Drawn {
    /// Whose it is.
    pub(super) label: String,
    /// How it looks: classes of the style sheet.
    pub(super) class: String,
    /// Within [`WIDTH`] and [`HEIGHT`]; empty if there is nothing to draw.
    pub(super) path: String,
}

/// A part of the width, and the figures that stand there.
pub(super) struct Column {
    /// From 0 to 1.
    pub(super) from: f64,
    /// From 0 to 1.
    pub(super) to: f64,
    pub(super) figures: String,
}

/// From 0 (below) and 1 (above) to the height of a path.
pub(super) fn down(place: f64) -> f64 {
    (1.0 - place) * HEIGHT
}

impl Frame<'_> {
    /// Writes it.
    pub(super) fn write(&self, page: &mut Markup) {
        page.new_line();
        page.element("figure", &[("class", "chart"), ("id", self.id)], |figure| {
            figure.element("figcaption", &[], |caption| {
                caption.line("h4", &[], self.title);
                caption.line("p", &[], self.about);
            });
            figure.element("div", &[("class", "plot")], |plot| self.svg(plot));
            if !self.missing.is_empty() {
                figure.line("p", &[("class", "missing")], self.missing);
            }
        });
    }

    fn svg(&self, plot: &mut Markup) {
        let (title, description) = (format!("{}-title", self.id), format!("{}-about", self.id));
        let height = format!("{HEIGHT}");
        let named = format!("{title} {description}");
        let attributes = [
            ("xmlns", "http://www.w3.org/2000/svg"),
            ("role", "img"),
            ("aria-labelledby", named.as_str()),
            ("width", "100%"),
            ("height", &height),
        ];
        plot.element("svg", &attributes, |svg| {
            svg.line("title", &[("id", &title)], self.title);
            svg.line("desc", &[("id", &description)], self.described);
            self.axes(svg);
            let view = format!("0 0 {WIDTH} {HEIGHT}");
            let stretched = [
                ("width", "100%"),
                ("height", height.as_str()),
                ("viewBox", &view),
                ("preserveAspectRatio", "none"),
                ("class", "lines"),
            ];
            svg.element("svg", &stretched, |lines| {
                for drawn in self.lines.iter().filter(|drawn| !drawn.path.is_empty()) {
                    lines.new_line();
                    let attributes = [
                        ("class", drawn.class.as_str()),
                        ("data-run", &drawn.label),
                        ("d", &drawn.path),
                    ];
                    lines.element("path", &attributes, |path| path.line("title", &[], &drawn.label));
                }
            });
            self.under_the_pointer(svg);
        });
    }

    fn axes(&self, svg: &mut Markup) {
        for tick in self.y {
            let y = format!("{:.1}", down(tick.place));
            let grid = [("class", "grid"), ("x1", "0"), ("x2", "100%"), ("y1", &y), ("y2", &y)];
            svg.empty("line", &grid);
            svg.line(
                "text",
                &[("class", "y"), ("x", "-8"), ("y", &y), ("dy", "4")],
                &tick.label,
            );
        }
        let bottom = format!("{HEIGHT}");
        let below = format!("{}", HEIGHT + 18.0);
        let mut last_kept = f64::NEG_INFINITY;
        for tick in self.x {
            let x = percent(tick.place);
            svg.empty(
                "line",
                &[("class", "grid"), ("x1", &x), ("x2", &x), ("y1", "0"), ("y2", &bottom)],
            );
            let close = tick.place - last_kept < CLOSE;
            if !close {
                last_kept = tick.place;
            }
            // The last one does not stick out of the page.
            let class = match (close, tick.place > 0.97) {
                (false, false) => "x",
                (false, true) => "x end",
                (true, false) => "x wide",
                (true, true) => "x end wide",
            };
            svg.line("text", &[("class", class), ("x", &x), ("y", &below)], &tick.label);
        }
        for (place, what) in self.marks {
            let x = percent(*place);
            svg.empty(
                "line",
                &[("class", "mark"), ("x1", &x), ("x2", &x), ("y1", "-6"), ("y2", &bottom)],
            );
            let class = if *place > 0.7 { "mark end" } else { "mark" };
            svg.line("text", &[("class", class), ("x", &x), ("y", "-9")], what);
        }
    }

    fn under_the_pointer(&self, svg: &mut Markup) {
        let height = format!("{HEIGHT}");
        for column in self.columns {
            let (x, width) = (percent(column.from), percent(column.to - column.from));
            let attributes = [
                ("class", "column"),
                ("x", x.as_str()),
                ("width", &width),
                ("y", "0"),
                ("height", &height),
            ];
            svg.element("rect", &attributes, |rect| rect.line("title", &[], &column.figures));
        }
    }
}

fn percent(place: f64) -> String {
    format!("{:.2}%", place * 100.0)
}
