//! What an audit comes to when the run is over: the messages that are still open are with the service, lost, or unknown.

use std::time::Duration;

use super::{
    entry::{Entry, Fate, State},
    follow::Audit,
};
use crate::{ledger::AuditCounts, live::LiveAudit, recorder::Done};

/// What is known at the end.
#[derive(Debug, Clone, Copy)]
pub struct Closing {
    /// Messages that the service still has. Those of other senders count too, so a service that is shared can hide a loss
    /// as long as it is not empty.
    pub inside: u64,
    /// Whether every completion since the start was heard of.
    pub complete: bool,
}

/// An audit that is over.
#[derive(Debug, Default)]
pub struct Audited {
    /// What became of the messages, without those of the warm-up.
    pub counts: AuditCounts,
    /// When messages were done, and how long they had waited.
    pub done: Done,
    /// The last of them, since the start of the run.
    pub last_done: Option<Duration>,
}

impl Audited {
    /// The audit so far, for progress and the live view.
    pub fn so_far(&self) -> LiveAudit {
        LiveAudit {
            counts: self.counts,
            good: self.done.good,
        }
    }
}

impl Audit {
    /// Acknowledged, judged and open: by earlier instances, by the present one.
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

    /// Messages that ended while their calls were still under way, as the run was broken off.
    fn ended_while_sent(&self) -> u64 {
        let ended =
            |entry: &&Entry| matches!(entry.state, State::EndedEarly { end, .. } if end.fate == Fate::Completed);
        let entries = self.tracks.iter().flat_map(|track| track.open.values());
        entries
            .filter(|entry| entry.intended >= self.warmup)
            .filter(ended)
            .count() as u64
    }

    /// Closes the audits of all shards.
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
