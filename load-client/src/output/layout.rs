//! How wide text may be.

use std::{env, os::fd::AsFd};

/// The width where there is no terminal and no `COLUMNS` (arbitrary: what most terminals begin with).
const DEFAULT_WIDTH: usize = 80;
/// No width is taken to be less (arbitrary: a word and a figure fit).
const LEAST_WIDTH: usize = 40;
/// Sentences are not longer than this, however wide the terminal is (arbitrary: longer lines are hard to read).
const LONGEST_SENTENCE: usize = 100;

/// The room that a text has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// Columns of a line.
    pub width: usize,
}

impl Default for Layout {
    fn default() -> Self {
        Self { width: DEFAULT_WIDTH }
    }
}

impl Layout {
    /// As wide as the environment's `COLUMNS` says, else as the terminal behind `stream`, else 80 columns.
    pub fn of(stream: impl AsFd) -> Self {
        let columns = env::var("COLUMNS").ok();
        let columns = columns.and_then(|columns| columns.trim().parse().ok());
        let size = || rustix::termios::tcgetwinsize(stream).map(|size| usize::from(size.ws_col));
        let width = columns.or_else(|| size().ok()).filter(|columns| *columns > 0);
        Self {
            width: width.unwrap_or(DEFAULT_WIDTH).max(LEAST_WIDTH),
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
