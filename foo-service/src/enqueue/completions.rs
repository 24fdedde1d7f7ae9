//! The outcomes of queued messages, for watchers: a bounded log in which each entry has a position. Each watcher reads at its own
//! pace, can resume at a position, and learns how many entries were overwritten before it read them.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard},
    time::Duration,
};

use tokio::time::Instant;

use crate::job::{Job, JobOutcome, Processed};

/// The number of entries that are kept (arbitrary: a second at 100,000 messages/s, at most 20 MiB with the longest ids).
pub const LOG_CAPACITY: usize = 131_072;

/// The outcome of one queued message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completion {
    /// The id of the message.
    pub id: Box<str>,
    /// How long the message was on the queue, until a worker took it or it ended there.
    pub queue_wait: Duration,
    /// How long a worker processed the message; `None` if no worker had it.
    pub service_time: Option<Duration>,
    /// How the message ended.
    pub outcome: JobOutcome,
    /// How often a shared queue had delivered it, at least once; `None`: the queue is not shared.
    pub deliveries: Option<u32>,
}

impl Completion {
    /// The outcome of a message that was taken from a queue of this process at `taken`. `processed` is `None` if it was not processed
    /// to the end.
    pub(super) fn of_taken(job: Job, taken: Instant, outcome: JobOutcome, processed: Option<Processed>) -> Self {
        Self {
            queue_wait: processed.map_or_else(|| taken - job.since, |processed| processed.queue_wait),
            // A message that was too old was never processed.
            service_time: (outcome != JobOutcome::Expired)
                .then(|| processed.map_or_else(|| taken.elapsed(), |processed| processed.service_time)),
            outcome,
            deliveries: None,
            id: job.id,
        }
    }
}

/// The log. Positions count from 0 at the start of the instance, or continue those of a durable or shared queue.
#[derive(Debug, Default)]
pub struct CompletionLog {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    entries: VecDeque<Completion>,
    /// The position of the oldest entry.
    start: u64,
    /// The position up to which entries are already on the server of a shared queue: they will be appended soon.
    expected: u64,
}

/// The result of one reading of the log.
#[derive(Debug, PartialEq, Eq)]
pub struct LogChunk {
    /// The entries with the prefix that was asked for, oldest first.
    pub completions: Vec<Completion>,
    /// The position at which the reading ended, and from which to continue.
    pub end: u64,
    /// Entries with any prefix that were overwritten before this reading.
    pub missed: u64,
    /// True if the log has more entries after `end`.
    pub more: bool,
}

impl CompletionLog {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no code panics with the log locked")
    }

    /// Appends an entry. If the log is full, the oldest entry is removed.
    pub fn push(&self, completion: Completion) {
        let mut state = self.state();
        if state.entries.len() == LOG_CAPACITY {
            state.entries.pop_front();
            state.start += 1;
        }
        state.entries.push_back(completion);
    }

    /// Fills an empty log with the entries of an earlier process; the first has position `start`.
    pub fn restore(&self, entries: VecDeque<Completion>, start: u64) {
        *self.state() = State {
            entries,
            start,
            expected: 0,
        };
    }

    /// Starts an empty log whose next entry has position `start`; earlier entries are not available. Entries up to position `end`
    /// will be appended soon.
    pub fn expect(&self, start: u64, end: u64) {
        *self.state() = State {
            entries: VecDeque::new(),
            start,
            expected: end,
        };
    }

    /// Reads up to `most` entries from position `after` on, and returns those whose id starts with `prefix`.
    ///
    /// `after` may come from another instance and lie beyond the end: it then counts as the end. But if entries up to `after` will
    /// be appended soon, the reading is empty and stays at `after`.
    pub fn read(&self, after: u64, prefix: &str, most: usize) -> LogChunk {
        let state = self.state();
        let log_end = state.start + state.entries.len() as u64;
        let after = after.min(log_end.max(state.expected));
        if after > log_end {
            return LogChunk {
                completions: Vec::new(),
                end: after,
                missed: 0,
                more: false,
            };
        }
        let from = after.max(state.start);
        let to = log_end.min(from + most as u64);
        let index = |position: u64| usize::try_from(position - state.start).expect("within the log");
        LogChunk {
            completions: state
                .entries
                .range(index(from)..index(to))
                .filter(|completion| completion.id.starts_with(prefix))
                .cloned()
                .collect(),
            end: to,
            missed: from - after,
            more: to < log_end,
        }
    }

    /// The position after the newest entry.
    pub fn end(&self) -> u64 {
        let state = self.state();
        state.start + state.entries.len() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn completion(id: &str) -> Completion {
        Completion {
            id: id.into(),
            queue_wait: Duration::ZERO,
            service_time: None,
            outcome: JobOutcome::Dropped,
            deliveries: None,
        }
    }

    #[test]
    fn each_reader_sees_its_own_run_once() {
        let log = CompletionLog::default();
        for id in ["a/1", "b/1", "a/2"] {
            log.push(completion(id));
        }
        let first = log.read(0, "a/", 2);
        assert_eq!(first.completions, [completion("a/1")]);
        assert!(first.more);
        let second = log.read(first.end, "a/", 2);
        assert_eq!(second.completions, [completion("a/2")]);
        assert_eq!((second.end, second.missed, second.more), (3, 0, false));
    }

    #[test]
    fn a_reader_that_is_ahead_of_the_log_sees_nothing_until_the_log_is_there() {
        let log = CompletionLog::default();
        log.expect(3, 5);
        log.push(completion("a/4"));
        let early = log.read(5, "a/", 9);
        assert_eq!((early.completions.len(), early.end, early.missed), (0, 5, 0));
        log.push(completion("a/5"));
        log.push(completion("a/6"));
        assert_eq!(log.read(5, "a/", 9).completions, [completion("a/6")]);
        assert_eq!(log.read(1, "a/", 9).missed, 2);
        assert_eq!(log.read(9, "a/", 9).end, 6);
    }

    #[test]
    fn overwritten_entries_are_reported_as_missed() {
        let log = CompletionLog::default();
        for _ in 0..LOG_CAPACITY + 5 {
            log.push(completion("a/1"));
        }
        assert_eq!(log.read(2, "", 1).missed, 3);
        assert_eq!(log.read(5, "", 1).missed, 0);
        assert_eq!(
            log.read(u64::MAX, "", 1),
            LogChunk {
                completions: vec![],
                end: log.end(),
                missed: 0,
                more: false
            }
        );
    }
}
