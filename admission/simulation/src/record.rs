//! What a simulation showed, by service time.

use std::time::Duration;

use tower_admission::line::Class;

/// How a request ended, as its caller sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Answered within the SLO.
    Good,
    /// Answered too late, or cut off at the deadline.
    Late,
    /// Rejected, on arrival or while it waited.
    Rejected,
    /// Left the line at its deadline.
    Left,
    /// Failed at once: a fast failure, as of a dependency that is down.
    Failed,
}

/// What happened within one service time.
#[derive(Debug, Clone, Copy, Default)]
pub struct Bucket {
    /// All requests that arrived, rejected ones included.
    pub arrived: u32,
    /// Requests that ended so, by [`Fate`].
    pub ended: [u32; 5],
    /// Requests that arrived, and were admitted then or later.
    pub admitted: u32,
    /// Their waits in line, in seconds.
    pub waits: f64,
    /// The limit at the end of the bucket.
    pub limit: u32,
    /// Requests in flight when the measurement was taken.
    pub in_flight: u32,
    /// The highest number in flight.
    pub most_in_flight: u32,
}

/// What a whole simulation showed.
#[derive(Debug, Clone, Default)]
pub struct Record {
    /// One for each service time.
    pub buckets: Vec<Bucket>,
    /// By class of urgency: requests that arrived, and those of them that were answered within the SLO.
    pub classes: [(u64, u64); Class::COUNT],
    /// Response times of good answers of class 0.
    pub urgent: Vec<Duration>,
    /// The longest response time of an answer.
    pub longest: Duration,
}

impl Record {
    /// The buckets from one service time to another.
    pub fn between(&self, from: f64, to: f64) -> &[Bucket] {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a number of buckets"
        )]
        let at = |time: f64| (time.max(0.0) as usize).min(self.buckets.len());
        &self.buckets[at(from)..at(to)]
    }

    /// Requests that ended so between two times.
    pub fn count(&self, fate: Fate, from: f64, to: f64) -> f64 {
        self.between(from, to)
            .iter()
            .map(|bucket| f64::from(bucket.ended[fate as usize]))
            .sum()
    }

    /// Good answers for each service time between two times.
    pub fn goodput(&self, from: f64, to: f64) -> f64 {
        self.count(Fate::Good, from, to) / (to - from)
    }

    /// Requests that arrived between two times.
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
