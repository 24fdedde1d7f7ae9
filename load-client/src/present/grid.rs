//! Tables of text that fit a width. Text breaks at spaces only, so a line is longer than the width only if a word is.
//! Columns that have no room on the right go into another table below.

use super::layout::wrap;
use crate::units::SharedUnit;

/// The text of a cell without a figure.
pub(crate) const MISSING: &str = "–";

/// The number of spaces between two columns.
const GAP: usize = 2;
/// The most lines of a head. If it needs more, its column becomes wider than its cells.
const HEAD_LINES: usize = 6;

/// The cells of a column of times, all in one unit. `values` are in seconds.
pub(crate) fn times_in_one_unit(values: &[Option<f64>], virtual_time: bool) -> Vec<String> {
    let unit = SharedUnit::of(values.iter().copied().flatten(), virtual_time);
    let cells = values.iter();
    cells
        .map(|value| value.map_or_else(|| MISSING.to_owned(), |value| unit.show(value)))
        .collect()
}

/// A table. Its first column begins every row, and is repeated where the table has to be split.
#[derive(Debug, Default)]
pub(crate) struct Grid {
    columns: Vec<Column>,
}

/// A column: its head, and a cell for each row.
#[derive(Debug)]
pub(crate) struct Column {
    pub(crate) head: String,
    pub(crate) cells: Vec<String>,
    pub(crate) kind: Kind,
    /// If the table must be split, it is best split before this column.
    pub(crate) begins_part: bool,
}

/// The kind of the cells in a column, and how they are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Names: to the left, on one line.
    Name,
    /// Words: to the left, on several lines if there is no room.
    Words,
    /// Figures: to the right.
    Figures,
}

/// A column with a width.
struct Fitted<'a> {
    column: &'a Column,
    width: usize,
}

impl Column {
    pub(crate) fn new(kind: Kind, head: impl Into<String>, cells: Vec<String>) -> Self {
        Self {
            head: head.into(),
            cells,
            kind,
            begins_part: false,
        }
    }

    fn widest_cell(&self) -> usize {
        self.cells.iter().map(|cell| length(cell)).max().unwrap_or(0)
    }

    /// The least width with which the head has at most `lines` lines.
    fn width(&self, lines: usize) -> usize {
        let least = self.head.split_whitespace().map(length).max().unwrap_or(0);
        let least = least.max(self.widest_cell());
        let most = least.max(length(&self.head));
        (least..most)
            .find(|width| wrap(&self.head, *width).len() <= lines)
            .unwrap_or(most)
    }

    /// The least width of the column if its cells may be broken into lines: that of the longest word.
    fn least_width(&self) -> usize {
        let texts = self.cells.iter().chain([&self.head]);
        let words = texts.flat_map(|text| text.split_whitespace());
        words.map(length).max().unwrap_or(0)
    }
}

impl Grid {
    pub(crate) fn new(columns: Vec<Column>) -> Self {
        Self { columns }
    }

    /// The table in lines of at most `width` columns, each with its line break.
    pub(crate) fn text(&self, width: usize) -> String {
        let all: Vec<&Column> = self.columns.iter().collect();
        let mut text = String::new();
        for part in parts(&all, width) {
            if !text.is_empty() {
                text.push('\n');
            }
            write(&fit(&part, width), &mut text);
        }
        text
    }
}

/// Splits a table into tables that fit the width.
fn parts<'a>(columns: &[&'a Column], width: usize) -> Vec<Vec<&'a Column>> {
    let fits = |columns: &[&Column]| total(&fit(columns, width)) <= width;
    let Some((name, rest)) = columns.split_first().filter(|_| !fits(columns)) else {
        return vec![columns.to_vec()];
    };
    let wanted = rest
        .iter()
        .skip(1)
        .position(|column| column.begins_part)
        .map(|at| at + 1);
    let wanted = wanted.filter(|at| fits(&[&[*name], &rest[..*at]].concat()));
    let most = (1..=rest.len()).take_while(|count| fits(&[&[*name], &rest[..*count]].concat()));
    let at = wanted.or(most.last()).unwrap_or(1);
    let mut parts = vec![[&[*name], &rest[..at]].concat()];
    if at < rest.len() {
        parts.extend(self::parts(&[&[*name], &rest[at..]].concat(), width));
    }
    parts
}

