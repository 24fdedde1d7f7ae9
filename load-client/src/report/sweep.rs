//! What `load-client sweep` measured: goodput against offered load.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The goodput of each strategy at each load.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SweepReport {
    /// The capacity that the loads are multiples of, in requests per second: the lowest capacity of the services.
    pub capacity_rps: f64,
    /// Time within which a request must be done to count, in seconds.
    pub slo_seconds: f64,
    /// One curve per strategy.
    pub curves: Vec<SweepCurveReport>,
}

/// The goodput of one strategy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SweepCurveReport {
    /// The name of the strategy.
    pub name: String,
    /// What the strategy does, in a sentence; empty if the lab does not say.
    pub about: String,
    /// The capacity of the strategy's own service, in requests per second.
    pub capacity_rps: f64,
    /// The points, in rising order of the load.
    pub points: Vec<SweepPointReport>,
}

/// The goodput at one load.
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
