//! Requests that wait for their next attempt, by when it is due.

use std::{cmp::Ordering, collections::BinaryHeap, time::Duration};

use super::request::Sent;

/// The requests of one shard that wait for their next attempt. There are at most as many as the clients may have in flight.
#[derive(Default)]
pub(super) struct Pending {
    heap: BinaryHeap<Waiting>,
    pushed: u64,
}

struct Waiting {
    at: Duration,
    /// Requests that are due at the same time go in the order in which they came.
    order: u64,
    told: bool,
    sent: Sent,
}

impl Pending {
    /// The next attempt of this request is due at `at`. `told`: the service has named that time.
    pub(super) fn push(&mut self, at: Duration, told: bool, sent: Sent) {
        self.pushed += 1;
        self.heap.push(Waiting {
            at,
            order: self.pushed,
            told,
            sent,
        });
    }

    /// A request whose next attempt is due, and whether the service has named the time.
    pub(super) fn pop_due(&mut self, now: Duration) -> Option<(Sent, bool)> {
        self.heap.peek().filter(|first| first.at <= now)?;
        self.heap.pop().map(|first| (first.sent, first.told))
    }

    /// When the next attempt is due.
    pub(super) fn next(&self) -> Option<Duration> {
        self.heap.peek().map(|first| first.at)
    }

    pub(super) fn len(&self) -> usize {
        self.heap.len()
    }

    /// All of them: there are no further attempts.
    pub(super) fn give_up(&mut self) -> impl Iterator<Item = Sent> + use<> {
        let mut all = std::mem::take(&mut self.heap).into_sorted_vec();
        all.reverse();
        all.into_iter().map(|waiting| waiting.sent)
    }
}

/// The first that is due is the greatest.
impl Ord for Waiting {
    fn cmp(&self, other: &Self) -> Ordering {
        (other.at, other.order).cmp(&(self.at, self.order))
    }
}

impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Waiting {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Waiting {}
