//! Follows every queued message from its send to its end, by the number it carries. So it counts exactly the messages that
//! were lost, done twice, or done without having been acknowledged. If the end of a message cannot be known, it counts as
//! unknown.
//!
//! An entry is held only while its message is open; a settled message leaves only a count. Two sides write, in either
//! order: the client that sends (sent, acknowledged, …), and the observer that receives completions.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use metrics::Histogram;

use crate::{
    ledger::AuditCounts,
    live::{LiveAudit, LiveTimes},
    recorder::{Done, Figures},
};

/// Messages followed at once, per shard (arbitrary: an entry takes about 100 bytes). What is sent beyond is not
/// followed, and its fate is unknown.
const MAX_OPEN: usize = 4_000_000;
/// The most of these messages whose calls ended without telling whether they were accepted (arbitrary: more than are in
/// flight at once). Many were never accepted, and no report of them will come: the audit forgets the oldest.
const MAX_UNCERTAIN: usize = 100_000;

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
    /// Messages whose calls ended without telling, oldest first; some have been settled since.
    uncertain: VecDeque<(usize, u64)>,
    /// Counts the instances of the service that were seen.
    generation: u32,
    done: Done,
    /// The exported times to done, recorded as completions are reported.
    time_to_done: Histogram,
    /// The times to done for progress and the live view, recorded as completions are reported.
    shown: Arc<LiveTimes>,
    last_done: Option<Duration>,
    warmup: Duration,
}

/// One client's messages.
#[derive(Debug, Default)]
struct Track {
    next: u64,
    open: BTreeMap<u64, Entry>,
    /// Some messages with a number below this one were given up, though they may still end. So a second end of such a
    /// message cannot be told from a first.
    blurred: u64,
}

#[derive(Debug)]
struct Entry {
    intended: Duration,
    state: State,
}

#[derive(Debug, Clone, Copy)]
enum State {
    /// On its way, since that instance was the present one.
    Sent { generation: u32 },
    /// Accepted by an instance.
    Acknowledged { at: Duration, generation: u32 },
    /// The call ended, at that time, and did not tell whether it was accepted.
    Unacknowledged { at: Duration },
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
    /// For the messages of `clients` clients; judges those intended from `warmup` on against `slo`. Times to done also go
    /// into `time_to_done` and `shown`, as they are heard of.
    pub fn new(
        clients: usize,
        warmup: Duration,
        slo: Duration,
        time_to_done: Histogram,
        shown: Arc<LiveTimes>,
    ) -> Self {
        Self {
            tracks: std::iter::repeat_with(Track::default).take(clients).collect(),
            open: 0,
            counts: AuditCounts::default(),
            unfollowed: 0,
            pending: 0,
            uncertain: VecDeque::new(),
            generation: 0,
            done: Done::new(slo),
            time_to_done,
            shown,
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
            let generation = self.generation;
            let state = State::Sent { generation };
            track.open.insert(number, Entry { intended, state });
        } else {
            self.unfollowed += 1;
        }
        number
    }

    /// The service accepted it.
    pub fn acknowledged(&mut self, client: usize, number: u64, at: Duration) {
        let Some(entry) = self.tracks[client].open.get_mut(&number) else {
            self.counts.acknowledged += 1;
            self.counts.unknown += 1;
            return;
        };
        let intended = entry.intended;
        if intended >= self.warmup {
            self.counts.acknowledged += 1;
        }
        match entry.state {
            State::EndedEarly { end, .. } => {
                self.settle(client, number);
                self.ended(intended, at, end);
            }
            // Sent to an earlier instance, perhaps: then the present one cannot be held to it.
            State::Sent { generation } => {
                entry.state = State::Acknowledged { at, generation };
                self.pending += u64::from(generation == self.generation);
            }
            State::Acknowledged { .. } | State::Unacknowledged { .. } => {
                unreachable!("a call ends once")
            }
        }
    }

    /// The service does not have it.
    pub fn not_there(&mut self, client: usize, number: u64) {
        self.unaccepted(client, number, None);
    }

    /// The call ended at this time, and whether the service has it is not known.
    pub fn unacknowledged(&mut self, client: usize, number: u64, at: Duration) {
        self.unaccepted(client, number, Some(at));
    }

    fn unaccepted(&mut self, client: usize, number: u64, uncertain_since: Option<Duration>) {
        let Some(entry) = self.tracks[client].open.get_mut(&number) else {
            return;
        };
        let intended = entry.intended;
        if let State::EndedEarly { end, heard } = entry.state {
            self.settle(client, number);
            self.ended_unacknowledged(intended, heard, end);
        } else if let Some(at) = uncertain_since {
            entry.state = State::Unacknowledged { at };
            self.uncertain.push_back((client, number));
            self.forget_uncertain(MAX_UNCERTAIN);
        } else {
            self.settle(client, number);
        }
    }

    /// Keeps at most `most` messages whose calls ended without telling.
    fn forget_uncertain(&mut self, most: usize) {
        while self.uncertain.len() > most
            && let Some((client, number)) = self.uncertain.pop_front()
        {
            let track = &mut self.tracks[client];
            let state = track.open.get(&number).map(|entry| entry.state);
            if matches!(state, Some(State::Unacknowledged { .. })) {
                track.blurred = track.blurred.max(number + 1);
                self.settle(client, number);
            }
        }
    }

