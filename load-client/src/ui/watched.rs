//! A run that progress and the live view show.

use std::sync::Arc;

use crate::{live::Live, scenario::Scenario};

/// A run to be shown while it lasts.
#[derive(Debug, Clone)]
pub struct WatchedRun {
    /// Its name.
    pub name: String,
    /// Its load.
    pub scenario: Arc<Scenario>,
    /// Its state.
    pub live: Arc<Live>,
}
