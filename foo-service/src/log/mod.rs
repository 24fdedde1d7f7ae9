//! The log. A thread of its own writes the lines to standard error, so a standard error that is full or gone does not stop the
//! service. Lines that cannot be written, and lines that find too many others waiting, are lost and counted.

mod writer;

use std::{io::IsTerminal, time::Duration};

use tracing_subscriber::{EnvFilter, fmt::format::FmtSpan};

pub use self::writer::{LogWriter, LostLines};

/// How long the end of the program waits for the last lines. A reader that does not read cannot hold it up for longer.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(1);

/// How lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// Time, level and message, then key=value
    Text,
    /// One JSON object per line, with timestamp, level, message and the fields
    Json,
}

/// The log of a program that has started it; dropped, it writes what is left, within a second.
#[derive(Debug)]
pub struct Log {
    writer: LogWriter,
}

impl Log {
    /// Starts logging for the whole process, panics included. `filter` is what `RUST_LOG` says; `None` means info.
    ///
    /// # Errors
    ///
    /// What is wrong with the filter, with its words.
    pub fn start(format: LogFormat, filter: Option<&str>) -> Result<Self, String> {
        let filter = EnvFilter::builder().parse(filter.unwrap_or("info")).map_err(|error| {
            format!(
                "RUST_LOG={}: {error}; write a level, such as debug, or levels by module, such as foo_service=debug,info",
                filter.unwrap_or_default()
            )
        })?;
        let writer = LogWriter::start(std::io::stderr());
        let lines = writer.clone();
        let to_log = tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_span_events(FmtSpan::NONE)
            .with_writer(move || lines.clone());
        match format {
            LogFormat::Text => {
                let colours =
                    std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|no| no.is_empty());
                to_log.with_ansi(colours).init();
            }
            LogFormat::Json => to_log.json().flatten_event(true).init(),
        }
        let panicked = writer.clone();
        // The standard hook writes to standard error itself, and waits for a reader that does not read.
        std::panic::set_hook(Box::new(move |panic| {
            tracing::error!("{panic}: this is a bug");
            panicked.flush(FLUSH_TIMEOUT);
        }));
        Ok(Self { writer })
    }

    /// How many lines are lost.
    pub fn lost(&self) -> LostLines {
        self.writer.lost()
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.writer.flush(FLUSH_TIMEOUT);
    }
}
