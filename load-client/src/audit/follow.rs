//! The audit while a run lasts: both sides report, and a message is settled when its end and its acknowledgement are known.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use metrics::Histogram;

use super::entry::{End, Entry, Fate, State, Track};
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

/// The most messages of a client whose second sending is remembered (arbitrary: more than end within any timeout). A second end of
/// an older one counts as the service's doing.
const MAX_AGAIN: usize = 10_000;

/// The audit of one shard's messages.
#[derive(Debug)]
pub struct Audit {
    pub(super) tracks: Vec<Track>,
    pub(super) open: usize,
    pub(super) counts: AuditCounts,
    /// Messages sent that are not followed, and whose end has not been heard of either.
    unfollowed: u64,
    /// Acknowledged by the present instance, and open.
    pending: u64,
    /// Messages whose calls ended without telling, oldest first; some have been settled since.
    uncertain: VecDeque<(usize, u64)>,
    /// Counts the instances of the service that were seen.
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
    /// For the messages of `clients` clients; judges those scheduled from `warmup` on against `slo`. Times to done also go
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

    /// The message of that number is sent again, though the service may have it.
    pub fn sent_again(&mut self, client: usize, number: u64) {
        let again = &mut self.tracks[client].again;
        again.insert(number);
        if again.len() > MAX_AGAIN {
            again.pop_first();
        }
    }

    /// The service has accepted the message, so from now on its end is awaited.
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

    /// The service says how it ended; `heard` is now.
    pub fn completed(&mut self, client: usize, number: u64, end: End, heard: Duration) {
        let Some(track) = self.tracks.get_mut(client).filter(|track| number < track.next) else {
            // A number that was never given: another run of the same name.
            return;
        };
        self.counts.redelivered += u64::from(end.redelivered);
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
            State::EndedEarly { .. } if track.again.contains(&number) => self.counts.done_again += 1,
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

    /// Another instance of the service answers now, and the messages of the last one are gone: its queue was in memory. The last instance was alive
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
            self.counts.done += u64::from(end.fate == Fate::Completed);
            self.counts.discarded += u64::from(end.fate != Fate::Completed);
            self.counts.discarded_expired += u64::from(end.fate == Fate::Expired);
            self.counts.discarded_dead_lettered += u64::from(end.fate == Fate::DeadLettered);
        }
        self.record(intended, acknowledged + end.queue_wait + end.service_time, end);
    }

    /// A message ended whose sender was never told that it was accepted. When, is only known from when it was heard of:
    /// an upper bound too.
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
}
