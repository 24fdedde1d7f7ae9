//! The queue behind Enqueue: in memory, in a file, or on a server. An enum, so that a queue in memory has no cost from the others.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

#[cfg(feature = "nats")]
use super::nats;
use super::{file, memory};
use crate::job::{Job, JobOutcome, Processed};

/// The queue behind Enqueue, of one of three kinds.
pub(super) enum Backend {
    /// A queue in memory, which ends with the process.
    Memory(Arc<memory::Queue>),
    /// A queue in a file, which outlives the process.
    File(Arc<file::FileQueue>),
    /// A queue on a server, shared with other processes.
    #[cfg(feature = "nats")]
    Nats(Arc<nats::NatsQueue>),
}

/// A message that was taken from the queue. It must be ended with an outcome.
pub(super) enum Lease {
    /// The outcome is only counted in memory.
    Memory(memory::Lease),
    /// The outcome is written to the file before it counts.
    File(file::Lease),
    /// The outcome is reported to the server.
    #[cfg(feature = "nats")]
    Nats(nats::Lease),
}

impl Backend {
    /// True if messages stay on the queue when the process ends: a drain does not wait for them then.
    pub(super) fn outlives_process(&self) -> bool {
        !matches!(self, Self::Memory(_))
    }

    /// Waits until there is a message. Only one consumer may wait. Cancel-safe.
    pub(super) async fn ready(&self) {
        match self {
            Self::Memory(queue) => queue.ready().await,
            Self::File(queue) => queue.ready().await,
            #[cfg(feature = "nats")]
            Self::Nats(queue) => queue.ready().await,
        }
    }

    /// Takes the oldest message; `None` if there is none any more.
    pub(super) fn take(&self) -> Option<Lease> {
        match self {
            Self::Memory(queue) => queue.take().map(Lease::Memory),
            Self::File(queue) => queue.take().map(Lease::File),
            #[cfg(feature = "nats")]
            Self::Nats(queue) => queue.take().map(Lease::Nats),
        }
    }

    /// Stops the taking of messages. In memory, the messages on the queue end as abandoned; in a file or on a server they stay.
    pub(super) fn abandon(&self) {
        match self {
            Self::Memory(queue) => queue.abandon(),
            Self::File(queue) => queue.stop(),
            #[cfg(feature = "nats")]
            Self::Nats(queue) => queue.stop(),
        }
    }

    /// Waits until everything is written. Nothing may use the queue afterwards.
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

    /// Ends the message with `outcome`; it was not processed. Waits only if the outcome must be written or reported.
    pub(super) async fn end(self, outcome: JobOutcome) {
        match self {
            Self::Memory(lease) => lease.end(outcome),
            Self::File(lease) => lease.end(outcome).await,
            #[cfg(feature = "nats")]
            Self::Nats(lease) => lease.end(outcome).await,
        }
    }

    /// Ends the message as processed. Waits only if the outcome must be written or reported.
    pub(super) async fn complete(self, processed: Processed) {
        match self {
            Self::Memory(lease) => lease.complete(processed),
            Self::File(lease) => lease.complete(processed).await,
            #[cfg(feature = "nats")]
            Self::Nats(lease) => lease.complete(processed).await,
        }
    }
}
