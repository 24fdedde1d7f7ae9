//! The attempts of clients that retry or hedge, beside the ledger of their requests.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{DistributionReport, by_outcome, schema::By};
use crate::{ledger::AttemptCounts, outcome::Outcome, recorder::Attempts};

/// The attempts of the requests of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AttemptsReport {
    /// How the attempts ended, and what became of their requests.
    pub counts: AttemptCounts,
    /// Attempts per request that was sent, on average: the amplification of the load. Null if nothing was sent.
    pub per_request: Option<f64>,
    /// Times from the send of an attempt to its end, by outcome; outcomes that did not occur are left out.
    #[schemars(with = "By<Outcome, DistributionReport>")]
    pub time_seconds: BTreeMap<String, DistributionReport>,
}

impl AttemptsReport {
    /// The attempts of a run that sent `requests` requests.
    pub fn new(attempts: &Attempts, requests: u64) -> Self {
        Self {
            counts: attempts.counts,
            per_request: (requests > 0).then(|| attempts.counts.attempts as f64 / requests as f64),
            time_seconds: by_outcome(&attempts.time, DistributionReport::new),
        }
    }
}
