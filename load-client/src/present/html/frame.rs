//! The frame of a chart: heading, axes, grid, lines, and the figures under the pointer. A chart has one row for each run, all
//! on the same axes, or a single row with all lines. Lines stretch with the page; labels keep their size, so that a chart can
//! be read on a phone as well.

use super::{labelled::swatch, line::WIDTH, markup::Markup, scale::Tick, tables};

/// The height of every plot, in the units of its paths.
pub(super) const HEIGHT: f64 = 190.0;
/// The height of one of several rows on the screen, in pixels (arbitrary: five rows and their heading fit a laptop's screen).
const ROW_HEIGHT: f64 = 58.0;
/// If two labels of the x axis are closer than this share of the width, the second one is hidden on a narrow page.
const CLOSE: f64 = 0.2;

/// The distance between the words of two marks, in pixels: a line of text.
const MARK_LINE: f64 = 14.0;
/// The most lines for the words of marks (arbitrary: further marks begin at the top again). The style sheet makes room for as many.
const MOST_MARK_LINES: usize = 6;

/// A chart, ready to be drawn.
pub(super) struct Frame<'a> {
    /// The name of the chart within the page, of letters, digits and dashes.
    pub(super) id: &'a str,
    pub(super) title: &'a str,
    /// A sentence that says what is drawn.
    pub(super) about: &'a str,
    pub(super) x: &'a [Tick],
    pub(super) y: &'a [Tick],
    /// The marked instants, each with its place on the x axis, from 0 to 1, and its meaning.
    pub(super) marks: &'a [(f64, &'a str)],
    pub(super) rows: &'a [Row],
    /// A sentence that says which figures are missing, and why; empty if none are.
    pub(super) missing: &'a str,
    /// The commands that make the chart again.
    pub(super) commands: &'a [&'a str],
}

/// One plot of a chart.
pub(super) struct Row {
    /// The run that the row shows; `None` if the chart has a single row.
    pub(super) name: Option<Name>,
    /// A description of the row, for screen readers.
    pub(super) described: String,
    /// The most important figure, for the end of the row.
    pub(super) figure: String,
    pub(super) lines: Vec<Drawn>,
    pub(super) columns: Vec<Column>,
}

/// The name of a row.
pub(super) struct Name {
    pub(super) label: String,
    /// The class of the run's colour.
    pub(super) look: String,
    /// A sentence that says what the strategy does; empty if the page has said it already.
    pub(super) about: String,
}

/// A line of a chart.
pub(super) struct Drawn {
    /// The name of the run that the line shows, or of what it shows of all runs.
    pub(super) label: String,
    /// The classes of the line in the style sheet.
    pub(super) class: String,
    /// The path of the line, within [`WIDTH`] and [`HEIGHT`]; empty if there is nothing to draw.
    pub(super) path: String,
}

/// A part of the width, and the figures that the page shows while the pointer is there.
pub(super) struct Column {
    /// The left edge, from 0 to 1.
    pub(super) from: f64,
    /// The right edge, from 0 to 1.
    pub(super) to: f64,
    pub(super) figures: String,
}

/// Converts a place, from 0 (bottom) to 1 (top), into the y coordinate of a path.
pub(super) fn down(place: f64) -> f64 {
    (1.0 - place) * HEIGHT
}

