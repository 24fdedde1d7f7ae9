//! What happens to the service while the load runs: a lab says what and when, its owner knows how.

use std::{convert::Infallible, fmt, sync::Arc, time::Duration};

use tokio::time::{Instant, sleep_until};

use crate::live::Live;

/// Something that is done to the service once while the load runs.
#[derive(Clone)]
pub struct Event {
    /// When it is done, since the load began.
    pub at: Duration,
    /// What happens, in a few words.
    pub says: String,
    /// Makes it happen. Must not wait.
    pub act: Arc<dyn Fn() + Send + Sync>,
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {:?}", self.says, self.at)
    }
}

/// Makes the events happen. They must be in the order of time. The future never ends: the end of the load drops it.
pub(super) async fn happen(events: &[Event], start: Instant, live: &Live) -> Infallible {
    for event in events {
        sleep_until(start + event.at).await;
        (event.act)();
        live.happened(event.at, &event.says);
    }
    std::future::pending().await
}
