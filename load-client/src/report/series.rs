//! The time series of a report.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::figures::seconds;
use crate::recorder::{Series, Slot};

/// A step of the series.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PointReport {
    /// Where the step begins, in seconds since the load began.
    pub t: f64,
    /// Messages on the queue, as last seen in the step; null if not seen.
    pub queue_depth: Option<u64>,
    /// Messages in the system, as last seen in the step; null if not seen.
    pub in_system: Option<u64>,
    /// Bytes in the queue, as last seen in the step; null if not seen.
    pub queue_bytes: Option<u64>,
    /// Requests scheduled in the step, per second.
    pub offered_rps: f64,
    /// Messages done in the step within the SLO, per second, by when they were done and not by when they were scheduled; null
    /// if it is not known when they were done.
    pub goodput_rps: Option<f64>,
    /// The 99th percentile of the times to done, in seconds, of the messages that were done in the step; null if none
    /// were.
    pub time_to_done_p99: Option<f64>,
    /// The median response time, in seconds, of the ok answers that came in the step, whenever they were scheduled;
    /// null if none came.
    #[serde(default)]
    pub response_time_p50: Option<f64>,
    /// The 99th percentile of the response times, in seconds, of the ok answers that came in the step; null if none
    /// came.
    #[serde(default)]
    pub response_time_p99: Option<f64>,
    /// Memory of the service's process, as last seen in the step; null if not seen, or if the service has no process of
    /// its own.
    #[serde(default)]
    pub resident_bytes: Option<u64>,
    /// The service's limit, as last seen in the step: how many requests it admits at once. It changes if --limit
    /// searches for it; null if not seen, or if the service does not report it.
    #[serde(default)]
    pub concurrency_limit: Option<u64>,
}

/// The points of a series. `done_is_known` says whether it is known when messages were done. `ok_means_done` says that
/// an ok answer means done, so that its response time is the time to done.
pub fn points(series: &Series, done_is_known: bool, ok_means_done: bool) -> Vec<PointReport> {
    let step = series.step().as_secs_f64();
    let response_time = |slot: &Slot, quantile| {
        let times = if ok_means_done {
            slot.time_to_done(quantile)
        } else {
            slot.response_time(quantile)
        };
        times.map(seconds)
    };
    let point = |(index, slot): (usize, &Slot)| PointReport {
        // Rounded to milliseconds, which removes the rounding errors of floats.
        t: (index as f64 * step * 1000.0).round() / 1000.0,
        queue_depth: slot.queue_depth,
        in_system: slot.in_system,
        queue_bytes: slot.queue_bytes,
        offered_rps: slot.intended as f64 / step,
        goodput_rps: done_is_known.then(|| slot.good as f64 / step),
        time_to_done_p99: slot.time_to_done(0.99).map(seconds),
        response_time_p50: response_time(slot, 0.5),
        response_time_p99: response_time(slot, 0.99),
        resident_bytes: slot.resident_bytes,
        concurrency_limit: slot.concurrency_limit,
    };
    series.slots().iter().enumerate().map(point).collect()
}
