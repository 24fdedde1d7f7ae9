//! Predictions of queueing theory: pure functions from rates and times to waits, losses and their bands.
//!
//! Times are in seconds and rates per second. Each file names its source. The tests hold reference values that were computed
//! elsewhere with 40 digits, or are published. [`Band`] says how far a run of limited length may be from the prediction.

mod band;
mod chain;
mod embedded;
mod erlang;
mod poisson;
mod retries;
mod station;
mod wait;

pub use self::{
    band::{Band, relaxation_time},
    chain::Chain,
    embedded::{constant_loss, constant_repair_throughput},
    erlang::{erlang_b, erlang_c},
    retries::{attempts_per_request, is_locked},
    station::Station,
    wait::{WaitInLine, constant_mean_wait, general_mean_wait},
};

#[cfg(test)]
pub(crate) fn close(value: f64, expected: f64, relative: f64) {
    let off = (value - expected).abs();
    assert!(off <= relative * expected.abs(), "{value} is not {expected}");
}

#[cfg(test)]
pub(crate) fn station(arrivals: f64, rate: f64, workers: u32) -> Station {
    Station {
        arrivals,
        service: 1.0 / rate,
        workers,
    }
}
