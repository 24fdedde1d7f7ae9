//! How wide text may be, and whether it may have colours.

use std::{
    env,
    io::{self, IsTerminal},
};

/// The width where there is no terminal and no `COLUMNS` (arbitrary: what most terminals begin with).
const DEFAULT_WIDTH: usize = 80;
/// No width is taken to be less (arbitrary: a word and a figure fit).
const LEAST_WIDTH: usize = 40;
/// Sentences are not longer than this, however wide the terminal is (arbitrary: longer lines are hard to read).
const LONGEST_SENTENCE: usize = 100;

/// The paper that a report is printed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// Columns of a line.
    pub width: usize,
    /// Whether escape sequences for colours are understood and wanted.
    pub colour: bool,
}

impl Default for Layout {
    fn default() -> Self {
        Self {
            width: DEFAULT_WIDTH,
            colour: false,
        }
    }
}

impl Layout {
    /// What standard output is: as wide as `COLUMNS` says, else as its terminal, else 80 columns. Colours are for terminals
    /// only, and not if `NO_COLOR` is set.
    pub fn of_stdout() -> Self {
        let stdout = io::stdout();
        let terminal = stdout.is_terminal();
        let columns = env::var("COLUMNS").ok().and_then(|columns| columns.trim().parse().ok());
        let size = || {
            rustix::termios::tcgetwinsize(&stdout)
                .ok()
                .map(|size| usize::from(size.ws_col))
        };
        let width = columns.or_else(size).filter(|columns| *columns > 0);
        Self {
            width: width.unwrap_or(DEFAULT_WIDTH).max(LEAST_WIDTH),
            colour: terminal && env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
        }
    }

    /// How wide a sentence may be that begins after `indent` columns; beside an indent of any length there is some room.
    pub(crate) fn sentence(self, indent: usize) -> usize {
        self.width
            .min(LONGEST_SENTENCE)
            .saturating_sub(indent)
            .max(LEAST_WIDTH / 2)
    }
}

/// Breaks a text into lines at its spaces. A word that is longer than a line has a line of its own.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last_mut().expect("there is always a line");
        if line.is_empty() {
            line.push_str(word);
        } else if line.chars().count() + 1 + word.chars().count() <= width {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}
