//! Follows every queued message from its send to its end, by the number it carries: so what was lost, done twice, or
//! done without having been acknowledged is known exactly, and what cannot be known is said to be unknown.
//!
//! An entry is held only while its message is open; what is settled leaves nothing but a count. Two sides write: the
//! client that sends (sent, acknowledged, …) and the observer that hears of completions, in either order.

use std::{collections::BTreeMap, time::Duration};

use crate::recorder::Done;

/// Messages followed at once, per shard (arbitrary: an entry takes about 100 bytes). What is sent beyond is not
/// followed, and its fate is unknown.
const MAX_OPEN: usize = 4_000_000;

/// The audit of one shard's messages.
#[derive(Debug)]
pub struct Audit {
    tracks: Vec<Track>,
    open: usize,
    counts: AuditCounts,
    /// Messages sent that are not followed, and whose end has not been heard of either.
    unfollowed: u64,
    /// Acknowledged by the present instance, and open.
    pending: u64,
    /// Acknowledged by instances that are gone, and open.
    gone: u64,
    /// Counts the instances of the service that were seen.
    generation: u32,
    done: Done,
    last_done: Option<Duration>,
    warmup: Duration,
}

/// One client's messages.
#[derive(Debug, Default)]
struct Track {
    next: u64,
    open: BTreeMap<u64, Entry>,
}

#[derive(Debug)]
struct Entry {
    intended: Duration,
    state: State,
}

#[derive(Debug, Clone, Copy)]
enum State {
    /// On its way.
    Sent,
    /// Accepted by an instance.
    Acknowledged { at: Duration, generation: u32 },
    /// The call ended and did not tell whether it was accepted.
    Unacknowledged,
    /// The end was heard of, at that time, before the acknowledgement.
    EndedEarly { end: End, heard: Duration },
}

/// How a message ended, as the service says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct End {
    /// Whether it was processed; otherwise it was dropped, abandoned or the like.
    pub completed: bool,
    /// On the queue.
    pub queue_wait: Duration,
    /// With a worker.
    pub service_time: Duration,
}

/// What became of queued messages, without those of the warm-up. acknowledged = done + discarded + queued + lost + unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AuditCounts {
    /// Accepted by the service.
    pub acknowledged: u64,
    /// Of those, processed.
    pub done: u64,
    /// Of those, ended otherwise, and the service said so.
    pub discarded: u64,
    /// Of those, still with the service.
    pub queued: u64,
    /// Of those, gone: the service has nothing left, and never said what became of them.
    pub lost: u64,
    /// Of those, beyond knowing: the instance that accepted them is gone, or there was a gap in what was heard.
    pub unknown: u64,
    /// Ended more than once.
    pub duplicated: u64,
    /// Processed, though never acknowledged: a deadline or a connection cut the acknowledgement off.
    pub done_unacknowledged: u64,
}

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
    /// The counts.
    pub counts: AuditCounts,
    /// When messages were done.
    pub done: Done,
    /// The last of them, since the start of the run.
    pub last_done: Option<Duration>,
}

impl Audit {
    /// For the messages of `clients` clients; judges those intended from `warmup` on against `slo`.
    pub fn new(clients: usize, warmup: Duration, slo: Duration) -> Self {
        Self {
            tracks: std::iter::repeat_with(Track::default).take(clients).collect(),
            open: 0,
            counts: AuditCounts::default(),
            unfollowed: 0,
            pending: 0,
            gone: 0,
            generation: 0,
            done: Done::new(slo),
            last_done: None,
            warmup,
        }
    }

    /// A message is sent; returns the number it carries.
    pub fn sent(&mut self, client: usize, intended: Duration) -> u64 {
        let track = &mut self.tracks[client];
        let number = track.next;
        track.next += 1;
        if self.open < MAX_OPEN {
            self.open += 1;
            let state = State::Sent;
            track.open.insert(number, Entry { intended, state });
        } else {
            self.unfollowed += 1;
        }
        number
    }

