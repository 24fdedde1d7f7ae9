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
    /// The time after which the service has forgotten how the run began; null where no formula applies, or where it never
    /// forgets.
    pub relaxation_seconds: Option<f64>,
    /// The figures that the model predicts.
    pub figures: Vec<TheoryFigureReport>,
}

/// A figure that a model predicts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TheoryFigureReport {
    /// The figure that the model has a formula for.
    pub figure: Predicted,
    /// In this run; null if it was not measured.
    pub measured: Option<f64>,
    /// In a run of unlimited length: a share from 0 to 1, or seconds.
    pub predicted: f64,
    /// In 95 of 100 runs of this length, the measured figure is at most this far from the predicted one.
    pub band: f64,
    /// What follows for this run.
    pub agreement: Agreement,
}

/// A figure that theory has formulas for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Predicted {
    /// Requests that were rejected, of all.
    RejectedShare,
    /// Messages that the queue dropped, of all requests.
    DroppedShare,
    /// Requests that were not sent because their clients were waiting, of all.
    WithheldShare,
    /// Mean queue wait, in seconds.
    MeanQueueWait,
}

/// Whether a measured figure agrees with a predicted one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Agreement {
    /// It is within the band.
    Consistent,
    /// It is outside the band.
    NotConsistent,
    /// The run is too short for theory to say anything: the band is more than half of the predicted value.
    TooShort,
}
