//! Counters of one RPC: its messages by outcome, and its calls by outcome and reason.

use std::sync::atomic::{
    AtomicU64,
    Ordering::{Relaxed, SeqCst},
};

use strum::EnumCount;

use crate::job::{CallEnd, JobOutcome, Reason, RequestOutcome};

/// The counts of one RPC. The fields that every successful call changes come first, on a few cache lines, so that a core fetches
/// few lines from the core that counted before it.
#[derive(Debug, Default)]
#[repr(C, align(64))]
pub(super) struct DoorCounts {
    admitted: AtomicU64,
    /// Messages inside now. Counted on its own and not derived from the other counts, so that the balance check can fail.
    inside: AtomicU64,
    outcomes: [AtomicU64; JobOutcome::COUNT],
    refused: AtomicU64,
    pub(super) calls: CallCounts,
    recovered: AtomicU64,
    taken: AtomicU64,
}

impl DoorCounts {
    pub(super) fn admit(&self) {
        self.admitted.fetch_add(1, SeqCst);
        self.inside.fetch_add(1, SeqCst);
    }

    pub(super) fn recover(&self, messages: u64) {
        self.recovered.fetch_add(messages, SeqCst);
        self.admitted.fetch_add(messages, SeqCst);
        self.inside.fetch_add(messages, SeqCst);
    }

    /// Counts a message that was put on a shared queue. It is not inside, because any instance may take it.
    pub(super) fn admit_to_shared(&self) {
        self.admitted.fetch_add(1, SeqCst);
    }

    /// Counts a message that was taken from a shared queue.
    pub(super) fn take(&self) {
        self.taken.fetch_add(1, SeqCst);
        self.inside.fetch_add(1, SeqCst);
    }

    /// Takes back the count of a message that was taken from a shared queue and returned to it.
    pub(super) fn give_back(&self) {
        self.taken.fetch_sub(1, SeqCst);
        self.inside.fetch_sub(1, SeqCst);
    }

    pub(super) fn end(&self, outcome: JobOutcome) {
        self.outcomes[outcome as usize].fetch_add(1, SeqCst);
        self.inside.fetch_sub(1, SeqCst);
    }

    pub(super) fn refuse(&self) {
        self.refused.fetch_add(1, Relaxed);
    }

    /// Reads the counts. `shared` is true if messages are taken from a shared queue.
    pub(super) fn read(&self, shared: bool) -> DoorReading {
        DoorReading {
            taken: shared.then(|| self.taken.load(SeqCst)),
            admitted: self.admitted.load(SeqCst),
            recovered: self.recovered.load(SeqCst),
            refused: self.refused.load(Relaxed),
            inside: self.inside.load(SeqCst),
            outcomes: std::array::from_fn(|index| self.outcomes[index].load(SeqCst)),
        }
    }
}

/// The counts of the messages of one RPC, as read at one time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DoorReading {
    /// Messages that were admitted.
    pub admitted: u64,
    /// The part of the admitted messages that an earlier process has left on a durable queue.
    pub recovered: u64,
    /// Messages that were taken from a shared queue; `None` if the queue is not shared.
    pub taken: Option<u64>,
    /// Messages that were not admitted.
    pub refused: u64,
    /// Messages that were admitted (from a shared queue: taken) and have not ended. Counted, not computed from the others.
    pub inside: u64,
    /// Messages that have ended, by [`JobOutcome`], in the order of [`JobOutcome::ALL`].
    pub outcomes: [u64; JobOutcome::COUNT],
}

impl DoorReading {
    /// How many messages ended with `outcome`.
    pub fn of(&self, outcome: JobOutcome) -> u64 {
        self.outcomes[outcome as usize]
    }

    /// True if each message that was admitted (from a shared queue: taken) is inside or has ended. Meaningful only while no message
    /// moves, because the counts are read one by one.
    pub fn balances(&self) -> bool {
        self.taken.unwrap_or(self.admitted) == self.outcomes.iter().sum::<u64>() + self.inside
    }
}

/// The calls of one RPC. Calls that were not answered with OK are counted by reason. The count of a [`RequestOutcome`] is the sum
/// over its reasons, so that the two cannot disagree.
#[derive(Debug, Default)]
pub(super) struct CallCounts {
    ok: AtomicU64,
    refused: [AtomicU64; Reason::COUNT],
}

impl CallCounts {
    pub(super) fn count(&self, end: CallEnd) {
        let counter = match end {
            Ok(()) => &self.ok,
            Err(reason) => &self.refused[reason as usize],
        };
        counter.fetch_add(1, Relaxed);
    }

    pub(super) fn refused(&self, reason: Reason) -> u64 {
        self.refused[reason as usize].load(Relaxed)
    }

    pub(super) fn ended(&self, outcome: RequestOutcome) -> u64 {
        if outcome == RequestOutcome::Ok {
            return self.ok.load(Relaxed);
        }
        let reasons = Reason::ALL.iter().filter(|reason| reason.outcome() == outcome);
        reasons.map(|reason| self.refused(*reason)).sum()
    }
}
