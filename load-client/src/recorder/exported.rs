//! Durations that Prometheus reads while the run lasts.

use metrics::Histogram;

use crate::outcome::Outcome;

/// Where durations are recorded, each as it is measured; those of the warm-up are not.
#[derive(Debug, Clone)]
pub struct Histograms {
    /// By [`Outcome`], from the scheduled send.
    pub response_time: [Histogram; Outcome::ALL.len()],
    /// From the scheduled send until the message was processed.
    pub time_to_done: Histogram,
    /// Start lag: how late the load client itself sends.
    pub start_lag: Histogram,
}

impl Default for Histograms {
    /// For a run without exported metrics: recording costs a branch.
    fn default() -> Self {
        Self {
            response_time: std::array::from_fn(|_| Histogram::noop()),
            time_to_done: Histogram::noop(),
            start_lag: Histogram::noop(),
        }
    }
}
