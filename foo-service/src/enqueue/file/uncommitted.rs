//! Bounds the messages that the writer has not answered yet, in number and in bytes.

use std::sync::{
    Arc,
    atomic::{AtomicU32, AtomicU64, Ordering::SeqCst},
};

/// The most callers that may wait for the disk at a time (arbitrary; more are rejected).
const MOST_CALLERS: u32 = 65_536;
/// The most bytes of ids and payloads that may wait for the disk at a time, apart from the last message (arbitrary: as many as four
/// commits write).
const MOST_BYTES: u64 = 64 << 20;

/// The messages that the writer has not answered yet. Those of callers that have gone count until the writer sees them.
#[derive(Debug, Default)]
pub(super) struct Uncommitted {
    callers: AtomicU32,
    bytes: AtomicU64,
}

/// The guard of a message that the writer has not answered yet.
#[derive(Debug)]
pub(super) struct Room {
    uncommitted: Arc<Uncommitted>,
    bytes: u64,
}

impl Uncommitted {
    /// Counts a message of `bytes` bytes, until the guard is dropped; `None` if there is no room for it.
    pub(super) fn room(self: &Arc<Self>, bytes: u64) -> Option<Room> {
        let callers = self.callers.fetch_add(1, SeqCst);
        let before = self.bytes.fetch_add(bytes, SeqCst);
        // Made before the check, because its drop takes the message out of the counts.
        let room = Room {
            uncommitted: Arc::clone(self),
            bytes,
        };
        (callers < MOST_CALLERS && before < MOST_BYTES).then_some(room)
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.uncommitted.callers.fetch_sub(1, SeqCst);
        self.uncommitted.bytes.fetch_sub(self.bytes, SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many messages of `bytes` bytes find room, and are then kept.
    fn found(uncommitted: &Arc<Uncommitted>, bytes: u64) -> Vec<Room> {
        std::iter::from_fn(|| uncommitted.room(bytes)).collect()
    }

    #[test]
    fn there_is_room_for_that_many_callers_or_bytes_and_again_when_they_are_gone() {
        let uncommitted = Arc::default();
        for _ in 0..2 {
            assert_eq!(found(&uncommitted, 0).len(), MOST_CALLERS as usize);
            assert_eq!(found(&uncommitted, 1 << 20).len(), 64);
            assert_eq!(found(&uncommitted, 2 * MOST_BYTES).len(), 1);
        }
    }
}
