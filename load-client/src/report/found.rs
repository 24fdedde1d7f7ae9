//! The answer of `load-client capacity`, and each test that led to it.

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
    /// What is the limit above `holds_rps`: the service, if there is an answer; null if no higher rate was tested, or
    /// if the search was broken off.
    pub limited_by: Option<Limit>,
    /// The answer in words.
    pub says: String,
    /// The tests, in the order in which they were made.
    pub probes: Vec<ProbeReport>,
}

/// A test of one rate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ProbeReport {
    /// The name of its run, in `runs`.
    pub run: String,
    /// The tested rate, in requests per second.
    pub rps: f64,
    /// Whether this is the longer test, from which the answer comes.
    pub long: bool,
    /// The result of the test.
    pub result: ProbeResult,
    /// The reason for the result, in words.
    pub says: String,
}

/// The result of a test of one rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProbeResult {
    /// The service held the rate.
    Holds,
    /// The service did not hold the rate: a rule was true, or the response times grew for as long as the test lasted.
    Fails,
    /// The load client was the limit.
    Limited,
    /// A rule could not be judged.
    Unknown,
    /// The test was stopped.
    Stopped,
}

impl ProbeResult {
    /// The result as texts for people name it.
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