impl Frame<'_> {
    pub(super) fn write(&self, page: &mut Markup) {
        page.new_line();
        page.element("figure", &[("class", "chart"), ("id", self.id)], |figure| {
            figure.element("figcaption", &[], |caption| {
                caption.line("h4", &[], self.title);
                caption.line("p", &[], self.about);
            });
            for (index, row) in self.rows.iter().enumerate() {
                self.row(index, row, figure);
            }
            if !self.missing.is_empty() {
                figure.line("p", &[("class", "missing")], self.missing);
            }
            for command in self.commands {
                tables::command(command, figure);
            }
        });
    }

    /// The height of a plot on the screen, in pixels.
    fn height(&self) -> f64 {
        if self.rows.len() > 1 { ROW_HEIGHT } else { HEIGHT }
    }

    /// The number of lines above the first row for the words of the marks.
    fn mark_lines(&self) -> usize {
        self.marks.len().min(MOST_MARK_LINES)
    }

    fn row(&self, index: usize, row: &Row, figure: &mut Markup) {
        let last = index + 1 == self.rows.len();
        let class = match (&row.name, index, last) {
            (None, ..) => "row alone",
            (Some(_), 0, _) => "row first",
            (Some(_), _, true) => "row last",
            _ => "row",
        };
        let mark_lines = self.mark_lines();
        let class = if index == 0 && mark_lines > 1 {
            format!("{class} marks{mark_lines}")
        } else {
            class.to_owned()
        };
        figure.new_line();
        figure.element("div", &[("class", &class)], |cells| {
            if let Some(name) = &row.name {
                cells.element("div", &[("class", "name")], |cell| {
                    cell.element("p", &[], |label| {
                        swatch(&name.look, label);
                        label.text(&name.label);
                    });
                    if !name.about.is_empty() {
                        cell.line("p", &[("class", "aside")], &name.about);
                    }
                });
            }
            cells.element("div", &[("class", "plot")], |plot| self.svg(index, row, plot));
            if !row.figure.is_empty() {
                cells.line("p", &[("class", "figure")], &row.figure);
            }
        });
    }

    fn svg(&self, index: usize, row: &Row, plot: &mut Markup) {
        let id = if self.rows.len() > 1 {
            format!("{}-{index}", self.id)
        } else {
            self.id.to_owned()
        };
        let (title, description) = (format!("{id}-title"), format!("{id}-about"));
        let height = format!("{}", self.height());
        let named = format!("{title} {description}");
        let attributes = [
            ("xmlns", "http://www.w3.org/2000/svg"),
            ("role", "img"),
            ("aria-labelledby", named.as_str()),
            ("width", "100%"),
            ("height", &height),
        ];
        let name = row.name.as_ref().map(|name| format!("{}: {}", self.title, name.label));
        plot.element("svg", &attributes, |svg| {
            svg.line("title", &[("id", &title)], name.as_deref().unwrap_or(self.title));
            svg.line("desc", &[("id", &description)], &row.described);
            self.axes(index, svg);
            let view = format!("0 0 {WIDTH} {HEIGHT}");
            let stretched = [
                ("width", "100%"),
                ("height", height.as_str()),
                ("viewBox", &view),
                ("preserveAspectRatio", "none"),
                ("class", "lines"),
            ];
            svg.element("svg", &stretched, |lines| {
                for drawn in row.lines.iter().filter(|drawn| !drawn.path.is_empty()) {
                    lines.new_line();
                    let attributes = [
                        ("class", drawn.class.as_str()),
                        ("data-run", &drawn.label),
                        ("d", &drawn.path),
                    ];
                    lines.element("path", &attributes, |path| path.line("title", &[], &drawn.label));
                }
            });
            self.under_the_pointer(row, svg);
        });
    }

    /// Writes the grid of a row. The words of the marks are above the first row, each on a line of its own because marks can be close
    /// to each other. The labels of the x axis are below the last row.
    fn axes(&self, index: usize, svg: &mut Markup) {
        for tick in self.y {
            let y = format!("{:.1}", (1.0 - tick.place) * self.height());
            let grid = [("class", "grid"), ("x1", "0"), ("x2", "100%"), ("y1", &y), ("y2", &y)];
            svg.empty("line", &grid);
            svg.line(
                "text",
                &[("class", "y"), ("x", "-8"), ("y", &y), ("dy", "4")],
                &tick.label,
            );
        }
        let bottom = format!("{}", self.height());
        let below = format!("{}", self.height() + 18.0);
        let mut last_kept = f64::NEG_INFINITY;
        for tick in self.x {
            let x = percent(tick.place);
            svg.empty(
                "line",
                &[("class", "grid"), ("x1", &x), ("x2", &x), ("y1", "0"), ("y2", &bottom)],
            );
            if index + 1 < self.rows.len() {
                continue;
            }
            let close = tick.place - last_kept < CLOSE;
            if !close {
                last_kept = tick.place;
            }
            // A label at the right edge ends there, so that it does not stick out of the page.
            let class = match (close, tick.place > 0.97) {
                (false, false) => "x",
                (false, true) => "x end",
                (true, false) => "x wide",
                (true, true) => "x end wide",
            };
            svg.line("text", &[("class", class), ("x", &x), ("y", &below)], &tick.label);
        }
        let mark_lines = self.mark_lines();
        for (mark, (place, what)) in self.marks.iter().enumerate() {
            let x = percent(*place);
            let lines_below = if index == 0 {
                mark_lines - 1 - mark % mark_lines
            } else {
                0
            };
            let words = -9.0 - MARK_LINE * lines_below as f64;
            let (top, words) = (format!("{}", words + 3.0), format!("{words}"));
            svg.empty(
                "line",
                &[("class", "mark"), ("x1", &x), ("x2", &x), ("y1", &top), ("y2", &bottom)],
            );
            let class = if *place > 0.7 { "mark end" } else { "mark" };
            if index == 0 {
                svg.line("text", &[("class", class), ("x", &x), ("y", &words)], what);
            }
        }
    }

    fn under_the_pointer(&self, row: &Row, svg: &mut Markup) {
        let height = format!("{}", self.height());
        for column in &row.columns {
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
