//! `/metrics`, `/livez` and `/readyz`, on a port, thread and runtime of their own: a scrape that queued behind the load
//! would go blank at the interesting moment.

use std::{convert::Infallible, io, net::SocketAddr, sync::Arc, thread, time::Duration};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header::CONTENT_TYPE};
use http_body_util::Full;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use metrics_exporter_prometheus::{PrometheusHandle, PrometheusRecorder};
use metrics_process::Collector;
use tokio::{net::TcpListener, sync::Semaphore, time::timeout};

use crate::{ledger::Ledger, lifecycle::Lifecycle, metrics::Metrics};

/// Connections served at once; more wait in the system's backlog (arbitrary: a few scrapers and probes).
const MAX_CONNECTIONS: usize = 32;
/// The longest that a connection is kept (arbitrary: longer than any sane scrape interval's keep-alive needs).
const CONNECTION_AGE: Duration = Duration::from_secs(300);
/// How often the recorder's histograms are folded. Until then every sample takes memory of its own: at 100,000 calls a second
/// this keeps them to a few megabytes, which are still in the caches when they are folded.
const UPKEEP_EVERY: Duration = Duration::from_millis(500);

/// What is served.
pub struct Admin {
    recorder: PrometheusRecorder,
    handle: PrometheusHandle,
    process: Collector,
    metrics: Arc<Metrics>,
    ledger: Arc<Ledger>,
    lifecycle: Arc<Lifecycle>,
}

impl Admin {
    /// The pages of the service that has these parts; `recorder` is the one its metrics were registered with.
    pub fn new(
        recorder: PrometheusRecorder,
        metrics: Arc<Metrics>,
        ledger: Arc<Ledger>,
        lifecycle: Arc<Lifecycle>,
    ) -> Self {
        let process = Collector::default();
        metrics::with_local_recorder(&recorder, || process.describe());
        Self {
            handle: recorder.handle(),
            recorder,
            process,
            metrics,
            ledger,
            lifecycle,
        }
    }

    /// Starts serving on a thread of its own, for as long as the process lives. Returns the address, once bound.
    pub fn start(self, address: SocketAddr) -> io::Result<SocketAddr> {
        let listener = std::net::TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let bound = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        thread::Builder::new().name("admin".to_owned()).spawn(move || {
            runtime.block_on(async {
                let served = async { Arc::new(self).serve(TcpListener::from_std(listener)?).await };
                if let Err(error) = served.await {
                    tracing::error!(%error, "admin: stopped");
                }
            });
        })?;
        Ok(bound)
    }

    async fn serve(self: Arc<Self>, listener: TcpListener) -> io::Result<()> {
        tokio::spawn(upkeep(self.handle.clone()));
        let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        loop {
            let place = Arc::clone(&places).acquire_owned().await.map_err(io::Error::other)?;
            let Ok((connection, _)) = listener.accept().await else {
                // Out of descriptors, most likely: others will close some.
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            };
            let admin = Arc::clone(&self);
            tokio::spawn(async move {
                let pages = service_fn(|request| std::future::ready(Ok::<_, Infallible>(admin.page(&request))));
                let connection = http1::Builder::new()
                    .timer(TokioTimer::new())
                    .serve_connection(TokioIo::new(connection), pages);
                // How a scraper's connection ends is the scraper's business.
                let _ = timeout(CONNECTION_AGE, connection).await;
                drop(place);
            });
        }
    }

    fn page(&self, request: &Request<Incoming>) -> Response<Full<Bytes>> {
        if request.method() != Method::GET && request.method() != Method::HEAD {
            return text(StatusCode::METHOD_NOT_ALLOWED, "only GET\n");
        }
        match request.uri().path() {
            "/metrics" => {
                self.metrics.publish(&self.ledger);
                metrics::with_local_recorder(&self.recorder, || self.process.collect());
                let mut page = text(StatusCode::OK, self.handle.render());
                let exposition = http::HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
                page.headers_mut().insert(CONTENT_TYPE, exposition);
                page
            }
            "/livez" => text(StatusCode::OK, "alive\n"),
            "/readyz" if self.lifecycle.draining() => text(StatusCode::SERVICE_UNAVAILABLE, "draining\n"),
            "/readyz" => text(StatusCode::OK, "ready\n"),
            _ => text(StatusCode::NOT_FOUND, "here are /metrics, /livez and /readyz\n"),
        }
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
    let plain = http::HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, plain);
    response
}