/// Gives every column a width. The heads have as few lines as the width allows. If the table is still too wide, columns of
/// words become narrower.
fn fit<'a>(columns: &[&'a Column], width: usize) -> Vec<Fitted<'a>> {
    let in_lines = |lines: usize| -> Vec<Fitted<'a>> {
        let fitted = columns.iter().map(|column| Fitted {
            column,
            width: column.width(lines),
        });
        fitted.collect()
    };
    let mut fitted = (1..=HEAD_LINES)
        .map(in_lines)
        .find(|fitted| total(fitted) <= width)
        .unwrap_or_else(|| in_lines(HEAD_LINES));
    let mut over = total(&fitted).saturating_sub(width);
    for words in fitted
        .iter_mut()
        .rev()
        .filter(|fitted| fitted.column.kind == Kind::Words)
    {
        let less = words.width.saturating_sub(words.column.least_width()).min(over);
        words.width -= less;
        over -= less;
    }
    fitted
}

fn total(columns: &[Fitted<'_>]) -> usize {
    columns.iter().map(|column| column.width).sum::<usize>() + GAP * columns.len().saturating_sub(1)
}

fn write(columns: &[Fitted<'_>], text: &mut String) {
    let heads: Vec<Vec<String>> = columns.iter().map(|one| wrap(&one.column.head, one.width)).collect();
    if columns.iter().any(|one| !one.column.head.is_empty()) {
        let lines = heads.iter().map(Vec::len).max().unwrap_or(0);
        for line in 0..lines {
            // Short heads begin lower, so that every head ends right above its cells.
            let words = heads
                .iter()
                .map(|head| (line + head.len()).checked_sub(lines).and_then(|at| head.get(at)));
            write_line(columns, words, text);
        }
    }
    let rows = columns.iter().map(|one| one.column.cells.len()).max().unwrap_or(0);
    for row in 0..rows {
        let cells: Vec<Vec<String>> = columns
            .iter()
            .map(|one| match (one.column.cells.get(row), one.column.kind) {
                (None, _) => Vec::new(),
                (Some(cell), Kind::Words) => wrap(cell, one.width),
                (Some(cell), Kind::Name | Kind::Figures) => vec![cell.clone()],
            })
            .collect();
        let lines = cells.iter().map(Vec::len).max().unwrap_or(0);
        for line in 0..lines {
            write_line(columns, cells.iter().map(|cell| cell.get(line)), text);
        }
    }
}

fn write_line<'a>(columns: &[Fitted<'_>], words: impl Iterator<Item = Option<&'a String>>, text: &mut String) {
    let mut line = String::new();
    for (one, word) in columns.iter().zip(words) {
        let word = word.map_or("", String::as_str);
        let space = " ".repeat(one.width.saturating_sub(length(word)));
        match one.column.kind {
            Kind::Figures => line.extend([&space, word]),
            Kind::Name | Kind::Words => line.extend([word, &space]),
        }
        line.push_str(&" ".repeat(GAP));
    }
    text.push_str(line.trim_end());
    text.push('\n');
}

fn length(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(kind: Kind, head: &str, cells: &[&str]) -> Column {
        Column::new(kind, head, cells.iter().map(|cell| (*cell).to_owned()).collect())
    }

    fn runs() -> Grid {
        let mut queue = column(Kind::Figures, "queue at end of load", &["80", "0"]);
        queue.begins_part = true;
        Grid::new(vec![
            column(Kind::Name, "", &["async", "sync"]),
            column(Kind::Figures, "scheduled", &["160", "160"]),
            column(Kind::Figures, "done", &["160", "81"]),
            queue,
            column(Kind::Figures, "most in system", &["81", "4"]),
        ])
    }

    #[test]
    fn a_table_has_its_heads_on_one_line_where_there_is_room() {
        let lines = [
            "       scheduled  done  queue at end of load  most in system",
            "async        160   160                    80              81",
            "sync         160    81                     0               4",
        ];
        assert_eq!(runs().text(60), lines.map(|line| line.to_owned() + "\n").concat());
    }

    #[test]
    fn heads_break_at_spaces_where_there_is_less_room() {
        let lines = [
            "                          queue    most",
            "                         at end      in",
            "       scheduled  done  of load  system",
            "async        160   160       80      81",
            "sync         160    81        0       4",
        ];
        assert_eq!(runs().text(43), lines.map(|line| line.to_owned() + "\n").concat());
    }

    #[test]
    fn a_table_without_room_is_split_where_a_part_begins() {
        let lines = [
            "       scheduled  done",
            "async        160   160",
            "sync         160    81",
            "",
            "         queue    most",
            "        at end      in",
            "       of load  system",
            "async       80      81",
            "sync         0       4",
        ];
        assert_eq!(runs().text(24), lines.map(|line| line.to_owned() + "\n").concat());
    }

    #[test]
    fn words_take_the_lines_that_they_need() {
        let grid = Grid::new(vec![
            column(Kind::Name, "", &["a", "b"]),
            column(Kind::Words, "why", &["one two three four", "five"]),
        ]);
        assert_eq!(grid.text(13), "   why\na  one two\n   three four\nb  five\n");
    }
}
