//! What the service and the thread that writes share: the messages at the head of the queue, in memory, and how many more the
//! file has.
//!
//! Only the writer adds messages, after they are durable, and only the dispatcher takes them.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
    time::Duration,
};

use tokio::sync::Notify;

use crate::{enqueue::CompletionLog, job::Job, ledger::Ledger, metrics::Metrics};

/// The most messages in memory (arbitrary: half of them last for 25 ms at 20,000 messages per second, the time for reading more).
pub(super) const MOST_IN_MEMORY: usize = 1024;
/// The most bytes of them, in ids and payloads, apart from the last message (arbitrary).
pub(super) const MOST_BYTES: u64 = 4 << 20;

/// A message that waits, in memory.
pub(super) struct Waiting {
    /// Its position on the queue since the file was made.
    pub(super) number: u64,
    pub(super) job: Job,
    /// Whether an earlier process may have begun to work on it.
    pub(super) again: bool,
}

/// The head of the queue.
#[derive(Default)]
pub(super) struct Head {
    /// The oldest messages, in order.
    messages: VecDeque<Waiting>,
    /// Of their ids and payloads.
    bytes: u64,
    /// How many more there are in the file.
    beyond: u64,
    /// The highest number that has been in memory.
    last: Option<u64>,
    /// Whether the writer has been asked for more.
    asked: bool,
    /// Whether nothing is taken or added any more.
    closed: bool,
}

/// What the writer, the doors and the workers share.
pub(super) struct Shared {
    head: Mutex<Head>,
    /// Told when there is a message in memory.
    pub(super) not_empty: Notify,
    /// Messages on their way to the writer, or in the commit under way.
    pub(super) uncommitted: AtomicU32,
    pub(super) ledger: Arc<Ledger>,
    /// Where ends go once they are durable.
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
            uncommitted: AtomicU32::new(0),
            ledger,
            log,
            metrics,
        }
    }

    pub(super) fn head(&self) -> MutexGuard<'_, Head> {
        self.head.lock().expect("no code panics with the queue locked")
    }

    /// The writer has answered a caller.
    pub(super) fn answered(&self) {
        self.uncommitted.fetch_sub(1, SeqCst);
    }
}

impl Head {
    /// How many messages wait, in memory and in the file.
    pub(super) fn depth(&self) -> u64 {
        self.messages.len() as u64 + self.beyond
    }

    /// Whether a message is in memory.
    pub(super) fn ready(&self) -> bool {
        !self.messages.is_empty() && !self.closed
    }

    /// How long the oldest message has waited.
    pub(super) fn oldest_age(&self) -> Duration {
        let oldest = self.messages.front();
        oldest.map_or(Duration::ZERO, |waiting| waiting.job.since.elapsed())
    }

    /// Nothing is taken any more.
    pub(super) fn close(&mut self) {
        self.closed = true;
    }

    /// Whether nothing is taken any more.
    pub(super) fn closed(&self) -> bool {
        self.closed
    }

    /// A message that has just become durable waits at the end. Returns the depth with it.
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

    /// A message that was taken is the oldest again.
    pub(super) fn take_back(&mut self, waiting: Waiting) {
        self.bytes += waiting.job.bytes();
        self.messages.push_front(waiting);
    }

    /// Whether the writer is to be asked for more messages, now.
    pub(super) fn ask(&mut self) -> bool {
        let few = self.messages.len() <= MOST_IN_MEMORY / 2 && self.bytes <= MOST_BYTES / 2;
        let asks = few && self.beyond > 0 && !self.asked;
        self.asked |= asks;
        asks
    }

    /// After which number to read on, and how many messages and bytes there is room for.
    pub(super) fn wanted(&self) -> (Option<u64>, usize, u64) {
        (
            self.last,
            MOST_IN_MEMORY.saturating_sub(self.messages.len()),
            MOST_BYTES.saturating_sub(self.bytes),
        )
    }

    /// These were read from the file. Messages up to the number `again_up_to` may have been in service before.
    pub(super) fn read(&mut self, messages: Vec<(u64, Job)>, again_up_to: Option<u64>) {
        self.asked = false;
        self.beyond = self.beyond.saturating_sub(messages.len() as u64);
        for (number, job) in messages {
            let again = again_up_to.is_some_and(|last| number <= last);
            self.add(Waiting { number, job, again });
        }
    }
}
