//! The parts of Enqueue for a shared queue: its server must be reached, and its state is sampled.

use std::sync::Arc;

#[cfg(feature = "nats")]
use super::backend::Backend;
#[cfg(feature = "nats")]
use super::nats;
use super::{
    Backing, EnqueueDoor, dispatcher,
    state::{SharedSeen, UnfitQueue},
};
use crate::turns::Turns;

/// Whether this build has a queue that services share (the cargo feature `nats`).
pub const CAN_SHARE: bool = cfg!(feature = "nats");

impl Backing {
    /// Deletes a shared queue from its server: its messages, its completions and its dead letters. Services must not use it any more.
    /// A queue that is not shared is left alone.
    ///
    /// # Errors
    ///
    /// If the server cannot be reached or refuses; then a part of the queue may be left.
    #[cfg_attr(
        not(feature = "nats"),
        allow(
            clippy::unused_async,
            clippy::unused_self,
            reason = "only a shared queue is on a server"
        )
    )]
    pub async fn delete_shared(&self) -> Result<(), String> {
        #[cfg(feature = "nats")]
        if let Self::Nats(settings) = self {
            // Boxed: the futures of the client library are large.
            return Box::pin(nats::delete(settings)).await;
        }
        Ok(())
    }
}

impl EnqueueDoor {
    /// Tries once to reach a shared queue. A server that cannot be reached is no error: [`dispatch`](Self::dispatch) tries again.
    ///
    /// # Errors
    ///
    /// If the server cannot be used with these settings.
    #[cfg_attr(
        not(feature = "nats"),
        allow(
            clippy::unused_async,
            clippy::unused_self,
            reason = "only a shared queue is reached over a network"
        )
    )]
    pub async fn reach(&self) -> Result<(), UnfitQueue> {
        #[cfg(feature = "nats")]
        if let Backend::Nats(queue) = &self.queue {
            return queue.reach().await;
        }
        Ok(())
    }

    /// Why a shared queue has never been reached; `None` if it was reached, or if the queue is not shared.
    #[cfg_attr(
        not(feature = "nats"),
        allow(clippy::unused_self, reason = "without the feature no queue is shared")
    )]
    pub fn unreached(&self) -> Option<String> {
        #[cfg(feature = "nats")]
        if let Backend::Nats(queue) = &self.queue {
            return queue.unreached();
        }
        None
    }

    /// The last sample of a shared queue; `None` if there is none, or if the queue is not shared.
    #[cfg_attr(
        not(feature = "nats"),
        allow(clippy::unused_self, reason = "without the feature no queue is shared")
    )]
    pub fn shared(&self) -> Option<SharedSeen> {
        #[cfg(feature = "nats")]
        if let Backend::Nats(queue) = &self.queue {
            return queue.last_sample();
        }
        None
    }

    /// Copies the state of the queue into the gauges.
    pub fn publish(&self) {
        self.metrics.queue.oldest_age(self.queue.oldest_age());
        #[cfg(feature = "nats")]
        if let Backend::Nats(queue) = &self.queue {
            queue.publish();
        }
    }

    /// Has the messages of the queue processed, each in its turn, until the service abandons or closes.
    pub async fn dispatch(&self, turns: &Arc<Turns>) {
        #[cfg(feature = "nats")]
        if let Backend::Nats(queue) = &self.queue {
            queue.start(Arc::clone(turns));
        }
        dispatcher::run(&self.queue, turns, &self.lifecycle, self.message_ttl).await;
    }
}
