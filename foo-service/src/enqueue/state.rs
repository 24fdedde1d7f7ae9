//! The state of a shared queue, for the rest of the service: whether it can be used, and the last sample of it.

use std::time::Duration;

/// Why a shared queue cannot be used with these settings.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct UnfitQueue(pub(super) String);

/// The last sample of a shared queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SharedSeen {
    /// Messages that are leased by any instance.
    pub leased: u64,
    /// The age of the sample.
    pub ago: Duration,
}
