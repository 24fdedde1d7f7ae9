//! The flags that say what is shown while something runs, and which files are written.

use std::path::PathBuf;

use clap::Args;

use crate::ui::progress::ProgressStyle;

/// What to show, and where.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub struct OutputArgs {
    /// Also write the report as JSON (schema load-client/report/v1). An older file of that name is removed when the run
    /// begins
    #[arg(long, env = "LOAD_JSON", value_name = "FILE")]
    pub json: Option<PathBuf>,

    /// Also write the report as one HTML page with charts and tables. The page loads nothing. An older file of that name is
    /// removed when the run begins
    #[arg(long, env = "LOAD_HTML", value_name = "FILE")]
    pub html: Option<PathBuf>,

    /// Also write the time series as CSV, with one line for each run and step. An older file of that name is removed when
    /// the run begins
    #[arg(long, env = "LOAD_CSV", value_name = "FILE")]
    pub csv: Option<PathBuf>,

    /// What to show while it runs.
    #[command(flatten)]
    pub progress: ProgressArgs,
}

/// What to show while something runs.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub struct ProgressArgs {
    /// Show the progress as plain lines on stderr, even on a terminal. (NO_COLOR removes the colours of the live view)
    #[arg(long, env = "LOAD_NO_TUI")]
    no_tui: bool,

    /// Show no progress
    #[arg(short, long, env = "LOAD_QUIET")]
    pub quiet: bool,
}

impl ProgressArgs {
    /// How progress is shown: `--quiet` wins over `--no-tui`.
    pub fn manner(&self) -> ProgressStyle {
        match (self.quiet, self.no_tui) {
            (true, _) => ProgressStyle::Nothing,
            (false, true) => ProgressStyle::Lines,
            (false, false) => ProgressStyle::View,
        }
    }
}
