//! Closes the audits when the run is over: each message that is still open counts as queued in the service, lost, or
//! unknown.

use std::time::Duration;

use super::{
    entry::{Entry, Fate, State},
    follow::Audit,
};
use crate::{ledger::AuditCounts, live::LiveAudit, recorder::Done};

/// What the load client knows about the service at the end of a run.
#[derive(Debug, Clone, Copy)]
pub struct Closing {
    /// Messages that the service still has. Those of other senders count too: while a shared service has any of them, a lost
    /// message looks like one that is still there.
    pub inside: u64,
    /// True if the observer received every completion since the start of the run.
    pub complete: bool,
}

/// The results of a closed audit.
#[derive(Debug, Default)]
pub struct Audited {
    /// What became of the messages, without those of the warm-up.
    pub counts: AuditCounts,
    /// The times at which messages were done, and their queue waits and times to done.
    pub done: Done,
    /// When the last message was done, since the start of the run; `None` if none was.
    pub last_done: Option<Duration>,
}

impl Audited {
    /// The counts of the audit in the form that progress and the live view show.
    pub fn so_far(&self) -> LiveAudit {
        LiveAudit {
            counts: self.counts,
            good: self.done.good,
        }
    }
}

impl Audit {
    /// Counts the acknowledged messages that are still open, without those of the warm-up: first those acknowledged by
    /// earlier instances of the service, then those acknowledged by the current one.
    fn still_open(&self) -> (u64, u64) {
        let mut open = (0, 0);
        let judged = |entry: &&Entry| entry.intended >= self.warmup;
        for entry in self.tracks.iter().flat_map(|track| track.open.values()).filter(judged) {
            if let State::Acknowledged { generation, .. } = entry.state {
                if generation < self.generation {
                    open.0 += 1;
                } else {
                    open.1 += 1;
                }
            }
        }
        open
    }

    /// Messages that were processed, though their calls had not returned when the run was stopped.
    fn ended_while_sent(&self) -> u64 {
        let ended =
            |entry: &&Entry| matches!(entry.state, State::EndedEarly { end, .. } if end.fate == Fate::Completed);
        let entries = self.tracks.iter().flat_map(|track| track.open.values());
        entries
            .filter(|entry| entry.intended >= self.warmup)
            .filter(ended)
            .count() as u64
    }

    /// Adds up the audits of all shards and decides what became of the messages that are still open.
    pub fn close<'a>(audits: impl Iterator<Item = &'a mut Self>, closing: Closing) -> Audited {
        let mut all = Audited::default();
        let (mut gone, mut open) = (0, 0);
        for audit in audits {
            let (earlier, present) = audit.still_open();
            gone += earlier;
            open += present;
            all.counts.add(&audit.counts);
            all.counts.done_unacknowledged += audit.ended_while_sent();
            all.done.merge(std::mem::take(&mut audit.done));
            all.last_done = all.last_done.max(audit.last_done);
        }
        all.counts.unknown += gone;
        if closing.complete {
            all.counts.queued = open.min(closing.inside);
            all.counts.lost = open - all.counts.queued;
        } else {
            all.counts.unknown += open;
        }
        all
    }
}