    /// The service says how it ended; `heard` is now.
    pub fn completed(&mut self, client: usize, number: u64, end: End, heard: Duration) {
        let Some(track) = self.tracks.get_mut(client).filter(|track| number < track.next) else {
            // A number that was never given: another run of the same name.
            return;
        };
        let Some(entry) = track.open.get_mut(&number) else {
            // The message was settled before, unless it was never followed or was given up. While there are such messages,
            // the cases cannot be told apart.
            if number < track.blurred {
                return;
            }
            if self.unfollowed > 0 {
                self.unfollowed -= 1;
            } else {
                self.counts.duplicated += 1;
            }
            return;
        };
        let intended = entry.intended;
        match entry.state {
            State::Sent { .. } => entry.state = State::EndedEarly { end, heard },
            State::EndedEarly { .. } => self.counts.duplicated += 1,
            State::Unacknowledged { .. } => {
                self.settle(client, number);
                self.ended_unacknowledged(intended, heard, end);
            }
            State::Acknowledged { at, generation } => {
                self.pending -= u64::from(generation == self.generation);
                self.settle(client, number);
                self.ended(intended, at, end);
            }
        }
    }

    /// Another instance of the service answers now, and the messages of the last one are gone. The last instance was alive
    /// until `alive`. It held the messages acknowledged by then, and their ends will never be reported. Messages
    /// acknowledged later may be with the new instance.
    pub fn restarted(&mut self, alive: Duration) {
        self.generation += 1;
        self.pending = 0;
        for track in &mut self.tracks {
            track.open.retain(|number, entry| {
                let (gone, acknowledged) = match entry.state {
                    State::Acknowledged { at, .. } => (at <= alive, true),
                    State::Unacknowledged { at } => (at <= alive, false),
                    State::Sent { .. } | State::EndedEarly { .. } => (false, false),
                };
                if gone {
                    self.open -= 1;
                    self.counts.unknown += u64::from(acknowledged && entry.intended >= self.warmup);
                    track.blurred = track.blurred.max(number + 1);
                }
                !gone
            });
        }
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
                self.time_to_done.record(done_at.saturating_sub(intended));
                self.shown.record(done_at.saturating_sub(intended));
            }
        }
    }

    /// What is settled so far.
    pub fn so_far(&self) -> LiveAudit {
        LiveAudit {
            counts: self.counts,
            good: self.done.good,
        }
    }

    /// Adds what is known of messages done.
    pub fn add_to(&self, figures: &mut Figures) {
        figures.done(&self.done);
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
        Audit::new(1, Duration::ZERO, SECOND, Histogram::noop(), Arc::default())
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
        let cut_off = audit.sent(0, Duration::ZERO);
        audit.unacknowledged(0, cut_off, SECOND);
        audit.restarted(SECOND);
        assert_eq!((audit.open, audit.so_far().counts.unknown), (0, 1), "settled at once");
        let after = audit.sent(0, Duration::ZERO);
        audit.acknowledged(0, after, SECOND);
        let counts = close(audit, 0, true);
        assert_eq!((counts.unknown, counts.lost), (1, 1));
    }

    #[test]
    fn the_new_instance_is_not_held_to_what_was_on_its_way_to_the_old_one() {
        let mut audit = audit();
        let number = audit.sent(0, Duration::ZERO);
        audit.restarted(SECOND);
        audit.acknowledged(0, number, 2 * SECOND);
        assert!(!audit.waits());
        let counts = close(audit, 0, true);
        assert_eq!((counts.unknown, counts.lost), (1, 0));
    }

    #[test]
    fn what_the_new_instance_accepted_before_it_was_heard_of_is_followed_to_its_end() {
        let mut audit = audit();
        let [old, new] = [SECOND, 3 * SECOND].map(|at| {
            let number = audit.sent(0, Duration::ZERO);
            audit.acknowledged(0, number, at);
            number
        });
        audit.restarted(2 * SECOND);
        assert!(!audit.waits(), "which instance has it is not known for sure");
        audit.completed(0, new, END, 4 * SECOND);
        // Reported late by the old instance, or reported twice: the audit cannot tell.
        audit.completed(0, old, END, 4 * SECOND);
        let counts = close(audit, 0, true);
        assert_eq!((counts.done, counts.unknown, counts.duplicated), (1, 1, 0));
    }

    #[test]
    fn calls_that_end_without_telling_do_not_pile_up() {
        let mut audit = audit();
        for _ in 0..3 {
            let number = audit.sent(0, Duration::ZERO);
            audit.unacknowledged(0, number, SECOND);
        }
        audit.completed(0, 1, END, SECOND);
        audit.forget_uncertain(1);
        assert_eq!(audit.open, 1);
        audit.completed(0, 0, END, SECOND);
        audit.completed(0, 2, END, SECOND);
        let counts = close(audit, 0, true);
        assert_eq!((counts.done_unacknowledged, counts.duplicated), (2, 0));
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
        audit.unacknowledged(0, cut_off, SECOND);
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
