//! The audit during a run. The sending client and the observer both report to it; a message is settled when its end and
//! its acknowledgement are known.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use metrics::Histogram;

use super::entry::{End, Entry, Fate, State, Track};
use crate::{
    ledger::AuditCounts,
    live::{LiveAudit, LiveTimes},
    recorder::{Done, Figures},
};

/// The most messages followed at once, per shard (arbitrary: an entry takes about 100 bytes). Messages sent above this
/// number are not followed, and those of them that are acknowledged count as unknown.
const MAX_OPEN: usize = 4_000_000;
/// The most uncertain messages followed: their calls ended without an answer about whether they were accepted
/// (arbitrary: more than are in flight at once). Many were never accepted and will never be reported, so the audit
/// forgets the oldest.
const MAX_UNCERTAIN: usize = 100_000;

/// The most resent messages that the audit remembers per client (arbitrary: more than end within any timeout). If an
/// older one ends twice, it counts as duplicated by the service.
const MAX_AGAIN: usize = 10_000;

/// The audit of one shard's messages.
#[derive(Debug)]
pub struct Audit {
    pub(super) tracks: Vec<Track>,
    pub(super) open: usize,
    pub(super) counts: AuditCounts,
    /// Messages that are not followed, and whose ends have not been reported.
    unfollowed: u64,
    /// Open messages that the current instance acknowledged.
    pending: u64,
    /// Client and number of each message whose call ended without an answer about whether it was accepted, oldest
    /// first. Some have been settled since.
    uncertain: VecDeque<(usize, u64)>,
    /// The number of restarts of the service that were seen; it identifies the current instance.
    pub(super) generation: u32,
    pub(super) done: Done,
    /// The exported times to done, recorded as completions are reported.
    time_to_done: Histogram,
    /// The times to done for progress and the live view, recorded as completions are reported.
    shown: Arc<LiveTimes>,
    pub(super) last_done: Option<Duration>,
    pub(super) warmup: Duration,
}

impl Audit {
    /// An audit of the messages of `clients` clients. Messages scheduled from `warmup` on are counted, and their times
    /// to done are judged against `slo`. These times also go into `time_to_done` and `shown`, as completions are
    /// reported.
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

    /// Records that client `client` sends a message that is scheduled at `intended`; returns the number that the
    /// message carries.
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

    /// Records that a message is sent again, though the service may have it already.
    pub fn sent_again(&mut self, client: usize, number: u64) {
        let again = &mut self.tracks[client].again;
        again.insert(number);
        if again.len() > MAX_AGAIN {
            again.pop_first();
        }
    }

    /// Records that the service accepted a message, at `at`; from now on the audit waits for its end.
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
            // The message may be with an earlier instance; then the current one need not report its end.
            State::Sent { generation } => {
                entry.state = State::Acknowledged { at, generation };
                self.pending += u64::from(generation == self.generation);
            }
            State::Acknowledged { .. } | State::Unacknowledged { .. } => {
                unreachable!("a call ends once")
            }
        }
    }

    /// Records that the service certainly did not accept a message.
    pub fn not_there(&mut self, client: usize, number: u64) {
        self.unaccepted(client, number, None);
    }

    /// Records that a call ended, at `at`, without an answer about whether the message was accepted.
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

    /// Forgets the oldest uncertain messages until at most `most` are left.
    pub(super) fn forget_uncertain(&mut self, most: usize) {
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

    /// Records that the service reported the end of a message; `heard` is now.
    pub fn completed(&mut self, client: usize, number: u64, end: End, heard: Duration) {
        let Some(track) = self.tracks.get_mut(client).filter(|track| number < track.next) else {
            // This run never gave that number: the message is from another run with the same name.
            return;
        };
        // Of a message that was settled before, it is not known any more when it was scheduled.
        let judged = track
            .open
            .get(&number)
            .is_none_or(|entry| entry.intended >= self.warmup);
        self.counts.redelivered += u64::from(end.redelivered && judged);
        let Some(entry) = track.open.get_mut(&number) else {
            // The message was settled before, unless it was never followed or was given up. While there are such messages,
            // the cases cannot be told apart.
            if number < track.blurred {
                return;
            }
            if track.again.contains(&number) {
                self.counts.done_again += 1;
            } else if self.unfollowed > 0 {
                self.unfollowed -= 1;
            } else {
                self.counts.duplicated += 1;
            }
            return;
        };
        let intended = entry.intended;
        match entry.state {
            State::Sent { .. } => entry.state = State::EndedEarly { end, heard },
            State::EndedEarly { .. } if track.again.contains(&number) => self.counts.done_again += u64::from(judged),
            State::EndedEarly { .. } => self.counts.duplicated += u64::from(judged),
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

    /// Records that another instance of the service answers now, and that the messages of the last one are gone,
    /// because its queue was in memory. The last instance was alive until `alive`. It held the messages acknowledged by
    /// then, and their ends will never be reported. Messages acknowledged later may be with the new instance.
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

    /// Counts an acknowledged message that ended. Its time to done is an upper bound: the queue wait is added to the
    /// time at which the acknowledgement arrived, though it began before the acknowledgement was sent.
    fn ended(&mut self, intended: Duration, acknowledged: Duration, end: End) {
        if intended >= self.warmup {
            self.counts.done += u64::from(end.fate == Fate::Completed);
            self.counts.discarded += u64::from(end.fate != Fate::Completed);
            self.counts.discarded_expired += u64::from(end.fate == Fate::Expired);
            self.counts.discarded_dead_lettered += u64::from(end.fate == Fate::DeadLettered);
        }
        self.record(intended, acknowledged + end.queue_wait + end.service_time, end);
    }

    /// Counts a message that ended without an acknowledgement. Its time to done is an upper bound too: it goes on until
    /// the report arrived.
    fn ended_unacknowledged(&mut self, intended: Duration, heard: Duration, end: End) {
        if intended >= self.warmup {
            self.counts.done_unacknowledged += u64::from(end.fate == Fate::Completed);
        }
        self.record(intended, heard, end);
    }

    fn record(&mut self, intended: Duration, done_at: Duration, end: End) {
        if end.fate == Fate::Completed {
            self.last_done = self.last_done.max(Some(done_at));
            if intended >= self.warmup {
                self.done.record(intended, done_at, Some(end.queue_wait));
                self.time_to_done.record(done_at.saturating_sub(intended));
                self.shown.record(done_at.saturating_sub(intended));
            }
        }
    }

    /// The counts of the messages settled so far, for progress and the live view.
    pub fn so_far(&self) -> LiveAudit {
        LiveAudit {
            counts: self.counts,
            good: self.done.good,
        }
    }

    /// Adds the messages done so far to `figures`.
    pub fn add_to(&self, figures: &mut Figures) {
        figures.done(&self.done);
    }

    /// True while messages that the current instance acknowledged have not ended.
    pub fn waits(&self) -> bool {
        self.pending > 0
    }
}
