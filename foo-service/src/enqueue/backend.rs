//! What the queue stands on: memory, a file, or a server. A closed set, so that the queue in memory pays for no other.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

#[cfg(feature = "nats")]
use super::nats;
use super::{file, queue};
use crate::job::{Job, JobOutcome, Processed};

/// The two kinds of queue behind one door.
pub(super) enum Backend {
    /// It dies with the process.
    Memory(Arc<queue::Queue>),
    /// In a file, which outlives the process.
    File(Arc<file::FileQueue>),
    /// It is on a server, and other processes have it too.
    #[cfg(feature = "nats")]
    Nats(Arc<nats::NatsQueue>),
}

/// A message that was taken, and is owed an end.
pub(super) enum Lease {
    /// Its end is a change in memory.
    Memory(queue::Lease),
    /// Its end is written before it counts.
    File(file::Lease),
    /// Its end is told to the server.
    #[cfg(feature = "nats")]
    Nats(nats::Lease),
}

impl Backend {
    /// Whether messages stay on the queue when the process ends: a drain does not wait for them then.
    pub(super) fn outlives_process(&self) -> bool {
        !matches!(self, Self::Memory(_))
    }

    /// Waits until there is a message. For one consumer. Cancel-safe.
    pub(super) async fn ready(&self) {
        match self {
            Self::Memory(queue) => queue.ready().await,
            Self::File(queue) => queue.ready().await,
            #[cfg(feature = "nats")]
            Self::Nats(queue) => queue.ready().await,
        }
    }

    /// Takes the oldest message, if it is still there.
    pub(super) fn take(&self) -> Option<Lease> {
        match self {
            Self::Memory(queue) => queue.take().map(Lease::Memory),
            Self::File(queue) => queue.take().map(Lease::File),
            #[cfg(feature = "nats")]
            Self::Nats(queue) => queue.take().map(Lease::Nats),
        }
    }

    /// No message is taken any more. In memory, those on the queue end as abandoned; elsewhere they stay.
    pub(super) fn abandon(&self) {
        match self {
            Self::Memory(queue) => queue.abandon(),
            Self::File(queue) => queue.stop(),
            #[cfg(feature = "nats")]
            Self::Nats(queue) => queue.stop(),
        }
    }

    /// Waits until nothing is left to be written. The last thing that happens to a queue.
    pub(super) async fn close(&self) {
        match self {
            Self::Memory(_) => {}
            Self::File(queue) => queue.close().await,
            #[cfg(feature = "nats")]
            Self::Nats(queue) => queue.close().await,
        }
    }

    /// How long the oldest message has waited.
    pub(super) fn oldest_age(&self) -> Duration {
        match self {
            Self::Memory(queue) => queue.oldest_age(),
            Self::File(queue) => queue.oldest_age(),
            #[cfg(feature = "nats")]
            Self::Nats(queue) => queue.oldest_age(),
        }
    }
}

impl Lease {
    pub(super) fn job(&self) -> &Job {
        match self {
            Self::Memory(lease) => lease.job(),
            Self::File(lease) => lease.job(),
            #[cfg(feature = "nats")]
            Self::Nats(lease) => lease.job(),
        }
    }

    /// When the message was taken.
    pub(super) fn taken(&self) -> Instant {
        match self {
            Self::Memory(lease) => lease.taken(),
            Self::File(lease) => lease.taken(),
            #[cfg(feature = "nats")]
            Self::Nats(lease) => lease.taken(),
        }
    }

    /// The message ends with `outcome`, without having been processed. Waits only where that has to be written.
    pub(super) async fn end(self, outcome: JobOutcome) {
        match self {
            Self::Memory(lease) => lease.end(outcome),
            Self::File(lease) => lease.end(outcome).await,
            #[cfg(feature = "nats")]
            Self::Nats(lease) => lease.end(outcome).await,
        }
    }

    /// The message was processed. Waits only where that has to be written.
    pub(super) async fn complete(self, processed: Processed) {
        match self {
            Self::Memory(lease) => lease.complete(processed),
            Self::File(lease) => lease.complete(processed).await,
            #[cfg(feature = "nats")]
            Self::Nats(lease) => lease.complete(processed).await,
        }
    }
}
