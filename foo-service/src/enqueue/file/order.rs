//! The orders to the writer, and those that it carries out together.

use tokio::{sync::oneshot, time::Instant};

use super::{store::Ended, uncommitted::Room};
use crate::{
    enqueue::Enqueued,
    job::{Job, Reason},
    ledger::{InLine, InService},
};

/// The most messages and outcomes in one commit (arbitrary).
const MOST_IN_COMMIT: usize = 4096;
/// The most bytes of messages in one commit, apart from the last message (arbitrary: a commit has them in memory twice).
const MOST_BYTES_IN_COMMIT: u64 = 16 << 20;

/// A new message, with the caller that waits until it is durable.
pub(super) struct Offer {
    pub(super) job: Job,
    /// Counts the caller.
    pub(super) in_line: InLine,
    /// Counts the message as one that has no answer yet.
    pub(super) room: Room,
    /// When the caller arrived, for the metric of the wait.
    pub(super) since: Instant,
    /// The channel for the answer. The caller may have gone.
    pub(super) answer: oneshot::Sender<Result<Enqueued, Reason>>,
}

impl Offer {
    /// True if the caller has gone, so the answer would reach no caller.
    pub(super) fn is_left(&self) -> bool {
        self.answer.is_closed()
    }
}

/// The outcome of a message, with the worker that waits until it is durable.
pub(super) struct Ending {
    /// The row to write.
    pub(super) ended: Ended,
    /// Counts the message in service.
    pub(super) in_service: InService,
    /// The channel for the answer. The worker may have gone.
    pub(super) answer: oneshot::Sender<()>,
}

/// An order to the writer.
pub(super) enum Order {
    /// Write a new message.
    Join(Offer),
    /// Remove a message that has ended, and write its outcome.
    End(Ending),
    /// Read more messages, because few are left in memory.
    Read,
    /// Write everything that is left, close the file, and answer. No order follows.
    Close(oneshot::Sender<()>),
}

/// The orders since the last commit, apart from those to read.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) offers: Vec<Offer>,
    pub(super) endings: Vec<Ending>,
    pub(super) bytes: u64,
    pub(super) close: Option<oneshot::Sender<()>>,
}

impl Batch {
    pub(super) fn is_full(&self) -> bool {
        self.offers.len() + self.endings.len() >= MOST_IN_COMMIT || self.bytes >= MOST_BYTES_IN_COMMIT
    }
}
