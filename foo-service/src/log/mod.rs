//! The log. A thread of its own writes the lines to standard error, so a standard error that is full or gone does not stop the
//! service. A line that cannot be written, or that comes while too many others wait, is lost and counted.

mod writer;

use std::{io::IsTerminal, time::Duration};

use tracing_subscriber::{EnvFilter, fmt::format::FmtSpan};

pub use self::writer::{LogWriter, LostLines};

/// How long the program waits for the last lines before it ends, so that a reader that does not read cannot keep it running.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(1);

/// The format of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// Time, level and message, then key=value
    Text,
    /// One JSON object per line, with timestamp, level, message and the fields
    Json,
}

/// The log of a running program. Dropping it writes the remaining lines, for at most one second.
#[derive(Debug)]
pub struct Log {
    writer: LogWriter,
}

impl Log {
    /// Starts the log for the whole process, panics included. `filter` is the value of `RUST_LOG`. `None` means level info, and
    /// level warn for the client library of the shared queue, which logs each of its events at info.
    ///
    /// # Errors
    ///
    /// If the filter is invalid: what is wrong, with a quotation.
    pub fn start(format: LogFormat, filter: Option<&str>) -> Result<Self, String> {
        let filter = parsed(filter.unwrap_or("info,async_nats=warn"))?;
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
        // The standard hook writes to standard error directly, and would block if its reader does not read.
        std::panic::set_hook(Box::new(move |panic| {
            tracing::error!("{panic}: this is a bug");
            panicked.flush(FLUSH_TIMEOUT);
        }));
        Ok(Self { writer })
    }

    /// A counter of the lines that are lost.
    pub fn lost(&self) -> LostLines {
        self.writer.lost()
    }
}

fn parsed(filter: &str) -> Result<EnvFilter, String> {
    let wrong = |what: &str| {
        format!(
            "RUST_LOG={filter}: {what}; write a level, such as debug, or levels by module, such as foo_service=debug,info"
        )
    };
    // The library takes a word without a level for the name of a module: a mistyped level would silence the log.
    if let Some((word, level)) = filter
        .split(',')
        .find_map(|word| Some((word.trim(), meant_level(word.trim())?)))
    {
        return Err(wrong(&format!("there is no level {word}: did you mean {level}?")));
    }
    EnvFilter::builder()
        .parse(filter)
        .map_err(|error| wrong(&error.to_string()))
}

/// The level that was probably meant by a mistyped word.
fn meant_level(word: &str) -> Option<&'static str> {
    const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];
    /// How similar a word must be to a level (arbitrary: "warning" counts as one, "tower" does not).
    const LEAST: f64 = 0.8;
    let word = word.to_lowercase();
    // The library also accepts numbers as levels.
    if LEVELS.contains(&word.as_str()) || word.parse::<u8>().is_ok() {
        return None;
    }
    LEVELS
        .into_iter()
        .find(|level| strsim::jaro_winkler(&word, level) > LEAST)
}

impl Drop for Log {
    fn drop(&mut self) {
        self.writer.flush(FLUSH_TIMEOUT);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistyped_level_is_refused_and_the_name_of_a_module_is_not() {
        for (filter, level) in [
            ("inof", "info"),
            ("Warning", "warn"),
            ("foo_service=debug, eror", "error"),
        ] {
            let error = parsed(filter).unwrap_err();
            assert!(error.contains(&format!("did you mean {level}?")), "{error}");
        }
        for filter in [
            "info",
            "INFO",
            "3",
            "h2",
            "tower",
            "tonic",
            "foo_service",
            "hyper=off,warn",
            "[call]=debug",
        ] {
            assert!(parsed(filter).is_ok(), "{filter}");
        }
    }
}
