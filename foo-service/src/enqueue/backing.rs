//! Where the queue stores its messages.

#[cfg(feature = "nats")]
use super::nats::NatsSettings;
use super::{capacity::Capacity, file::FileSettings};

/// Where the queue stores its messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Backing {
    /// In memory: the queue ends with the process.
    Memory(Capacity),
    /// In a file: acknowledged messages outlive the process.
    File(FileSettings),
    /// On a server: acknowledged messages outlive the process, and other processes can take them.
    #[cfg(feature = "nats")]
    Nats(NatsSettings),
}
