//! How queued messages ended, for watchers: a bounded log in which each entry has a position. Each watcher reads at its own
//! pace, can resume at a position, and is told when entries were overwritten before it read them.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard},
    time::Duration,
};

use crate::job::JobOutcome;

/// Entries kept (arbitrary: a second at 100,000 messages/s, at most 20 MiB with the longest ids).
pub const LOG_CAPACITY: usize = 131_072;

/// The end of one queued message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completion {
    /// The id of the message.
    pub id: Box<str>,
    /// On the queue, until a worker took it or it was dropped.
    pub queue_wait: Duration,
    /// `None`: no worker ever had it.
    pub service_time: Option<Duration>,
    /// How it ended: one of the outcomes of an admitted message.
    pub outcome: JobOutcome,
    /// How often a shared queue had delivered it, at least once; `None`: the queue is not shared.
    pub deliveries: Option<u32>,
}

/// The log. Positions count from 0 at the start of the instance, or go on where a durable queue ended.
#[derive(Debug, Default)]
pub struct CompletionLog {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    entries: VecDeque<Completion>,
    /// The position of the oldest entry.
    start: u64,
    /// A position that the end reaches soon: entries up to there are on the server of a shared queue.
    expected: u64,
}

/// A look at the log.
#[derive(Debug, PartialEq, Eq)]
pub struct LogChunk {
    /// Those asked for, oldest first.
    pub completions: Vec<Completion>,
    /// Where the look ended: the position to go on from.
    pub end: u64,
    /// Entries of any run that were overwritten before this look.
    pub missed: u64,
    /// Whether there is more to see.
    pub more: bool,
}

impl CompletionLog {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no code panics with the log locked")
    }

    /// Appends; the oldest makes room.
    pub fn push(&self, completion: Completion) {
        let mut state = self.state();
        if state.entries.len() == LOG_CAPACITY {
            state.entries.pop_front();
            state.start += 1;
        }
        state.entries.push_back(completion);
    }

    /// What an earlier process has written: entries from position `start` on. Nothing was appended before.
    pub fn restore(&self, entries: VecDeque<Completion>, start: u64) {
        *self.state() = State {
            entries,
            start,
            expected: 0,
        };
    }

    /// The next entry has position `start`: those before it are not to be had. Entries up to position `end` are on their way.
    pub fn expect(&self, start: u64, end: u64) {
        *self.state() = State {
            entries: VecDeque::new(),
            start,
            expected: end,
        };
    }

    /// Looks at up to `most` entries from position `after` on, and returns those whose id starts with `prefix`.
    ///
    /// `after` of another instance may lie beyond the end; it then counts as the end. Where entries up to there are on their way,
    /// there is nothing to see yet.
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
