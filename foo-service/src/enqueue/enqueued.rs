//! The answer to a caller whose message is on the queue.

/// The answer to a caller whose message is on the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Enqueued {
    /// The number of messages on the queue after the call. For a shared queue it is an estimate from the last sample.
    pub depth: u64,
    /// True if the message repeats the id of an earlier one, and was not queued again.
    pub duplicate: bool,
}
