//! What is known of one message while it is open.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// The messages of one client that have not ended, by number.
#[derive(Debug, Default)]
pub(super) struct Track {
    pub(super) next: u64,
    pub(super) open: BTreeMap<u64, Entry>,
    /// Some messages with a number below this one were given up, though they may still end. So a second end of such a
    /// message cannot be told from a first.
    pub(super) blurred: u64,
    /// Messages that were sent again, though the service may have had them: these may be done twice.
    pub(super) again: BTreeSet<u64>,
}

#[derive(Debug)]
pub(super) struct Entry {
    pub(super) intended: Duration,
    pub(super) state: State,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum State {
    /// On its way, since that instance was the present one.
    Sent { generation: u32 },
    /// Accepted by an instance.
    Acknowledged { at: Duration, generation: u32 },
    /// The call ended, at that time, and did not tell whether it was accepted.
    Unacknowledged { at: Duration },
    /// The end was heard of, at that time, before the acknowledgement.
    EndedEarly { end: End, heard: Duration },
}

/// What became of a message, as the service says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It was processed.
    Completed,
    /// It was too old when its turn came.
    Expired,
    /// It was put aside after its last delivery.
    DeadLettered,
    /// It was dropped, abandoned or the like.
    Other,
}

/// How a message ended, as the service says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct End {
    /// What became of it.
    pub fate: Fate,
    /// Whether the queue had delivered it more than once.
    pub redelivered: bool,
    /// From the acceptance until a worker took it, as the service measured it.
    pub queue_wait: Duration,
    /// With a worker, as the service measured it.
    pub service_time: Duration,
}