    /// The service accepted it.
    pub fn acknowledged(&mut self, client: usize, number: u64, at: Duration) {
        let generation = self.generation;
        let Some(entry) = self.tracks[client].open.get_mut(&number) else {
            self.counts.acknowledged += 1;
            self.counts.unknown += 1;
            return;
        };
        let intended = entry.intended;
        if intended >= self.warmup {
            self.counts.acknowledged += 1;
        }
        if let State::EndedEarly { end, .. } = entry.state {
            self.settle(client, number);
            self.ended(intended, at, end);
        } else {
            entry.state = State::Acknowledged { at, generation };
            self.pending += 1;
        }
    }

    /// The service does not have it.
    pub fn not_there(&mut self, client: usize, number: u64) {
        self.unaccepted(client, number, true);
    }

    /// Whether the service has it is not known.
    pub fn unacknowledged(&mut self, client: usize, number: u64) {
        self.unaccepted(client, number, false);
    }

    fn unaccepted(&mut self, client: usize, number: u64, certain: bool) {
        let Some(entry) = self.tracks[client].open.get_mut(&number) else {
            return;
        };
        let intended = entry.intended;
        if let State::EndedEarly { end, heard } = entry.state {
            self.settle(client, number);
            self.ended_unacknowledged(intended, heard, end);
        } else if certain {
            self.settle(client, number);
        } else {
            entry.state = State::Unacknowledged;
        }
    }

    /// The service says how it ended; `heard` is now.
    pub fn completed(&mut self, client: usize, number: u64, end: End, heard: Duration) {
        let Some(track) = self.tracks.get_mut(client).filter(|track| number < track.next) else {
            // A number that was never given: another run of the same name.
            return;
        };
        let Some(entry) = track.open.get_mut(&number) else {
            // Settled before, unless it was never followed: while there are such, nobody can tell.
            if self.unfollowed > 0 {
                self.unfollowed -= 1;
            } else {
                self.counts.duplicated += 1;
            }
            return;
        };
        let intended = entry.intended;
        match entry.state {
            State::Sent => entry.state = State::EndedEarly { end, heard },
            State::EndedEarly { .. } => self.counts.duplicated += 1,
            State::Unacknowledged => {
                self.settle(client, number);
                self.ended_unacknowledged(intended, heard, end);
            }
            State::Acknowledged { at, generation } => {
                if generation < self.generation {
                    self.gone -= 1;
                } else {
                    self.pending -= 1;
                }
                self.settle(client, number);
                self.ended(intended, at, end);
            }
        }
    }

    /// Another instance of the service answers now: what the last one held went with it.
    pub fn restarted(&mut self) {
        self.generation += 1;
        self.gone += std::mem::take(&mut self.pending);
    }

    /// No send is intended from this time on.
    pub fn load_over(&mut self, at: Duration) {
        self.done.load_over(at);
    }

    fn settle(&mut self, client: usize, number: u64) {
        self.tracks[client].open.remove(&number);
        self.open -= 1;
    }

    /// An acknowledged message ended. Its time to done is an upper bound: the acknowledgement's way back counts as if
    /// the queue wait had begun only after it.
    fn ended(&mut self, intended: Duration, acknowledged: Duration, end: End) {
        if intended >= self.warmup {
            if end.completed {
                self.counts.done += 1;
            } else {
                self.counts.discarded += 1;
            }
        }
        self.record(intended, acknowledged + end.queue_wait + end.service_time, end);
    }

    /// A message ended whose sender was never told that it was accepted. When, is only known from when it was heard of:
    /// an upper bound too.
    fn ended_unacknowledged(&mut self, intended: Duration, heard: Duration, end: End) {
        if intended >= self.warmup {
            self.counts.done_unacknowledged += u64::from(end.completed);
        }
        self.record(intended, heard, end);
    }

    fn record(&mut self, intended: Duration, done_at: Duration, end: End) {
        if end.completed {
            self.last_done = self.last_done.max(Some(done_at));
            if intended >= self.warmup {
                self.done.record(intended, done_at, Some(end.queue_wait));
            }
        }
    }

