//! The fire-and-forget RPC Enqueue: acknowledges a message as soon as it is on the queue. A dispatcher has it processed later.

mod backend;
mod backing;
mod capacity;
mod completions;
mod dispatcher;
mod door;
mod enqueued;
mod file;
mod memory;
#[cfg(feature = "nats")]
mod nats;
mod sharing;
mod state;

#[cfg(feature = "nats")]
pub use self::nats::{DeadLetter, DeadLetters, NatsSettings};
pub use self::{
    backing::Backing,
    capacity::{Capacity, WhenFull},
    completions::{Completion, CompletionLog, LOG_CAPACITY, LogChunk},
    door::EnqueueDoor,
    enqueued::Enqueued,
    file::{FileQueue, FileSettings, OpenError},
    memory::{Lease, Queue},
    sharing::CAN_SHARE,
    state::{SharedSeen, UnfitQueue},
};
