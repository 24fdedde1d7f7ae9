//! The ids of recent messages, to recognise repeats of them.
//!
//! In memory is only a hash of each id and the number of its message, about 40 bytes. The id itself is in the file, and is
//! compared before a message counts as a repeat.

use std::{collections::HashMap, hash::RandomState, time::Duration};

/// The most ids that are remembered (arbitrary: 10 MB in memory, and a tenth of a second to read at the start).
pub(super) const MOST_IDS: u64 = 262_144;

/// The hashes of ids, each with the number of its message.
pub(super) struct Ids {
    /// How long ids are remembered. Zero: not at all.
    window: Duration,
    hashes: RandomState,
    numbers: HashMap<u64, u64>,
}

impl Ids {
    /// Remembers no ids yet, and later ones for `window`.
    pub(super) fn new(window: Duration) -> Self {
        Self {
            window,
            hashes: RandomState::new(),
            numbers: HashMap::new(),
        }
    }

    /// How long ids are remembered; `None`: not at all.
    pub(super) fn window(&self) -> Option<Duration> {
        (!self.window.is_zero()).then_some(self.window)
    }

    pub(super) fn count(&self) -> usize {
        self.numbers.len()
    }

    fn hash(&self, id: &str) -> u64 {
        std::hash::BuildHasher::hash_one(&self.hashes, id)
    }

    /// The number of the message that may have had this id. No other remembered message can have had it.
    pub(super) fn candidate(&self, id: &str) -> Option<u64> {
        self.numbers.get(&self.hash(id)).copied()
    }

    /// Remembers that the message with this number has this id.
    pub(super) fn remember(&mut self, number: u64, id: &str) {
        if self.window().is_some() {
            self.numbers.insert(self.hash(id), number);
        }
    }

    /// Forgets the id of the message with this number. If a newer message has the same id, that one stays.
    pub(super) fn forget(&mut self, number: u64, id: &str) {
        let hash = self.hash(id);
        if self.numbers.get(&hash) == Some(&number) {
            self.numbers.remove(&hash);
        }
    }
}
