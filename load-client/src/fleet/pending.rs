//! The requests of a shard that wait for their next attempt, ordered by its time.

use std::{cmp::Ordering, collections::BinaryHeap, time::Duration};

use super::request::Sent;

/// The requests of one shard that wait for their next attempt. They count as in flight, so there are at most as many as
/// the clients may have in flight.
#[derive(Default)]
pub(super) struct Pending {
    heap: BinaryHeap<Waiting>,
    pushed: u64,
}

struct Waiting {
    at: Duration,
    /// Requests that are due at the same time are sent in the order in which they were pushed.
    order: u64,
    by_service: bool,
    sent: Sent,
}

impl Pending {
    /// Adds a request whose next attempt is due at `at`. `by_service` is true if the service named that time.
    pub(super) fn push(&mut self, at: Duration, by_service: bool, sent: Sent) {
        self.pushed += 1;
        self.heap.push(Waiting {
            at,
            order: self.pushed,
            by_service,
            sent,
        });
    }

    /// Removes a request whose next attempt is due at `now`; also returns whether the service named that time.
    pub(super) fn pop_due(&mut self, now: Duration) -> Option<(Sent, bool)> {
        self.heap.peek().filter(|first| first.at <= now)?;
        self.heap.pop().map(|first| (first.sent, first.by_service))
    }

    /// The time of the earliest next attempt; `None` if no request waits.
    pub(super) fn next(&self) -> Option<Duration> {
        self.heap.peek().map(|first| first.at)
    }

    pub(super) fn len(&self) -> usize {
        self.heap.len()
    }

    /// Removes all requests, the earliest first, because no further attempts are made.
    pub(super) fn give_up(&mut self) -> impl Iterator<Item = Sent> + use<> {
        let mut all = std::mem::take(&mut self.heap).into_sorted_vec();
        all.reverse();
        all.into_iter().map(|waiting| waiting.sent)
    }
}

/// The request that is due first is the greatest, because the heap returns the greatest first.
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
