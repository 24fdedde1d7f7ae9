//! What this program prints: the report on standard output, everything else on standard error. All of it is escaped, so that
//! no peer's words reach the terminal as commands.

use std::{
    cell::RefCell,
    env,
    io::{self, IsTerminal, Write},
    os::fd::AsFd,
};

pub use super::terminal::say;
use crate::{
    plain,
    present::{gates::coloured, layout::Layout},
};

/// Where the text of a report goes. A closed pipe or terminal is no error, because its reader has seen enough. Every other
/// failure is kept for [`Screen::finish`], and the run goes on.
#[derive(Debug, Default)]
pub struct Screen {
    /// Whether the text goes to standard error, because standard output is used for a file of the report.
    aside: bool,
    failed: RefCell<Option<io::Error>>,
}

impl Screen {
    /// A screen on standard output; or on standard error, if `aside` says that standard output is used for a file of
    /// the report.
    pub fn new(aside: bool) -> Self {
        Self {
            aside,
            failed: RefCell::default(),
        }
    }

    /// Prints a part of the report, and a line break after it.
    pub fn show(&self, text: &str) {
        let mut text = plain::lines(text).into_owned();
        text.push('\n');
        self.write(text.as_bytes());
    }

    /// Prints how the rules were judged, in colours if the output is a terminal and `NO_COLOR` is not set.
    pub fn show_gates(&self, text: &str) {
        let terminal = if self.aside {
            io::stderr().is_terminal()
        } else {
            io::stdout().is_terminal()
        };
        let wanted = env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        if terminal && wanted {
            self.write(format!("{}\n", coloured(&plain::lines(text))).as_bytes());
        } else {
            self.show(text);
        }
    }

    /// How wide a text may be on this console.
    pub fn layout(&self) -> Layout {
        if self.aside {
            layout_of(io::stderr())
        } else {
            layout_of(io::stdout())
        }
    }

    /// Prints bytes as they are.
    pub fn write(&self, bytes: &[u8]) {
        if self.aside {
            // If standard error cannot be written, there is nowhere to report that.
            let _ = io::stderr().write_all(bytes);
            return;
        }
        let mut stdout = io::stdout().lock();
        if let Err(error) = stdout.write_all(bytes).and_then(|()| stdout.flush()) {
            self.failed.borrow_mut().get_or_insert(error);
        }
    }

    /// Ends the output, and reports whether it was written.
    ///
    /// # Errors
    ///
    /// The first failure to write, unless the reader has closed the pipe or the terminal is gone.
    pub fn finish(self) -> io::Result<()> {
        match self.failed.into_inner() {
            Some(error) if error.kind() != io::ErrorKind::BrokenPipe && !is_of_a_terminal(&error) => Err(
                io::Error::new(error.kind(), format!("cannot write to standard output: {error}")),
            ),
            _ => Ok(()),
        }
    }
}

/// Whether `error` means that standard output was a terminal that is gone: the system then reports EIO.
#[cfg(unix)]
fn is_of_a_terminal(error: &io::Error) -> bool {
    use std::{fs::File, os::unix::fs::FileTypeExt};
    let stdout = io::stdout().as_fd().try_clone_to_owned().map(File::from);
    let is_device = |file: File| {
        file.metadata()
            .is_ok_and(|metadata| metadata.file_type().is_char_device())
    };
    error.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error()) && stdout.is_ok_and(is_device)
}

#[cfg(not(unix))]
fn is_of_a_terminal(_: &io::Error) -> bool {
    false
}

/// The layout of text on `stream`: as many columns as the environment variable `COLUMNS` says, or else as its terminal
/// has.
fn layout_of(stream: impl AsFd) -> Layout {
    let columns = env::var("COLUMNS").ok();
    let columns = columns.and_then(|columns| columns.trim().parse().ok());
    let size = || rustix::termios::tcgetwinsize(stream).map(|size| usize::from(size.ws_col));
    Layout::of(columns.or_else(|| size().ok()).filter(|columns| *columns > 0))
}
