//! What `load-client capacity` found, and each test that led to it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::limit::Limit;

/// The highest rate that a service holds, as a bracket, and the tests behind it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FoundReport {
    /// Whether there is an answer: the capacity is between `holds_rps` and `fails_rps`.
    pub found: bool,
    /// The highest rate that held in the longer test, in requests per second; null if none did.
    pub holds_rps: Option<f64>,
    /// The lowest rate that failed, in requests per second; null if none did.
    pub fails_rps: Option<f64>,
    /// What fails above `holds_rps`: the service, if there is an answer; null if no higher rate was tested, or if the search
    /// was broken off.
    pub limited_by: Option<Limit>,
    /// The same in words.
    pub says: String,
    /// The tests, in the order in which they were made.
    pub probes: Vec<ProbeReport>,
}

/// A test of one rate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ProbeReport {
    /// The name of its run, in `runs`.
    pub run: String,
    /// In requests per second.
    pub rps: f64,
    /// Whether it is the longer test, from which the answer comes.
    pub long: bool,
    /// What it showed.
    pub result: ProbeResult,
    /// Why, in words.
    pub says: String,
}

/// What a test of one rate showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProbeResult {
    /// The service held the rate.
    Holds,
    /// It did not: a rule was true, or the response times grew for as long as the test lasted.
    Fails,
    /// The load client was the limit.
    Limited,
    /// A rule could not be judged.
    Unknown,
    /// It was stopped.
    Stopped,
}

impl ProbeResult {
    /// The word for it.
    pub fn label(self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::Fails => "fails",
            Self::Limited => "client-limited",
            Self::Unknown => "unknown",
            Self::Stopped => "stopped",
        }
    }
}
