//! The ids of recent messages, by which a repeat of a message is recognised.
//!
//! In memory there is a hash of each id and the number of its message, about 40 bytes; the id itself is in the file, and is
//! compared before a message counts as a repeat.

use std::{collections::HashMap, hash::RandomState, time::Duration};

/// The most ids that are remembered (arbitrary: 10 MB in memory, and a tenth of a second to read at the start).
pub(super) const MOST_IDS: u64 = 262_144;

/// The hashes, with the numbers of the messages.
pub(super) struct Ids {
    /// For how long. Zero: nothing is remembered.
    window: Duration,
    hashes: RandomState,
    numbers: HashMap<u64, u64>,
}

impl Ids {
    /// None yet, to be remembered for `window`.
    pub(super) fn new(window: Duration) -> Self {
        Self {
            window,
            hashes: RandomState::new(),
            numbers: HashMap::new(),
        }
    }

    /// For how long ids are remembered; `None`: not at all.
    pub(super) fn window(&self) -> Option<Duration> {
        (!self.window.is_zero()).then_some(self.window)
    }

    pub(super) fn count(&self) -> usize {
        self.numbers.len()
    }

    fn hash(&self, id: &str) -> u64 {
        std::hash::BuildHasher::hash_one(&self.hashes, id)
    }

    /// The number of the only message that may have had this id.
    pub(super) fn candidate(&self, id: &str) -> Option<u64> {
        self.numbers.get(&self.hash(id)).copied()
    }

    /// From now on the message with this number has this id.
    pub(super) fn remember(&mut self, number: u64, id: &str) {
        if self.window().is_some() {
            self.numbers.insert(self.hash(id), number);
        }
    }

    /// The message with this number is too old. A newer one with the same id stays.
    pub(super) fn forget(&mut self, number: u64, id: &str) {
        let hash = self.hash(id);
        if self.numbers.get(&hash) == Some(&number) {
            self.numbers.remove(&hash);
        }
    }
}
