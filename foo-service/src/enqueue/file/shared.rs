//! The state that the service and the writer's thread share: the oldest messages of the queue, in memory, and how many more the
//! file has.
//!
//! Only the writer adds messages, when they are durable, and only the dispatcher takes them.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use tokio::sync::Notify;

use super::uncommitted::Uncommitted;
use crate::{enqueue::CompletionLog, job::Job, ledger::Ledger, metrics::Metrics};

/// The most messages in memory (arbitrary: half of them last for 25 ms at 20,000 messages/s, which is enough to read more).
pub(super) const MOST_IN_MEMORY: usize = 1024;
/// The most bytes of ids and payloads in memory, apart from the last message (arbitrary).
pub(super) const MOST_BYTES: u64 = 4 << 20;

/// A waiting message that is in memory.
pub(super) struct Waiting {
    /// Its number: messages are numbered in order since the file was created.
    pub(super) number: u64,
    pub(super) job: Job,
    /// True if an earlier process may have begun to process it.
    pub(super) again: bool,
}

/// The oldest part of the queue, which is in memory.
#[derive(Default)]
pub(super) struct Head {
    /// The oldest messages, in order.
    messages: VecDeque<Waiting>,
    /// Bytes of the ids and payloads of `messages`.
    bytes: u64,
    /// How many more messages wait in the file only.
    beyond: u64,
    /// The highest message number that has been in memory.
    last: Option<u64>,
    /// True while the writer has been asked to read more messages.
    asked: bool,
    /// True if no message is taken or added any more.
    closed: bool,
}

/// The state that the writer, the RPCs and the workers share.
pub(super) struct Shared {
    head: Mutex<Head>,
    /// Notified when there is a message in memory.
    pub(super) not_empty: Notify,
    /// The messages that the writer has not answered yet.
    pub(super) uncommitted: Arc<Uncommitted>,
    pub(super) ledger: Arc<Ledger>,
    /// The log to which outcomes are added once they are durable, or could not be written.
    pub(super) log: Arc<CompletionLog>,
    pub(super) metrics: Arc<Metrics>,
}

impl Shared {
    /// A queue with `messages` in its file, and none in memory yet.
    pub(super) fn new(messages: u64, ledger: Arc<Ledger>, log: Arc<CompletionLog>, metrics: Arc<Metrics>) -> Self {
        let head = Head {
            beyond: messages,
            ..Head::default()
        };
        Self {
            head: Mutex::new(head),
            not_empty: Notify::new(),
            uncommitted: Arc::default(),
            ledger,
            log,
            metrics,
        }
    }

    pub(super) fn head(&self) -> MutexGuard<'_, Head> {
        self.head.lock().expect("no code panics with the queue locked")
    }
}

impl Head {
    /// The number of waiting messages, in memory and in the file.
    pub(super) fn depth(&self) -> u64 {
        self.messages.len() as u64 + self.beyond
    }

    /// True if a message can be taken from memory.
    pub(super) fn ready(&self) -> bool {
        !self.messages.is_empty() && !self.closed
    }

    /// How long the oldest message has waited.
    pub(super) fn oldest_age(&self) -> Duration {
        let oldest = self.messages.front();
        oldest.map_or(Duration::ZERO, |waiting| waiting.job.since.elapsed())
    }

    /// Stops the taking of messages.
    pub(super) fn close(&mut self) {
        self.closed = true;
    }

    /// True if no message is taken any more.
    pub(super) fn closed(&self) -> bool {
        self.closed
    }

    /// Adds a message that has just become durable to the end of the queue. Returns the depth, this message included.
    pub(super) fn join(&mut self, number: u64, job: Job) -> u64 {
        if self.beyond == 0 && self.messages.len() < MOST_IN_MEMORY && self.bytes < MOST_BYTES {
            self.add(Waiting {
                number,
                job,
                again: false,
            });
        } else {
            self.beyond += 1;
        }
        self.depth()
    }

    fn add(&mut self, waiting: Waiting) {
        self.last = Some(waiting.number);
        self.bytes += waiting.job.bytes();
        self.messages.push_back(waiting);
    }

    pub(super) fn take(&mut self) -> Option<Waiting> {
        if self.closed {
            return None;
        }
        let waiting = self.messages.pop_front()?;
        self.bytes -= waiting.job.bytes();
        Some(waiting)
    }

    /// Puts a message that was taken back to the front.
    pub(super) fn take_back(&mut self, waiting: Waiting) {
        self.bytes += waiting.job.bytes();
        self.messages.push_front(waiting);
    }

    /// True if the caller must ask the writer now to read more messages.
    pub(super) fn ask(&mut self) -> bool {
        let few = self.messages.len() <= MOST_IN_MEMORY / 2 && self.bytes <= MOST_BYTES / 2;
        let asks = few && self.beyond > 0 && !self.asked;
        self.asked |= asks;
        asks
    }

    /// The number after which to read, and how many messages and bytes still fit into memory.
    pub(super) fn wanted(&self) -> (Option<u64>, usize, u64) {
        (
            self.last,
            MOST_IN_MEMORY.saturating_sub(self.messages.len()),
            MOST_BYTES.saturating_sub(self.bytes),
        )
    }

    /// Adds messages that were read from the file. Those up to the number `again_up_to` may have been in service before.
    pub(super) fn read(&mut self, messages: Vec<(u64, Job)>, again_up_to: Option<u64>) {
        self.asked = false;
        self.beyond = self.beyond.saturating_sub(messages.len() as u64);
        for (number, job) in messages {
            let again = again_up_to.is_some_and(|last| number <= last);
            self.add(Waiting { number, job, again });
        }
    }
}
