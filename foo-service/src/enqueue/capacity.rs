//! How many messages the queue can have, and what happens to a new message when it is full.

/// How many messages the queue can have, and what happens to a new message when it is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Capacity {
    /// Any number, until memory is full. Only if the user asks for it by name.
    Unbounded,
    /// At most a number of messages.
    Bounded {
        /// The number of messages, at least 1.
        places: u32,
        /// What happens to a new message when the queue is full.
        when_full: WhenFull,
    },
}

/// What happens to a new message when the queue is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum WhenFull {
    /// It is refused: the sender learns of it, at once.
    Reject,
    /// It takes the place of the oldest, which is lost: the sender never learns of it.
    DropOldest,
    /// Its caller waits for a place, in a bounded line: backpressure at the queue.
    Wait,
}
