//! What the audit knows about one message while it is open.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// The messages of one client that have not ended, by number.
#[derive(Debug, Default)]
pub(super) struct Track {
    pub(super) next: u64,
    pub(super) open: BTreeMap<u64, Entry>,
    /// Some messages with a number below this one were given up, though the service may still report their ends. So the
    /// audit cannot tell a second report of such a message from a first.
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
    /// The call has not returned. `generation` is the instance of the service that was current when the message was
    /// sent.
    Sent { generation: u32 },
    /// The service accepted the message, at `at`. `generation` is the instance that was current when it was sent.
    Acknowledged { at: Duration, generation: u32 },
    /// The call ended, at `at`, without an answer about whether the message was accepted.
    Unacknowledged { at: Duration },
    /// The observer received the end, at `heard`, before the call returned.
    EndedEarly { end: End, heard: Duration },
}

/// The outcome of a message that the service reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// The message was processed.
    Completed,
    /// The message was too old when its turn came.
    Expired,
    /// A shared queue moved the message to the dead letters after its last delivery.
    DeadLettered,
    /// The message ended in another way without being processed; for example, it was dropped or abandoned.
    Other,
}

/// The end of a message that the service reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct End {
    /// The outcome.
    pub fate: Fate,
    /// Whether the queue had delivered it more than once.
    pub redelivered: bool,
    /// From the acceptance until a worker took it, as the service measured it.
    pub queue_wait: Duration,
    /// The time with a worker, as the service measured it.
    pub service_time: Duration,
}
