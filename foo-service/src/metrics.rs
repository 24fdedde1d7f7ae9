//! Every metric of the service: names, labels, units, buckets.
//!
//! Durations are recorded where they are measured. Counters and gauges are not kept twice: [`Metrics::publish`] copies the
//! [`Ledger`] into the recorder right before each scrape, so the two cannot disagree. Durations that are measured for every
//! message have histograms of their own ([`Metrics::times`]).

mod queue;
mod times;

use std::time::Duration;

use metrics::{
    Counter, Gauge, Histogram, Recorder, Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge,
    histogram,
};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusRecorder};
use tower_admission::room::Status;

pub use self::queue::{OfferOutcome, QueueMetrics};
use self::times::{BUCKETS, Times};
use crate::{
    job::{Door, JobOutcome, Reason, RequestOutcome, Rpc},
    ledger::{Ledger, Levels},
};

/// Creates a recorder for the `/metrics` of one service. The server of that page must call `run_upkeep` on its handle regularly.
pub fn prometheus() -> PrometheusRecorder {
    PrometheusBuilder::new()
        .set_buckets(&BUCKETS)
        .expect("the buckets are not empty")
        .build_recorder()
}

/// The handles of all metrics, registered once.
pub struct Metrics {
    /// The metrics of the queue.
    pub queue: QueueMetrics,
    queue_wait: [Times; 2],
    service_time: [Times; 2],
    sojourn_time: [Times; 2],
    line_wait: Histogram,
    worker_wait: [Histogram; 2],
    admission: Admission,
    requests: [[Counter; RequestOutcome::ALL.len()]; 2],
    watches: [Counter; RequestOutcome::ALL.len()],
    watchers: Gauge,
    refusals: [[Counter; Reason::ALL.len()]; Rpc::ALL.len()],
    jobs: [[Counter; JobOutcome::ALL.len()]; 2],
    levels: Levels<Gauge>,
    workers: Gauge,
    connections: Gauge,
    connections_refused: Counter,
    tls_handshakes_failed: Counter,
}

/// The gauges of the room in which calls and messages wait for their turns.
struct Admission {
    limit: Gauge,
    admitted: Gauge,
    service_time: Gauge,
    expected_wait: Gauge,
}

/// Registers `foo_admission_info`: always 1, with the names of `--limit` and `--line` as labels.
pub fn admission_info(recorder: &dyn Recorder, limit: &'static str, line: &'static str) {
    metrics::with_local_recorder(recorder, || {
        describe_gauge!("foo_admission_info", "Always 1; --limit and --line are in its labels.");
        gauge!("foo_admission_info", "limit" => limit, "line" => line).set(1.0);
    });
}

