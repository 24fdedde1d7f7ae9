//! Live metrics of a run over HTTP: `/metrics` for Prometheus, and an answer for health checks, on a port, thread and
//! runtime of their own. A scrape that queued behind the load would go blank at the interesting moment, and one that the
//! load queued behind would be a disturbance.

use std::{convert::Infallible, io, net::SocketAddr, sync::Arc, thread, time::Duration};

use bytes::Bytes;
use foo_flags::Address;
use http::{HeaderValue, Method, Request, Response, StatusCode, header::CONTENT_TYPE};
use http_body_util::Full;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use metrics_exporter_prometheus::{PrometheusHandle, PrometheusRecorder};
use metrics_process::Collector;
use tokio::{net::TcpListener, sync::Semaphore, time::timeout};

use crate::{
    live::{Live, Stage},
    metrics::{Histograms, Metrics, prometheus},
    output::view::terminal,
    scenario::Scenario,
};

/// Connections served at once; more wait in the system's backlog (arbitrary: a few scrapers and probes).
const MAX_CONNECTIONS: usize = 16;
/// The longest that a connection is kept (arbitrary: longer than a scraper's keep-alive needs).
const CONNECTION_AGE: Duration = Duration::from_secs(300);
/// How often histograms are folded when nobody scrapes: until then each sample of each is kept.
const UPKEEP_EVERY: Duration = Duration::from_secs(1);

/// The metrics of a run, not served yet.
pub struct Page {
    recorder: PrometheusRecorder,
    handle: PrometheusHandle,
    process: Collector,
    metrics: Metrics,
    scenario: Arc<Scenario>,
    live: Arc<Live>,
}

impl Page {
    /// Of the run that has this state.
    pub fn new(scenario: Arc<Scenario>, live: Arc<Live>) -> Self {
        let recorder = prometheus(&scenario);
        let process = Collector::default();
        metrics::with_local_recorder(&recorder, || process.describe());
        let rated = scenario.schedule.rate_at(Duration::ZERO).is_some();
        Self {
            handle: recorder.handle(),
            process,
            metrics: Metrics::new(&recorder, &scenario, rated),
            recorder,
            scenario,
            live,
        }
    }

    /// Where the run records durations.
    pub fn histograms(&self) -> Histograms {
        self.metrics.histograms()
    }

    /// Starts serving on a thread of its own, for as long as the process lives. Returns the address, once bound.
    pub fn serve(self, address: &Address) -> io::Result<SocketAddr> {
        let listener = address.bind()?;
        listener.set_nonblocking(true)?;
        let bound = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        thread::Builder::new().name("metrics".to_owned()).spawn(move || {
            runtime.block_on(async {
                if let Err(error) = Arc::new(self).accept(listener).await {
                    terminal::say(&format!("load-client: metrics are no longer served: {error}"));
                }
            });
        })?;
        Ok(bound)
    }

    async fn accept(self: Arc<Self>, listener: std::net::TcpListener) -> io::Result<()> {
        let listener = TcpListener::from_std(listener)?;
        tokio::spawn(upkeep(self.handle.clone()));
        let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        loop {
            let place = Arc::clone(&places).acquire_owned().await.map_err(io::Error::other)?;
            let Ok((connection, _)) = listener.accept().await else {
                // Out of descriptors, most likely: others will close some.
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            };
            let page = Arc::clone(&self);
            tokio::spawn(async move {
                let answer = service_fn(|request| std::future::ready(Ok::<_, Infallible>(page.answer(&request))));
                let served = http1::Builder::new()
                    .timer(TokioTimer::new())
                    .serve_connection(TokioIo::new(connection), answer);
                // How a scraper's connection ends is the scraper's business.
                let _ = timeout(CONNECTION_AGE, served).await;
                drop(place);
            });
        }
    }

    fn answer(&self, request: &Request<Incoming>) -> Response<Full<Bytes>> {
        if request.method() != Method::GET && request.method() != Method::HEAD {
            return text(StatusCode::METHOD_NOT_ALLOWED, "only GET\n");
        }
        match request.uri().path() {
            "/metrics" => {
                let mut page = text(StatusCode::OK, self.render());
                let exposition = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
                page.headers_mut().insert(CONTENT_TYPE, exposition);
                page
            }
            "/" | "/livez" => text(StatusCode::OK, "alive\n"),
            _ => text(StatusCode::NOT_FOUND, "here are /metrics and /livez\n"),
        }
    }

    fn render(&self) -> String {
        let reading = self.live.read();
        let elapsed = self.live.started().map(|start| start.elapsed());
        // Nothing is asked for before the load and after it.
        let loading = elapsed.filter(|_| reading.stage == Stage::Loading);
        let offered = loading.and_then(|elapsed| self.scenario.schedule.rate_at(elapsed));
        self.metrics.publish(&reading, elapsed, offered);
        metrics::with_local_recorder(&self.recorder, || self.process.collect());
        self.handle.render()
    }
}

async fn upkeep(handle: PrometheusHandle) {
    let mut ticks = tokio::time::interval(UPKEEP_EVERY);
    loop {
        ticks.tick().await;
        handle.run_upkeep();
    }
}

fn text(status: StatusCode, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, plain);
    response
}
