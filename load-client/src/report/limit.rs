//! What a load can be limited by.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What kept the load from being sent as it was scheduled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// The clients: with more of them, or more requests in flight, more would have been sent.
    Clients,
    /// The load client: it was late, out of processor time, or short of streams.
    Generator,
    /// The service: it made its callers wait, and they sent less.
    Service,
}