impl Metrics {
    /// Registers every series, so that all exist from the start.
    ///
    /// `queue_capacity` is `None` for an unbounded queue: the gauge is then infinite.
    pub fn new(recorder: &dyn Recorder, workers: u32, queue_capacity: Option<u32>) -> Self {
        metrics::with_local_recorder(recorder, || {
            describe();
            gauge!("foo_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
            let workers_gauge = gauge!("foo_workers");
            workers_gauge.set(f64::from(workers));
            gauge!("foo_queue_capacity").set(queue_capacity.map_or(f64::INFINITY, f64::from));
            Self {
                queue: QueueMetrics::register(),
                queue_wait: Default::default(),
                service_time: Default::default(),
                sojourn_time: Default::default(),
                line_wait: histogram!("foo_line_wait_seconds"),
                worker_wait: Door::ALL.map(|door| histogram!("foo_worker_wait_seconds", "door" => door.label())),
                admission: Admission {
                    limit: gauge!("foo_concurrency_limit"),
                    admitted: gauge!("foo_admitted"),
                    service_time: gauge!("foo_observed_service_time_seconds"),
                    expected_wait: gauge!("foo_expected_wait_seconds"),
                },
                requests: Door::ALL.map(|rpc| {
                    RequestOutcome::ALL.map(
                        |outcome| counter!("foo_requests_total", "rpc" => rpc.label(), "outcome" => outcome.label()),
                    )
                }),
                watches: RequestOutcome::ALL.map(|outcome| counter!("foo_watches_total", "outcome" => outcome.label())),
                watchers: gauge!("foo_watchers"),
                refusals: Rpc::ALL.map(|rpc| {
                    Reason::ALL
                        .map(|reason| counter!("foo_refusals_total", "rpc" => rpc.label(), "reason" => reason.label()))
                }),
                jobs: Door::ALL.map(|door| {
                    JobOutcome::ALL
                        .map(|outcome| counter!("foo_jobs_total", "door" => door.label(), "outcome" => outcome.label()))
                }),
                levels: Levels {
                    queue_depth: gauge!("foo_queue_depth"),
                    queue_bytes: gauge!("foo_queue_bytes"),
                    waiting: gauge!("foo_waiting"),
                    in_service: gauge!("foo_in_service"),
                    in_system: gauge!("foo_in_system"),
                },
                workers: workers_gauge,
                connections: gauge!("foo_connections"),
                connections_refused: counter!("foo_connections_refused_total"),
                tls_handshakes_failed: counter!("foo_tls_handshakes_failed_total"),
            }
        })
    }

    /// Records the queue wait of a message that a worker took.
    pub fn waited(&self, door: Door, queue_wait: Duration) {
        self.queue_wait[door as usize].record(queue_wait);
    }

    /// Records the times of a message that a worker has processed.
    pub fn served(&self, door: Door, queue_wait: Duration, service_time: Duration) {
        self.service_time[door as usize].record(service_time);
        self.sojourn_time[door as usize].record(queue_wait + service_time);
    }

    /// Records how long a caller of Enqueue waited in line for room on the queue.
    pub fn stood_in_line(&self, wait: Duration) {
        self.line_wait.record(wait);
    }

    /// Records how long an admitted message waited for a worker.
    pub fn waited_for_worker(&self, door: Door, wait: Duration) {
        self.worker_wait[door as usize].record(wait);
    }

    /// Copies the state of the room into its gauges.
    pub fn admission(&self, status: &Status) {
        let gauges = &self.admission;
        gauges.limit.set(f64::from(status.limit));
        gauges.admitted.set(f64::from(status.in_flight));
        gauges.service_time.set(status.service_time.as_secs_f64());
        gauges.expected_wait.set(status.expected_wait.as_secs_f64());
    }

    /// Sets the gauge of workers.
    pub fn workers(&self, count: u32) {
        self.workers.set(f64::from(count));
    }

    /// Counts a connection that was opened.
    pub fn connection_opened(&self) {
        self.connections.increment(1);
    }

    /// Counts a connection that was closed.
    pub fn connection_closed(&self) {
        self.connections.decrement(1);
    }

    /// Counts a connection that was closed at once, because as many as allowed were open.
    pub fn connection_refused(&self) {
        self.connections_refused.increment(1);
    }

    /// Counts a connection whose TLS handshake failed.
    pub fn tls_handshake_failed(&self) {
        self.tls_handshakes_failed.increment(1);
    }

    /// The histograms of queue wait, service time and sojourn time, in Prometheus' text format, to append to the recorder's page.
    pub fn times(&self) -> String {
        let mut page = String::new();
        let families = [
            (
                "foo_queue_wait_seconds",
                "How long a message waited until a worker took it: from its arrival with Process, from joining the queue with Enqueue. \
                 Messages that no worker took are not counted.",
                &self.queue_wait,
            ),
            (
                "foo_service_time_seconds",
                "Work on a message, as measured.",
                &self.service_time,
            ),
            (
                "foo_sojourn_time_seconds",
                "Queue wait and service time together.",
                &self.sojourn_time,
            ),
        ];
        for (name, about, doors) in families {
            let series = Door::ALL.map(|door| (format!("door=\"{}\"", door.label()), &doors[door as usize]));
            times::family(&mut page, name, about, series);
        }
        page
    }

    /// Copies the ledger's counters and levels into the recorder.
    pub fn publish(&self, ledger: &Ledger) {
        for door in Door::ALL {
            let requests = &self.requests[door as usize];
            for outcome in RequestOutcome::ALL {
                requests[outcome as usize].absolute(ledger.requests(door, outcome));
            }
            let reading = ledger.door(door);
            for outcome in JobOutcome::ALL {
                self.jobs[door as usize][outcome as usize].absolute(reading.of(outcome));
            }
        }
        for outcome in RequestOutcome::ALL {
            self.watches[outcome as usize].absolute(ledger.requests(Rpc::Watch, outcome));
        }
        for rpc in Rpc::ALL {
            for reason in Reason::ALL {
                self.refusals[rpc as usize][reason as usize].absolute(ledger.refusals(rpc, reason));
            }
        }
        self.watchers.set(f64::from(ledger.windows()));
        let now = ledger.levels();
        self.levels.queue_depth.set(now.queue_depth as f64);
        self.levels.queue_bytes.set(now.queue_bytes as f64);
        self.levels.waiting.set(now.waiting as f64);
        self.levels.in_service.set(now.in_service as f64);
        self.levels.in_system.set(now.in_system as f64);
    }
}

fn describe() {
    describe_counter!("foo_requests_total", "Calls, by how they ended.");
    describe_counter!(
        "foo_refusals_total",
        "Calls that were not answered with OK, by reason. Their sum is foo_requests_total without the outcome ok; for Watch, \
         foo_watches_total."
    );
    describe_counter!("foo_watches_total", "Watch streams that have ended, by how they ended.");
    describe_gauge!("foo_watchers", "Open Watch streams.");
    describe_counter!("foo_jobs_total", "Admitted messages, by how they ended.");
    describe_counter!(
        "foo_connections_refused_total",
        "Connections closed as they came because as many as allowed were open."
    );
    describe_counter!(
        "foo_tls_handshakes_failed_total",
        "Connections that ended in the TLS handshake: no TLS, no certificate, or too slow."
    );
    describe_gauge!(
        "foo_build_info",
        "Always 1; the version of the program is in its label."
    );
    describe_gauge!("foo_connections", "Open connections.");
    describe_gauge!("foo_queue_depth", "Messages on the queue.");
    describe_gauge!("foo_queue_capacity", "Places on the queue; +Inf if it is unbounded.");
    describe_gauge!(
        "foo_queue_bytes",
        Unit::Bytes,
        "Ids and payloads of the messages on the queue."
    );
    describe_gauge!(
        "foo_waiting",
        "Callers of Process that wait in line, and callers of Enqueue that wait for room on the queue."
    );
    describe_gauge!("foo_in_service", "Messages that a worker has.");
    describe_gauge!("foo_in_system", "Messages and callers waiting or in service.");
    describe_gauge!("foo_workers", "Messages processed at once, at most.");
    describe_gauge!(
        "foo_concurrency_limit",
        "Messages admitted at once, from both RPCs: the limit in force."
    );
    describe_gauge!(
        "foo_admitted",
        "Messages that are admitted now: with a worker, or waiting for one because the limit is above the workers."
    );
    describe_gauge!(
        "foo_observed_service_time_seconds",
        Unit::Seconds,
        "How long an admitted message takes, as limit and line observe it: a running mean. 0 while nothing is known."
    );
    describe_gauge!(
        "foo_expected_wait_seconds",
        Unit::Seconds,
        "How long a call waits for its turn that arrives now and is served last."
    );
    describe_histogram!(
        "foo_worker_wait_seconds",
        Unit::Seconds,
        "How long messages waited for a worker after they were admitted, of those that had to: the limit is above the workers."
    );
    describe_histogram!(
        "foo_line_wait_seconds",
        Unit::Seconds,
        "How long callers of Enqueue that got a place on the queue had stood in line for it (--when-full wait)."
    );
}
