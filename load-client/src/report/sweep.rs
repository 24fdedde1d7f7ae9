//! What `load-client sweep` measured: goodput against offered load.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The goodput of each strategy at each load.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SweepReport {
    /// What the loads are multiples of, in requests per second: the lowest capacity of the services.
    pub capacity_rps: f64,
    /// Time within which a request must be done to count, in seconds.
    pub slo_seconds: f64,
    /// One per strategy.
    pub curves: Vec<SweepCurveReport>,
}

/// The goodput of one strategy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SweepCurveReport {
    /// The strategy's.
    pub name: String,
    /// What it does, in a sentence; empty if the lab does not say.
    pub about: String,
    /// What its own service can do, in requests per second.
    pub capacity_rps: f64,
    /// In rising order of the load.
    pub points: Vec<SweepPointReport>,
}

/// One load.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SweepPointReport {
    /// The name of its run, in `runs`.
    pub run: String,
    /// The load as a multiple of the capacity.
    pub factor: f64,
    /// The load, in requests per second, as it was asked for.
    pub offered_rps: f64,
    /// Requests done within the SLO, per second; null if it is not known when they were done.
    pub goodput_rps: Option<f64>,
}
