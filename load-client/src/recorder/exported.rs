//! Durations that Prometheus reads while the run lasts.

use metrics::Histogram;

use crate::outcome::Outcome;

/// Records each duration as soon as it is measured. Those of the warm-up are left out.
#[derive(Debug, Clone)]
pub struct Histograms {
    /// The response time, from the scheduled send, by [`Outcome`].
    pub response_time: [Histogram; Outcome::ALL.len()],
    /// The time from the scheduled send until the message was processed.
    pub time_to_done: Histogram,
    /// Start lag: how late the load client itself sends.
    pub start_lag: Histogram,
}

impl Default for Histograms {
    /// Histograms that record nothing, for a run without exported metrics.
    fn default() -> Self {
        Self {
            response_time: std::array::from_fn(|_| Histogram::noop()),
            time_to_done: Histogram::noop(),
            start_lag: Histogram::noop(),
        }
    }
}
