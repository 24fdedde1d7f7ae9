//! The results of a simulation, in buckets of one service time each.

use std::time::Duration;

use tower_admission::line::Class;

/// The outcome of a request, as its caller sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Answered within the SLO.
    Good,
    /// Answered too late, or cut off at the deadline.
    Late,
    /// Rejected, on arrival or while it waited.
    Rejected,
    /// The caller stopped waiting at its deadline while the request was in line.
    Left,
    /// Failed fast, without a worker, as if a dependency were down.
    Failed,
}

/// Counts and sums over one service time.
#[derive(Debug, Clone, Copy, Default)]
pub struct Bucket {
    /// The number of requests that arrived, rejected ones included.
    pub arrived: u32,
    /// The number of requests that ended with each [`Fate`], indexed by it.
    pub ended: [u32; 5],
    /// The number of requests that arrived in this bucket and were admitted then or later.
    pub admitted: u32,
    /// The sum of the waits in line of the requests in `admitted`, in seconds.
    pub waits: f64,
    /// The limit at the end of the bucket.
    pub limit: u32,
    /// The number of requests in flight at the end of the bucket.
    pub in_flight: u32,
    /// The highest number of requests in flight during the bucket.
    pub most_in_flight: u32,
}

/// The results of a whole simulation.
#[derive(Debug, Clone, Default)]
pub struct Record {
    /// The buckets, one for each service time.
    pub buckets: Vec<Bucket>,
    /// For each class: the requests that arrived, and those of them that were answered within the SLO.
    pub classes: [(u64, u64); Class::COUNT],
    /// The response times of the requests of class 0 that were answered within the SLO.
    pub urgent: Vec<Duration>,
    /// The longest response time.
    pub longest: Duration,
}

impl Record {
    /// The buckets from the service time `from` up to `to`.
    pub fn between(&self, from: f64, to: f64) -> &[Bucket] {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a number of buckets"
        )]
        let at = |time: f64| (time.max(0.0) as usize).min(self.buckets.len());
        &self.buckets[at(from)..at(to)]
    }

    /// The number of requests that ended with this fate between two times, given in service times.
    pub fn count(&self, fate: Fate, from: f64, to: f64) -> f64 {
        self.between(from, to)
            .iter()
            .map(|bucket| f64::from(bucket.ended[fate as usize]))
            .sum()
    }

    /// The answers within the SLO per service time, between two times, given in service times.
    pub fn goodput(&self, from: f64, to: f64) -> f64 {
        self.count(Fate::Good, from, to) / (to - from)
    }

    /// The number of requests that arrived between two times, given in service times.
    pub fn arrived(&self, from: f64, to: f64) -> f64 {
        self.between(from, to)
            .iter()
            .map(|bucket| f64::from(bucket.arrived))
            .sum()
    }

    /// The mean wait in line of requests that arrived between two times, in seconds.
    pub fn mean_wait(&self, from: f64, to: f64) -> f64 {
        let buckets = self.between(from, to);
        let admitted: f64 = buckets.iter().map(|bucket| f64::from(bucket.admitted)).sum();
        buckets.iter().map(|bucket| bucket.waits).sum::<f64>() / admitted.max(1.0)
    }

    /// The mean limit between two times.
    pub fn mean_limit(&self, from: f64, to: f64) -> f64 {
        let buckets = self.between(from, to);
        buckets.iter().map(|bucket| f64::from(bucket.limit)).sum::<f64>() / buckets.len().max(1) as f64
    }
}