    /// Whether there are acknowledged messages of the present instance whose end is still to come.
    pub fn waits(&self) -> bool {
        self.pending > 0
    }

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
        let ended = |entry: &&Entry| matches!(entry.state, State::EndedEarly { end, .. } if end.completed);
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

impl AuditCounts {
    /// Whether every acknowledged message is accounted for.
    pub fn balances(&self) -> bool {
        self.acknowledged == self.done + self.discarded + self.queued + self.lost + self.unknown
    }

    fn add(&mut self, other: &Self) {
        self.acknowledged += other.acknowledged;
        self.done += other.done;
        self.discarded += other.discarded;
        self.queued += other.queued;
        self.lost += other.lost;
        self.unknown += other.unknown;
        self.duplicated += other.duplicated;
        self.done_unacknowledged += other.done_unacknowledged;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const END: End = End {
        completed: true,
        queue_wait: SECOND,
        service_time: SECOND,
    };

    fn audit() -> Audit {
        Audit::new(1, Duration::ZERO, SECOND)
    }

    fn close(mut audit: Audit, inside: u64, complete: bool) -> AuditCounts {
        let counts = Audit::close([&mut audit].into_iter(), Closing { inside, complete }).counts;
        assert!(counts.balances(), "{counts:?}");
        counts
    }

    #[test]
    fn the_end_may_be_heard_of_before_the_acknowledgement() {
        let mut audit = audit();
        let number = audit.sent(0, Duration::ZERO);
        audit.completed(0, number, END, SECOND);
        audit.acknowledged(0, number, SECOND);
        assert_eq!(audit.last_done, Some(3 * SECOND));
        let counts = close(audit, 0, true);
        assert_eq!((counts.acknowledged, counts.done, counts.lost), (1, 1, 0));
    }

    #[test]
    fn a_message_that_the_service_forgot_is_lost_and_one_done_twice_is_duplicated() {
        let mut audit = audit();
        for _ in 0..3 {
            let number = audit.sent(0, Duration::ZERO);
            audit.acknowledged(0, number, SECOND);
        }
        audit.completed(0, 0, END, SECOND);
        audit.completed(0, 0, END, SECOND);
        assert!(audit.waits());
        let counts = close(audit, 1, true);
        assert_eq!(
            (counts.done, counts.duplicated, counts.queued, counts.lost),
            (1, 1, 1, 1)
        );
    }

    #[test]
    fn what_an_instance_took_with_it_is_unknown_not_lost() {
        let mut audit = audit();
        let before = audit.sent(0, Duration::ZERO);
        audit.acknowledged(0, before, SECOND);
        audit.restarted();
        let after = audit.sent(0, Duration::ZERO);
        audit.acknowledged(0, after, SECOND);
        let counts = close(audit, 0, true);
        assert_eq!((counts.unknown, counts.lost), (1, 1));
    }

    #[test]
    fn after_a_gap_everything_open_is_unknown() {
        let mut audit = audit();
        let number = audit.sent(0, Duration::ZERO);
        audit.acknowledged(0, number, SECOND);
        assert_eq!(close(audit, 0, false).unknown, 1);
    }

    #[test]
    fn a_message_done_though_its_call_failed_is_told_apart() {
        let mut audit = audit();
        let cut_off = audit.sent(0, Duration::ZERO);
        audit.unacknowledged(0, cut_off);
        audit.completed(0, cut_off, END, SECOND);
        let refused = audit.sent(0, Duration::ZERO);
        audit.not_there(0, refused);
        // A number that was never given is another run's business.
        audit.completed(0, 99, END, SECOND);
        audit.completed(7, 0, END, SECOND);
        let counts = close(audit, 0, true);
        assert_eq!(
            (counts.acknowledged, counts.done_unacknowledged, counts.duplicated),
            (0, 1, 0)
        );
    }
}
