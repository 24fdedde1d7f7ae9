//! The metrics of a durable or shared queue, and the age of the oldest message of any queue.

use std::time::Duration;

use metrics::{
    Counter, Gauge, Histogram, Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};
use strum::{EnumCount, IntoStaticStr, VariantArray};

/// What became of a message that a durable or shared queue was offered: the label `outcome` of `foo_queue_offer_seconds`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumCount, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum OfferOutcome {
    /// It is on the disk.
    Ok,
    /// The queue was full, and the message was rejected.
    Full,
    /// The queue could not be written.
    Failed,
    /// The server of a shared queue did not answer in time.
    Timeout,
    /// The server of a shared queue was out of reach, so the message was not sent.
    Unreachable,
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
    shared: SharedMetrics,
}

/// Those that only a shared queue has.
struct SharedMetrics {
    shared: Gauge,
    leased: Gauge,
    look_age: Gauge,
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
        // A queue in this process is always there.
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
                look_age: gauge!("foo_queue_look_age_seconds"),
                connected,
                reconnects: counter!("foo_queue_reconnects_total"),
                unsure: counter!("foo_queue_unsure_total"),
                dead_letters: counter!("foo_queue_dead_letters_total"),
                leases_lost: counter!("foo_queue_lease_lost_total"),
            },
        }
    }

    /// Other instances have the queue too.
    pub fn share(&self) {
        self.shared.shared.set(1.0);
    }

    /// All instances together have so many messages of a shared queue, as was seen so long ago.
    pub fn seen(&self, leased: u64, ago: Duration) {
        self.shared.leased.set(leased as f64);
        self.shared.look_age.set(ago.as_secs_f64());
    }

    /// Whether the server of a shared queue is connected, and how often it was connected again.
    pub fn connection(&self, connected: bool, again: u64) {
        self.shared.connected.set(f64::from(u8::from(connected)));
        self.shared.reconnects.absolute(again);
    }

    /// A shared queue has not confirmed a message in time.
    pub fn unsure(&self) {
        self.shared.unsure.increment(1);
    }

    /// A message was put aside.
    pub fn dead_letter(&self) {
        self.shared.dead_letters.increment(1);
    }

    /// So many leases have ended while this instance had their messages.
    pub fn leases_lost(&self, count: u64) {
        self.shared.leases_lost.increment(count);
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

    /// A message was taken that another process may have begun to process.
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
        "How long ago a shared queue was last looked at: foo_queue_depth and the like are so old."
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
        "Messages that this instance put aside, because they were delivered as often as is allowed."
    );
    describe_counter!(
        "foo_queue_lease_lost_total",
        "Leases that ended while this instance had their messages, because the server was out of reach for so long."
    );
}
