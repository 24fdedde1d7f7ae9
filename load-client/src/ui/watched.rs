//! A run that progress and the live view show.

use std::sync::Arc;

use crate::{live::Live, scenario::Scenario};

/// A run to be shown while it lasts.
#[derive(Debug, Clone)]
pub struct WatchedRun {
    /// The strategy's or the target's name.
    pub name: String,
    /// The load, for its duration and its rate.
    pub scenario: Arc<Scenario>,
    /// The counts and times that its shards write while it lasts.
    pub live: Arc<Live>,
}
