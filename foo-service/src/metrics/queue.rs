//! The metrics of a durable queue, and the age of the oldest message of any queue.

use std::time::Duration;

use metrics::{
    Counter, Gauge, Histogram, Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};
use strum::{EnumCount, IntoStaticStr, VariantArray};

/// What became of a message that a durable queue was offered: the label `outcome` of `foo_queue_offer_seconds`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumCount, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum OfferOutcome {
    /// It is on the disk.
    Ok,
    /// The queue was full, and the message was rejected.
    Full,
    /// The queue could not be written.
    Failed,
}

/// The handles by which the series are written.
pub struct QueueMetrics {
    oldest_age: Gauge,
    offers: [Histogram; OfferOutcome::COUNT],
    commits: Histogram,
    duplicates: Counter,
    redeliveries: Counter,
    write_failures: Counter,
    ids: Gauge,
}

impl QueueMetrics {
    pub(super) fn register() -> Self {
        describe();
        let offers = std::array::from_fn(|index| {
            let outcome: &str = OfferOutcome::VARIANTS[index].into();
            histogram!("foo_queue_offer_seconds", "outcome" => outcome)
        });
        Self {
            oldest_age: gauge!("foo_queue_oldest_age_seconds"),
            offers,
            commits: histogram!("foo_queue_commit_seconds"),
            duplicates: counter!("foo_queue_duplicates_total"),
            redeliveries: counter!("foo_queue_redeliveries_total"),
            write_failures: counter!("foo_queue_write_failures_total"),
            ids: gauge!("foo_queue_remembered_ids"),
        }
    }

    /// The oldest message has waited so long.
    pub fn oldest_age(&self, age: Duration) {
        self.oldest_age.set(age.as_secs_f64());
    }

    /// A caller has its answer after so long.
    pub fn offered(&self, outcome: OfferOutcome, wait: Duration) {
        self.offers[outcome as usize].record(wait);
    }

    /// A commit took so long.
    pub fn committed(&self, took: Duration) {
        self.commits.record(took);
    }

    /// A message was a repeat of one that the queue knows.
    pub fn duplicate(&self) {
        self.duplicates.increment(1);
    }

    /// A message was taken that an earlier process may have begun to process.
    pub fn redelivered(&self) {
        self.redeliveries.increment(1);
    }

    /// The file could not be written or read.
    pub fn write_failed(&self) {
        self.write_failures.increment(1);
    }

    /// So many ids are remembered.
    pub fn ids(&self, count: usize) {
        self.ids.set(count as f64);
    }
}

fn describe() {
    describe_gauge!(
        "foo_queue_oldest_age_seconds",
        Unit::Seconds,
        "How long the oldest message on the queue has waited; 0 if there is none."
    );
    describe_histogram!(
        "foo_queue_offer_seconds",
        Unit::Seconds,
        "How long callers of Enqueue waited for a durable queue: until their message was on the disk, or refused."
    );
    describe_histogram!(
        "foo_queue_commit_seconds",
        Unit::Seconds,
        "How long it took a durable queue to write a group of changes to the disk."
    );
    describe_counter!(
        "foo_queue_duplicates_total",
        "Messages that a durable queue already had under their id: acknowledged, and not queued again."
    );
    describe_counter!(
        "foo_queue_redeliveries_total",
        "Messages taken from a durable queue that may have been in service when an earlier process was killed."
    );
    describe_counter!(
        "foo_queue_write_failures_total",
        "Attempts to write or read the file of a durable queue that failed."
    );
    describe_gauge!(
        "foo_queue_remembered_ids",
        "Ids by which a durable queue recognises repeats of messages."
    );
}
