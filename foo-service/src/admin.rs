//! `/metrics`, `/livez` and `/readyz`, on a port, thread and runtime of their own. Behind the load, a scrape would wait just
//! when the metrics matter most.

use std::{io, net::TcpListener, sync::Arc, time::Duration};

use foo_pages::{Occupancy, Page, Pages, text};
use http::StatusCode;
use metrics::{Counter, Gauge, counter, describe_counter, describe_gauge, gauge};
use metrics_exporter_prometheus::{PrometheusHandle, PrometheusRecorder};
use metrics_process::Collector;

use crate::{
    accepting::Accepting, enqueue::EnqueueDoor, ledger::Ledger, lifecycle::Lifecycle, log::LostLines, metrics::Metrics,
    role::Role, turns::Turns,
};

/// The data behind the pages of the admin port.
pub struct Admin {
    recorder: PrometheusRecorder,
    handle: PrometheusHandle,
    process: Collector,
    service: AdminParts,
    occupancy: Arc<Occupancy>,
    own: OwnMetrics,
}

/// The parts of a service that the pages read.
pub struct AdminParts {
    /// The metrics that `/metrics` shows.
    pub metrics: Arc<Metrics>,
    /// The room for calls and messages, whose state `/metrics` shows.
    pub turns: Arc<Turns>,
    /// The counts that are copied into the metrics when these are read.
    pub ledger: Arc<Ledger>,
    /// The queue. `/metrics` shows its state; `/readyz` says no if it cannot be reached.
    pub enqueue: Arc<EnqueueDoor>,
    /// The role, which `/readyz` names.
    pub role: Role,
    /// The phase: `/readyz` says no once a stop was asked for.
    pub lifecycle: Arc<Lifecycle>,
    /// Whether connections can be accepted: `/readyz` says no if they cannot.
    pub accepting: Arc<Accepting>,
    /// The number of log lines that the process has lost.
    pub lost_lines: LostLines,
}

/// Metrics of the process, not of the service's work.
struct OwnMetrics {
    connections: Gauge,
    pushed_out: Counter,
    lost_lines: Counter,
    accept_failures: Counter,
}

impl Admin {
    /// The pages for these parts of a service. `recorder` must be the one with which the service registered its metrics.
    pub fn new(recorder: PrometheusRecorder, service: AdminParts) -> Self {
        let process = Collector::default();
        let own = metrics::with_local_recorder(&recorder, || {
            process.describe();
            OwnMetrics::register()
        });
        Self {
            handle: recorder.handle(),
            recorder,
            process,
            service,
            occupancy: Arc::default(),
            own,
        }
    }

    /// Starts serving on a thread of its own, for as long as the process lives.
    ///
    /// # Errors
    ///
    /// If the system cannot start a thread.
    pub fn start(self, listener: TcpListener) -> io::Result<()> {
        let occupancy = Arc::clone(&self.occupancy);
        let stopped = |error| tracing::error!(%error, "/metrics, /livez and /readyz are no longer served");
        foo_pages::start("admin", listener, occupancy, self, stopped)?;
        Ok(())
    }

    fn metrics(&self) -> String {
        self.service.metrics.publish(&self.service.ledger);
        self.service.turns.publish();
        self.service.enqueue.publish();
        self.own.connections.set(self.occupancy.open() as f64);
        self.own.pushed_out.absolute(self.occupancy.pushed_out());
        self.own.lost_lines.absolute(self.service.lost_lines.count());
        self.own.accept_failures.absolute(self.service.accepting.failures());
        metrics::with_local_recorder(&self.recorder, || self.process.collect());
        self.handle.render() + &self.service.metrics.times()
    }

    fn readiness(&self) -> Page {
        if self.service.lifecycle.leaving() {
            return text(StatusCode::SERVICE_UNAVAILABLE, "draining\n");
        }
        let shortage = self.service.accepting.shortage();
        match shortage.or_else(|| self.service.enqueue.unreached()) {
            Some(why) => text(StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")),
            None => text(StatusCode::OK, format!("{}\n", self.service.role.says())),
        }
    }
}

impl Pages for Admin {
    // Upkeep folds the samples of the recorder's histograms. Until then each sample takes memory: at 100,000 calls a second this
    // period keeps them to a few megabytes, which are still in the processor's caches when they are folded.
    const UPKEEP_EVERY: Duration = Duration::from_millis(500);

    fn page(&self, path: &str) -> Page {
        match path {
            "/metrics" => foo_pages::metrics(self.metrics()),
            "/livez" => text(StatusCode::OK, "alive\n"),
            "/readyz" => self.readiness(),
            _ => text(StatusCode::NOT_FOUND, "here are /metrics, /livez and /readyz\n"),
        }
    }

    fn upkeep(&self) {
        self.handle.run_upkeep();
    }
}

impl OwnMetrics {
    fn register() -> Self {
        describe_gauge!("foo_admin_connections", "Open connections of the admin port.");
        describe_counter!(
            "foo_admin_connections_closed_total",
            "Idle connections of the admin port that were closed because another one needed their place."
        );
        describe_counter!(
            "foo_log_lines_lost_total",
            "Lines of the log that could not be written, or found too many waiting."
        );
        describe_counter!(
            "foo_accept_failures_total",
            "Attempts to accept a connection that failed for want of file descriptors or memory."
        );
        Self {
            connections: gauge!("foo_admin_connections"),
            pushed_out: counter!("foo_admin_connections_closed_total"),
            lost_lines: counter!("foo_log_lines_lost_total"),
            accept_failures: counter!("foo_accept_failures_total"),
        }
    }
}
