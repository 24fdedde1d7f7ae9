//! The flags that say what is shown while something runs, and which files are written.

use std::path::PathBuf;

use clap::Args;

use crate::ui::progress::ProgressStyle;

/// What to show, and where.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub struct OutputArgs {
    /// Also write the report to a file, as JSON (schema load-client/report/v1). An older file of that name is
    /// removed when the run begins
    #[arg(long, env = "LOAD_JSON", value_name = "FILE")]
    pub json: Option<PathBuf>,

    /// Also write the report to a file, as one page for a browser: charts and tables, nothing loaded from elsewhere. An older file of that name is
    /// removed when the run begins
    #[arg(long, env = "LOAD_HTML", value_name = "FILE")]
    pub html: Option<PathBuf>,

    /// Also write the time series to a file, as CSV: a line per run and step. An older file of that name is
    /// removed when the run begins
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
    /// Plain lines on stderr while it runs, even on a terminal; with NO_COLOR set, the live view has no colours
    #[arg(long, env = "LOAD_NO_TUI")]
    no_tui: bool,

    /// No progress
    #[arg(short, long, env = "LOAD_QUIET")]
    pub quiet: bool,
}

impl ProgressArgs {
    /// The same in one word.
    pub fn manner(&self) -> ProgressStyle {
        match (self.quiet, self.no_tui) {
            (true, _) => ProgressStyle::Nothing,
            (false, true) => ProgressStyle::Lines,
            (false, false) => ProgressStyle::View,
        }
    }
}
