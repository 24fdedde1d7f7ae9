//! Live metrics of a run over HTTP: `/metrics` for Prometheus, and an answer for health checks. They have a port, a thread
//! and a runtime of their own, for two reasons. Scrapes that wait behind the load would be missing under overload. A load
//! that waits behind scrapes would be disturbed.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use foo_flags::Address;
use foo_pages::{Occupancy, Pages, text};
use http::StatusCode;
use metrics::{Counter, Gauge, counter, describe_counter, describe_gauge, gauge};
use metrics_exporter_prometheus::{PrometheusHandle, PrometheusRecorder};
use metrics_process::Collector;

use crate::{
    live::{Live, Phase},
    metrics::{Metrics, prometheus},
    recorder::Histograms,
    scenario::Scenario,
    ui::terminal,
};

/// The metrics of a run, not served yet.
pub struct MetricsOfRun {
    recorder: PrometheusRecorder,
    handle: PrometheusHandle,
    process: Collector,
    metrics: Metrics,
    scenario: Arc<Scenario>,
    occupancy: Arc<Occupancy>,
    connections: Gauge,
    pushed_out: Counter,
}

impl MetricsOfRun {
    /// The metrics of a run with this load.
    pub fn new(scenario: Arc<Scenario>) -> Self {
        let recorder = prometheus(&scenario);
        let process = Collector::default();
        let (connections, pushed_out) = metrics::with_local_recorder(&recorder, || {
            process.describe();
            describe_gauge!("load_metrics_connections", "Open connections to this page.");
            describe_counter!(
                "load_metrics_connections_closed_total",
                "Idle connections to this page that were closed because another one needed their place."
            );
            let pushed_out = counter!("load_metrics_connections_closed_total");
            (gauge!("load_metrics_connections"), pushed_out)
        });
        let rated = scenario.schedule.rate_at(Duration::ZERO).is_some();
        Self {
            handle: recorder.handle(),
            process,
            metrics: Metrics::new(&recorder, &scenario, rated),
            recorder,
            scenario,
            occupancy: Arc::default(),
            connections,
            pushed_out,
        }
    }

    /// The histograms in which the run records durations.
    pub fn histograms(&self) -> Histograms {
        self.metrics.histograms()
    }

    /// Starts serving on a thread of its own, for as long as the process lives. Returns the address, once bound.
    pub fn serve(self, address: &Address, live: Arc<Live>) -> io::Result<SocketAddr> {
        let occupancy = Arc::clone(&self.occupancy);
        let stopped = |error| terminal::say(&format!("load-client: metrics are no longer served: {error}"));
        foo_pages::start("metrics", address.bind()?, occupancy, Page { run: self, live }, stopped)
    }

    fn render(&self, live: &Live) -> String {
        let reading = live.read();
        let elapsed = live.started().map(|start| start.elapsed());
        // Before and after the load, the schedule has no rate.
        let loading = elapsed.filter(|_| reading.phase == Phase::Loading);
        let offered = loading.and_then(|elapsed| self.scenario.schedule.rate_at(elapsed));
        self.metrics.publish(&reading, elapsed, offered);
        self.connections.set(self.occupancy.open() as f64);
        self.pushed_out.absolute(self.occupancy.pushed_out());
        metrics::with_local_recorder(&self.recorder, || self.process.collect());
        self.handle.render()
    }
}

/// The HTTP pages of a running load: its metrics and its health.
struct Page {
    run: MetricsOfRun,
    live: Arc<Live>,
}

impl Pages for Page {
    // Without scrapes, the recorder folds its histograms only at this upkeep: until then it keeps each sample.
    const UPKEEP_EVERY: Duration = Duration::from_secs(1);

    fn page(&self, path: &str) -> foo_pages::Page {
        match path {
            "/metrics" => foo_pages::metrics(self.run.render(&self.live)),
            "/" | "/livez" => text(StatusCode::OK, "alive\n"),
            _ => text(StatusCode::NOT_FOUND, "here are /metrics and /livez\n"),
        }
    }

    fn upkeep(&self) {
        self.run.handle.run_upkeep();
    }
}
