//! The flags of a recorded load, and the reading of its file.

use std::{path::PathBuf, time::Duration};

use clap::Args;

use super::values::{positive_duration, separator, speed, time_zone};
use crate::{
    arrival::trace::{self, TimeUnit, TraceError, TraceFormat},
    scenario::Schedule,
    ui::console::say,
};

/// The flags for a recorded load.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Load")]
pub(super) struct TraceArgs {
    /// CSV file to replay. Its rows go to the clients in turn
    #[arg(long, env = "LOAD_TRACE", value_name = "FILE", requires = "trace_time_column")]
    pub(super) trace: Option<PathBuf>,

    /// Column of the trace with the times: numbers or timestamps. Only the differences between them matter
    #[arg(long, env = "LOAD_TRACE_TIME_COLUMN", value_name = "NAME", requires = "trace")]
    trace_time_column: Option<String>,

    /// Unit of the times, if they are numbers [default: s, or a smaller unit if the numbers are too large for seconds]
    #[arg(long, env = "LOAD_TRACE_TIME_UNIT", value_name = "UNIT", requires = "trace")]
    trace_time_unit: Option<TimeUnit>,

    /// Time zone of timestamps without a zone, such as UTC, +02:00 or Europe/Berlin [default: UTC, if no timestamp has a
    /// zone]
    #[arg(long, env = "LOAD_TRACE_TIME_ZONE", value_name = "ZONE", requires = "trace", value_parser = time_zone)]
    trace_time_zone: Option<jiff::tz::TimeZone>,

    /// Separator of the columns: a character, or comma, semicolon, tab or pipe [default: comma, or the separator in a header
    /// without commas]
    #[arg(long, env = "LOAD_TRACE_SEPARATOR", value_name = "CHAR", requires = "trace", value_parser = separator)]
    trace_separator: Option<u8>,

    /// Column of the trace with the service demands
    #[arg(long, env = "LOAD_TRACE_DEMAND_COLUMN", value_name = "NAME", requires = "trace")]
    trace_demand_column: Option<String>,

    /// Service demand of one unit in the demand column
    #[arg(long, env = "LOAD_TRACE_DEMAND_UNIT", default_value = "1ms", value_parser = positive_duration)]
    trace_demand_unit: Duration,

    /// Factor by which the trace is replayed faster than it was recorded. Demands do not change
    #[arg(long, env = "LOAD_SPEED", default_value = "1x", value_parser = speed)]
    speed: f64,
}

impl TraceArgs {
    /// Whether the trace is to be replayed at another speed than it was recorded.
    pub(super) fn is_faster(&self) -> bool {
        (self.speed - 1.0).abs() > f64::EPSILON
    }

    /// The recorded schedule; `None` without `--trace`. If no flag names the unit of the times, it prints the unit that it assumes.
    pub(super) fn schedule(&self) -> Result<Option<Schedule>, TraceError> {
        let Some(path) = &self.trace else { return Ok(None) };
        let demand = self.trace_demand_column.clone();
        let format = TraceFormat {
            time_unit: self.trace_time_unit,
            time_zone: self.trace_time_zone.clone(),
            separator: self.trace_separator,
            demand: demand.map(|column| (column, self.trace_demand_unit)),
            speed: self.speed,
            ..TraceFormat::new(self.trace_time_column.clone().unwrap_or_default())
        };
        let recording = trace::read_file(path, &format)?;
        if let Some(note) = &recording.note {
            say(note);
        }
        Ok(Some(Schedule::Trace(recording.rows.into())))
    }
}
