//! The flags of a recorded load, and the reading of its file.

use std::{path::PathBuf, time::Duration};

use clap::Args;

use super::values::{positive_duration, separator, speed, time_zone};
use crate::{
    arrival::trace::{self, TimeUnit, TraceError, TraceFormat},
    scenario::Schedule,
    ui::console::say,
};

/// The service demand of one unit, if no flag gives it.
const DEMAND_UNIT: Duration = Duration::from_millis(1);

/// The flags for a recorded load.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Load")]
pub(super) struct TraceArgs {
    /// CSV file to replay; needs --trace-time-column. Its rows go to the clients in turn
    #[arg(long, env = "LOAD_TRACE", value_name = "FILE")]
    pub(super) trace: Option<PathBuf>,

    /// Column of the trace with the times: numbers or timestamps. Only the differences between them matter
    #[arg(long, env = "LOAD_TRACE_TIME_COLUMN", value_name = "NAME")]
    trace_time_column: Option<String>,

    /// Unit of the times, if they are numbers [default: s, or a smaller unit if the numbers are too large for seconds]
    #[arg(long, env = "LOAD_TRACE_TIME_UNIT", value_name = "UNIT")]
    trace_time_unit: Option<TimeUnit>,

    /// Time zone of timestamps without a zone, such as UTC, +02:00 or Europe/Berlin [default: UTC, if no timestamp has a
    /// zone]
    #[arg(long, env = "LOAD_TRACE_TIME_ZONE", value_name = "ZONE", value_parser = time_zone)]
    trace_time_zone: Option<jiff::tz::TimeZone>,

    /// Separator of the columns: a character, or comma, semicolon, tab or pipe [default: comma, or the separator in a header
    /// without commas]
    #[arg(long, env = "LOAD_TRACE_SEPARATOR", value_name = "CHAR", value_parser = separator)]
    trace_separator: Option<u8>,

    /// Column of the trace with the service demands
    #[arg(long, env = "LOAD_TRACE_DEMAND_COLUMN", value_name = "NAME")]
    trace_demand_column: Option<String>,

    /// Service demand of one unit in the demand column [default: 1ms]
    #[arg(long, env = "LOAD_TRACE_DEMAND_UNIT", value_parser = positive_duration)]
    trace_demand_unit: Option<Duration>,

    /// Factor by which the trace is replayed faster than it was recorded. Demands do not change [default: 1x]
    #[arg(long, env = "LOAD_SPEED", value_parser = speed)]
    speed: Option<f64>,
}

impl TraceArgs {
    /// These flags by their long names, each with whether it was given.
    pub(super) fn given(&self) -> [(&'static str, bool); 8] {
        [
            ("trace", self.trace.is_some()),
            ("trace-time-column", self.trace_time_column.is_some()),
            ("trace-time-unit", self.trace_time_unit.is_some()),
            ("trace-time-zone", self.trace_time_zone.is_some()),
            ("trace-separator", self.trace_separator.is_some()),
            ("trace-demand-column", self.trace_demand_column.is_some()),
            ("trace-demand-unit", self.trace_demand_unit.is_some()),
            ("speed", self.speed.is_some()),
        ]
    }

    /// The recorded schedule; `None` without `--trace`. If no flag names the unit of the times, it prints the unit that it assumes.
    pub(super) fn schedule(&self) -> Result<Option<Schedule>, TraceError> {
        let Some(path) = &self.trace else { return Ok(None) };
        // Not `requires` of clap: the name may stand in a lab file.
        let Some(column) = &self.trace_time_column else {
            return Err(TraceError::NoTimeColumn {
                file: path.display().to_string(),
            });
        };
        let demand = self.trace_demand_column.clone();
        let format = TraceFormat {
            time_unit: self.trace_time_unit,
            time_zone: self.trace_time_zone.clone(),
            separator: self.trace_separator,
            demand: demand.map(|column| (column, self.trace_demand_unit.unwrap_or(DEMAND_UNIT))),
            speed: self.speed.unwrap_or(1.0),
            ..TraceFormat::new(column.clone())
        };
        let recording = trace::read_file(path, &format)?;
        if let Some(note) = &recording.note {
            say(note);
        }
        Ok(Some(Schedule::Trace(recording.rows.into())))
    }
}
