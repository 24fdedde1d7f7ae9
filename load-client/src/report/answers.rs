//! The answers of a run: by status, by URL, and in the peers' own words.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    ledger::Ledger,
    outcome::{Outcome, StatusCode},
};

/// A URL of a run, and how the requests to it ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TargetReport {
    /// The URL that these requests went to.
    pub url: String,
    /// Connections to it that were up when the load was over.
    pub connected: u64,
    /// How every request that was scheduled for it ended. The ledger of the run is the sum of these.
    pub ledger: Ledger,
}

/// The targets of a run; `connected` and `ledgers` have one entry for each URL.
pub fn targets(urls: Vec<String>, connected: &[u64], ledgers: &[Ledger]) -> Vec<TargetReport> {
    let figures = connected.iter().zip(ledgers);
    let target = |(url, (connected, ledger)): (String, (&u64, &Ledger))| TargetReport {
        url,
        connected: *connected,
        ledger: *ledger,
    };
    urls.into_iter().zip(figures).map(target).collect()
}

/// The number of answers by the name of their status. A status without answers is left out.
pub fn status_codes(counts: &[u64; StatusCode::ALL.len()]) -> BTreeMap<String, u64> {
    let counts = StatusCode::ALL.into_iter().zip(counts);
    let counts = counts.filter(|(_, count)| **count > 0);
    counts
        .map(|(status, count)| (status.label().to_owned(), *count))
        .collect()
}

/// The first messages by the name of their outcome.
pub fn first_messages(messages: &BTreeMap<Outcome, String>) -> BTreeMap<String, String> {
    let messages = messages.iter();
    messages
        .map(|(outcome, message)| (outcome.label().to_owned(), message.clone()))
        .collect()
}
