//! The flags of a recorded load, and the reading of its file.

use std::{path::PathBuf, time::Duration};

use clap::Args;

use super::values::{positive_duration, separator, speed, time_zone};
use crate::{
    arrival::trace::{self, TimeUnit, TraceError, TraceFormat},
    scenario::Schedule,
    ui::console::say,
};

/// A recorded load.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Load")]
pub(super) struct TraceArgs {
    /// Replay a CSV file. Its rows are dealt to the clients in turn
    #[arg(long, env = "LOAD_TRACE", value_name = "FILE", requires = "trace_time_column")]
    pub(super) trace: Option<PathBuf>,

    /// Column of the trace with the times: numbers or timestamps. Only their differences matter
    #[arg(long, env = "LOAD_TRACE_TIME_COLUMN", value_name = "NAME", requires = "trace")]
    trace_time_column: Option<String>,

    /// Unit of the times, if they are numbers [default: s, unless the numbers are too large for it]
    #[arg(long, env = "LOAD_TRACE_TIME_UNIT", value_name = "UNIT", requires = "trace")]
    trace_time_unit: Option<TimeUnit>,

    /// Time zone of timestamps that name none, such as UTC, +02:00 or Europe/Berlin [default: UTC, if no timestamp names a
    /// zone]
    #[arg(long, env = "LOAD_TRACE_TIME_ZONE", value_name = "ZONE", requires = "trace", value_parser = time_zone)]
    trace_time_zone: Option<jiff::tz::TimeZone>,

    /// Separator of the columns: a character, or comma, semicolon, tab or pipe [default: comma, or what separates a header
    /// that has no comma]
    #[arg(long, env = "LOAD_TRACE_SEPARATOR", value_name = "CHAR", requires = "trace", value_parser = separator)]
    trace_separator: Option<u8>,

    /// Column of the trace with the service demands
    #[arg(long, env = "LOAD_TRACE_DEMAND_COLUMN", value_name = "NAME", requires = "trace")]
    trace_demand_column: Option<String>,

    /// Service demand of one unit in that column
    #[arg(long, env = "LOAD_TRACE_DEMAND_UNIT", default_value = "1ms", value_parser = positive_duration)]
    trace_demand_unit: Duration,

    /// How many times faster than recorded to replay the trace. Demands stay as they are
    #[arg(long, env = "LOAD_SPEED", default_value = "1x", value_parser = speed)]
    speed: f64,
}

impl TraceArgs {
    /// The recorded schedule; `None` if none is asked for. Says which unit it takes the times to have, where nothing else does.
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
