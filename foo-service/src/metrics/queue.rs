//! The metrics of a durable or shared queue, and the age of the oldest message of any queue.

use std::time::Duration;

use metrics::{
    Counter, Gauge, Histogram, Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};
use strum::{EnumCount, IntoStaticStr, VariantArray};

/// How an offer of a message to a durable or shared queue ended: the label `outcome` of `foo_queue_offer_seconds`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumCount, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum OfferOutcome {
    /// The queue has stored the message, or had it already.
    Ok,
    /// The queue was full, and the message was rejected.
    Full,
    /// The queue could not be written.
    Failed,
    /// The server of a shared queue did not answer in time.
    Timeout,
    /// The server of a shared queue could not be reached, so the message was not sent.
    Unreachable,
}

/// The handles of the queue's metrics.
pub struct QueueMetrics {
    oldest_age: Gauge,
    offers: [Histogram; OfferOutcome::COUNT],
    commits: Histogram,
    duplicates: Counter,
    redeliveries: Counter,
    write_failures: Counter,
    ids: Gauge,
    shared: SharedMetrics,
}

/// The handles of metrics that only a shared queue uses.
struct SharedMetrics {
    shared: Gauge,
    leased: Gauge,
    sample_age: Gauge,
    connected: Gauge,
    reconnects: Counter,
    unsure: Counter,
    dead_letters: Counter,
    leases_lost: Counter,
}

impl QueueMetrics {
    pub(super) fn register() -> Self {
        describe();
        let offers = std::array::from_fn(|index| {
            let outcome: &str = OfferOutcome::VARIANTS[index].into();
            histogram!("foo_queue_offer_seconds", "outcome" => outcome)
        });
        // Only a shared queue can lose its connection; for all others the gauge stays 1.
        let connected = gauge!("foo_queue_connected");
        connected.set(1.0);
        Self {
            oldest_age: gauge!("foo_queue_oldest_age_seconds"),
            offers,
            commits: histogram!("foo_queue_commit_seconds"),
            duplicates: counter!("foo_queue_duplicates_total"),
            redeliveries: counter!("foo_queue_redeliveries_total"),
            write_failures: counter!("foo_queue_write_failures_total"),
            ids: gauge!("foo_queue_remembered_ids"),
            shared: SharedMetrics {
                shared: gauge!("foo_queue_shared"),
                leased: gauge!("foo_queue_leased"),
                sample_age: gauge!("foo_queue_look_age_seconds"),
                connected,
                reconnects: counter!("foo_queue_reconnects_total"),
                unsure: counter!("foo_queue_unsure_total"),
                dead_letters: counter!("foo_queue_dead_letters_total"),
                leases_lost: counter!("foo_queue_lease_lost_total"),
            },
        }
    }

    /// Marks the queue as shared with other instances.
    pub fn share(&self) {
        self.shared.shared.set(1.0);
    }

    /// Sets the number of messages that all instances together have leased from a shared queue, and how long `ago` it was sampled.
    pub fn sampled(&self, leased: u64, ago: Duration) {
        self.shared.leased.set(leased as f64);
        self.shared.sample_age.set(ago.as_secs_f64());
    }

    /// Sets whether the server of a shared queue is connected, and how often the connection was made again.
    pub fn connection(&self, connected: bool, again: u64) {
        self.shared.connected.set(f64::from(u8::from(connected)));
        self.shared.reconnects.absolute(again);
    }

    /// Counts a message that a shared queue has not confirmed in time.
    pub fn unsure(&self) {
        self.shared.unsure.increment(1);
    }

    /// Counts a message that this instance moved to the dead letters.
    pub fn dead_letter(&self) {
        self.shared.dead_letters.increment(1);
    }

    /// Counts leases that ended while this instance still had their messages.
    pub fn leases_lost(&self, count: u64) {
        self.shared.leases_lost.increment(count);
    }

    /// Sets how long the oldest message has waited.
    pub fn oldest_age(&self, age: Duration) {
        self.oldest_age.set(age.as_secs_f64());
    }

    /// Records how long a caller waited until the queue accepted or refused its message.
    pub fn offered(&self, outcome: OfferOutcome, wait: Duration) {
        self.offers[outcome as usize].record(wait);
    }

    /// Records how long a commit to the file took.
    pub fn committed(&self, took: Duration) {
        self.commits.record(took);
    }

    /// Counts a message that was not queued, because the queue knows its id.
    pub fn duplicate(&self) {
        self.duplicates.increment(1);
    }

    /// Counts a message taken from the queue that another process may have begun to process.
    pub fn redelivered(&self) {
        self.redeliveries.increment(1);
    }

    /// Counts an attempt to write or read the file that failed.
    pub fn write_failed(&self) {
        self.write_failures.increment(1);
    }

    /// Sets how many ids the queue remembers.
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
        "How long callers of Enqueue waited for a durable or shared queue: until their message was safe, or refused."
    );
    describe_histogram!(
        "foo_queue_commit_seconds",
        Unit::Seconds,
        "How long it took a durable queue to write a group of changes to the disk."
    );
    describe_counter!(
        "foo_queue_duplicates_total",
        "Messages that a durable or shared queue already had under their id: acknowledged, and not queued again."
    );
    describe_counter!(
        "foo_queue_redeliveries_total",
        "Messages taken from a durable or shared queue that another process had before: it was killed, frozen or cut off."
    );
    describe_counter!(
        "foo_queue_write_failures_total",
        "Attempts to write or read the file of a durable queue that failed."
    );
    describe_gauge!(
        "foo_queue_remembered_ids",
        "Ids by which a durable queue recognises repeats of messages."
    );
    describe_shared();
}

fn describe_shared() {
    describe_gauge!(
        "foo_queue_shared",
        "1 if the queue is shared: its depth, bytes and age are those of all instances together. 0 otherwise."
    );
    describe_gauge!(
        "foo_queue_leased",
        "Messages of a shared queue that an instance has, of all instances together."
    );
    describe_gauge!(
        "foo_queue_look_age_seconds",
        Unit::Seconds,
        "Age of the last sample of a shared queue: foo_queue_depth and the other figures of the whole queue are this old."
    );
    describe_gauge!(
        "foo_queue_connected",
        "0 while the server of a shared queue is not connected; otherwise 1, also for every other queue."
    );
    describe_counter!(
        "foo_queue_reconnects_total",
        "Connections to the server of a shared queue after the first."
    );
    describe_counter!(
        "foo_queue_unsure_total",
        "Messages that a shared queue has not confirmed in time: they may be on it."
    );
    describe_counter!(
        "foo_queue_dead_letters_total",
        "Messages that this instance moved to the dead letters, because they were delivered as often as is allowed."
    );
    describe_counter!(
        "foo_queue_lease_lost_total",
        "Leases that ended while this instance had their messages, because the server was out of reach for so long."
    );
}
