//! What queueing theory predicts: pure functions from rates and times to waits, losses and their bands.
//!
//! Times are in seconds and rates per second. Each file names its source. The tests hold reference values that were computed
//! elsewhere with 40 digits, or are published. [`band`] says how far a run of limited length may be from the prediction.

mod band;
mod chain;
mod embedded;
mod erlang;
mod poisson;
mod retries;
mod wait;

pub use self::{
    band::{Band, relaxation_time},
    chain::Chain,
    embedded::{constant_loss, constant_repair_throughput},
    erlang::{erlang_b, erlang_c},
    retries::{attempts_per_request, is_locked},
    wait::{WaitInLine, constant_mean_wait, general_mean_wait},
};

/// Requests that arrive at random times at workers of equal speed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Station {
    /// Requests per second.
    pub arrivals: f64,
    /// Mean service time, in seconds.
    pub service: f64,
    /// How many are served at once.
    pub workers: u32,
}

impl Station {
    /// The offered load: how many workers it keeps busy on average.
    pub fn offered(&self) -> f64 {
        self.arrivals * self.service
    }

    /// The share of the workers that the offered load needs. From 1 on, an unlimited queue grows for ever.
    pub fn utilization(&self) -> f64 {
        self.offered() / f64::from(self.workers)
    }

    /// Messages per second that can be processed.
    pub fn capacity(&self) -> f64 {
        f64::from(self.workers) / self.service
    }
}

#[cfg(test)]
pub(crate) fn close(value: f64, expected: f64, relative: f64) {
    let off = (value - expected).abs();
    assert!(off <= relative * expected.abs(), "{value} is not {expected}");
}
