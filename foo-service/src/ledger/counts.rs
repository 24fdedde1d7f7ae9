//! Counters of one RPC: its messages by how they ended, its calls by how they ended and why.

use std::sync::atomic::{
    AtomicU64,
    Ordering::{Relaxed, SeqCst},
};

use strum::EnumCount;

use crate::job::{CallEnd, JobOutcome, Reason, RequestOutcome};

/// Side by side on a few lines of the cache, what every good call touches first: what is counted together comes together
/// from the core that counted last.
#[derive(Debug, Default)]
#[repr(C, align(64))]
pub(super) struct DoorCounts {
    admitted: AtomicU64,
    /// Counted on its own, not derived, so that a balance over it can fail.
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

    /// Admitted to a queue from which any instance takes.
    pub(super) fn admit_to_shared(&self) {
        self.admitted.fetch_add(1, SeqCst);
    }

    /// Taken from a shared queue.
    pub(super) fn take(&self) {
        self.taken.fetch_add(1, SeqCst);
        self.inside.fetch_add(1, SeqCst);
    }

    /// It was taken, and has not ended.
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

    /// `shared`: whether messages are taken from a shared queue.
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

/// One door's counts of messages, as read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DoorReading {
    /// Messages that were let in.
    pub admitted: u64,
    /// Of these, messages that an earlier process has left on a durable queue.
    pub recovered: u64,
    /// Messages that were taken from a shared queue; `None` where the queue is not shared.
    pub taken: Option<u64>,
    /// Messages that were not let in.
    pub refused: u64,
    /// Admitted and not ended, as counted. With a shared queue: taken and not ended.
    pub inside: u64,
    /// By [`JobOutcome`], in the order of [`JobOutcome::ALL`].
    pub outcomes: [u64; JobOutcome::COUNT],
}

impl DoorReading {
    /// How many messages ended with `outcome`.
    pub fn of(&self, outcome: JobOutcome) -> u64 {
        self.outcomes[outcome as usize]
    }

    /// Whether every message is accounted for that was admitted, or taken from a shared queue. Only of use while nothing moves: the counts are read one by one.
    pub fn balances(&self) -> bool {
        self.taken.unwrap_or(self.admitted) == self.outcomes.iter().sum::<u64>() + self.inside
    }
}

/// The calls of one RPC. Those that were not answered with OK are counted by reason; a [`RequestOutcome`] is the sum of its
/// reasons, so that the two cannot disagree.
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
