//! The width of a text.

use crate::units;

/// The width if there is no terminal and no `COLUMNS` (arbitrary: what most terminals begin with).
const DEFAULT_WIDTH: usize = 80;
/// The least width, even if the terminal is narrower (arbitrary: a word and a figure fit).
const LEAST_WIDTH: usize = 40;
/// Sentences are not longer than this, however wide the terminal is (arbitrary: longer lines are hard to read).
const LONGEST_SENTENCE: usize = 100;

/// The room that a text has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// The number of characters that a line may have.
    pub width: usize,
}

impl Default for Layout {
    fn default() -> Self {
        Self { width: DEFAULT_WIDTH }
    }
}

impl Layout {
    /// The layout for this number of columns, but at least 40; for 80 if the number is not known.
    pub fn of(columns: Option<usize>) -> Self {
        Self {
            width: columns.unwrap_or(DEFAULT_WIDTH).max(LEAST_WIDTH),
        }
    }

    /// The most characters of a line of a sentence that begins after `indent` columns. It is at least 20 for an indent of any
    /// length.
    pub(crate) fn sentence(self, indent: usize) -> usize {
        self.width
            .min(LONGEST_SENTENCE)
            .saturating_sub(indent)
            .max(LEAST_WIDTH / 2)
    }
}

/// Breaks a text into lines at its spaces, but not between a number and its unit. A word that is longer than a line has a
/// line of its own.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = vec![String::new()];
    let mut words = text.split_whitespace().peekable();
    while let Some(word) = words.next() {
        let is_unit = |next: &&str| units::NAMES.contains(&next.trim_end_matches(['.', ',', ';', ':', ')']));
        let unit = words.next_if(|next| word.ends_with(|last: char| last.is_ascii_digit()) && is_unit(next));
        let word = &unit.map_or_else(|| word.to_owned(), |unit| format!("{word} {unit}"));
        let line = lines.last_mut().expect("there is always a line");
        if line.is_empty() {
            line.push_str(word);
        } else if line.chars().count() + 1 + word.chars().count() <= width {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.clone());
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_stays_with_its_unit() {
        assert_eq!(wrap("It took 0.50 s.", 12), ["It took", "0.50 s."]);
        assert_eq!(wrap("10 of 24 (42 %) were", 12), ["10 of 24", "(42 %) were"]);
        assert_eq!(wrap("it has 3 sides", 8), ["it has 3", "sides"]);
    }
}
