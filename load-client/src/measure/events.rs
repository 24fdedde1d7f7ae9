//! Changes of the service while the load runs. A lab declares what changes and when; the plan of the run has the
//! function that does it.

use std::{convert::Infallible, fmt, sync::Arc, time::Duration};

use tokio::time::{Instant, sleep_until};

use crate::live::Live;

/// A change of the service, made once while the load runs.
#[derive(Clone)]
pub struct Event {
    /// The time of the change since the load began.
    pub at: Duration,
    /// The change in a few words.
    pub says: String,
    /// Makes the change. Must not wait.
    pub act: Arc<dyn Fn() + Send + Sync>,
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {:?}", self.says, self.at)
    }
}

/// Makes each change at its time; the events must be in the order of time. The future never ends; it is dropped when
/// the load is over.
pub(super) async fn happen(events: &[Event], start: Instant, live: &Live) -> Infallible {
    for event in events {
        sleep_until(start + event.at).await;
        (event.act)();
        live.happened(event.at, &event.says);
    }
    std::future::pending().await
}
