//! The time series as CSV: a line per run and step, for a spreadsheet or a plot.

use std::io::{self, Write};

use serde::Serialize;

use crate::report::Run;

/// A line; its fields are the columns. A missing value is empty.
#[derive(Serialize)]
struct Line<'a> {
    run: &'a str,
    t_seconds: f64,
    queue_depth: Option<u64>,
    in_system: Option<u64>,
    queue_bytes: Option<u64>,
    offered_rps: f64,
    goodput_rps: Option<f64>,
    time_to_done_p99_seconds: Option<f64>,
    response_time_p50_seconds: Option<f64>,
    response_time_p99_seconds: Option<f64>,
    resident_bytes: Option<u64>,
    concurrency_limit: Option<u64>,
}

/// Writes the series of all runs, one after the other.
pub fn write(out: &mut impl Write, runs: &[Run]) -> io::Result<()> {
    let mut csv = csv::Writer::from_writer(out);
    for run in runs {
        for point in &run.series {
            csv.serialize(Line {
                run: &run.name,
                t_seconds: point.t,
                queue_depth: point.queue_depth,
                in_system: point.in_system,
                queue_bytes: point.queue_bytes,
                offered_rps: point.offered_rps,
                goodput_rps: point.goodput_rps,
                time_to_done_p99_seconds: point.time_to_done_p99,
                response_time_p50_seconds: point.response_time_p50,
                response_time_p99_seconds: point.response_time_p99,
                resident_bytes: point.resident_bytes,
                concurrency_limit: point.concurrency_limit,
            })
            .map_err(io::Error::other)?;
        }
    }
    csv.flush()
}
