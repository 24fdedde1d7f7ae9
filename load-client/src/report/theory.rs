//! What queueing theory predicts for a run, beside what was measured.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What queueing theory predicts for a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TheoryReport {
    /// The model, in Kendall's notation and in words; null where no formula applies.
    pub model: Option<String>,
    /// Whether the model is exact for this run in the long term; null where no formula applies.
    pub exact: Option<bool>,
    /// Why no formula applies; null where one does.
    pub reason: Option<String>,
    /// The time after which the beginning of the run hardly matters any more; null where no formula applies, or where
    /// the beginning always matters.
    pub relaxation_seconds: Option<f64>,
    /// The figures that the model predicts.
    pub figures: Vec<TheoryFigureReport>,
}

/// A figure that a model predicts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TheoryFigureReport {
    /// The figure that the model has a formula for.
    pub figure: Predicted,
    /// The figure in this run; null if it was not measured.
    pub measured: Option<f64>,
    /// The figure in a run of unlimited length: a share from 0 to 1, or seconds.
    pub predicted: f64,
    /// In 95 of 100 runs of this length, the measured figure is at most this far from the predicted one.
    pub band: f64,
    /// Whether the two figures agree.
    pub agreement: Agreement,
}

/// A figure that theory has formulas for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Predicted {
    /// The share of all requests that were rejected.
    RejectedShare,
    /// The share of all requests whose messages the queue dropped.
    DroppedShare,
    /// The share of all requests that were not sent, because their clients were waiting.
    WithheldShare,
    /// Mean queue wait, in seconds.
    MeanQueueWait,
}

/// Whether a measured figure agrees with a predicted one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Agreement {
    /// The measured figure is within the band.
    Consistent,
    /// The measured figure is outside the band.
    NotConsistent,
    /// The run is too short for theory to say anything: the band is more than half of the predicted value.
    TooShort,
}
