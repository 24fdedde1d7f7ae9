//! A small HTTP server for metrics and health checks. It has a thread and a runtime of its own, so that it answers scrapes even
//! when the load keeps the program's other threads busy.
//!
//! Idle or slow connections cannot stop it from answering. The number of connections is bounded ([`MAX_CONNECTIONS`]). When one
//! more arrives, the connection whose last answer (or, without one, whose arrival) is longest ago is closed. So idle
//! keep-alive clients and clients that send only part of a request keep their connection only until another one needs it.

#![warn(clippy::unwrap_used)]

mod places;

use std::{convert::Infallible, io, net::SocketAddr, sync::Arc, thread, time::Duration};

use bytes::Bytes;
use http::{
    HeaderValue, Method, Request, Response, StatusCode,
    header::{ALLOW, CONTENT_TYPE},
};
use http_body_util::Full;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    time::{sleep, timeout},
};

pub use self::places::Occupancy;
use self::places::{Place, Places};

/// The maximum number of open connections (arbitrary: enough for a few scrapers and probes at the same moment).
pub const MAX_CONNECTIONS: usize = 32;
/// The maximum age of a connection (arbitrary: longer than any usual scrape interval, so that scrapers can keep theirs open).
const CONNECTION_AGE: Duration = Duration::from_secs(300);
/// How long a client may take to send the head of a request, counted from the last answer (arbitrary: longer than usual
/// scrape intervals).
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// The pause after a failed accept (arbitrary). The cause is a lack of descriptors or memory, which may end by itself.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The response to a request, with its whole body.
pub type Page = Response<Full<Bytes>>;

/// The pages that a server serves.
pub trait Pages: Send + Sync + 'static {
    /// How often the server calls [`upkeep`](Self::upkeep).
    const UPKEEP_EVERY: Duration;

    /// Returns the page at a path. Runs on the server's only thread, so it must not block.
    fn page(&self, path: &str) -> Page;

    /// Does regular work that must not depend on scrapes. Runs on the server's only thread, so it must not block.
    fn upkeep(&self);
}

/// Starts serving on a new thread named `thread`, for as long as the process lives. Returns the listener's address.
///
/// `occupancy` counts the connections. `stopped` is called, on the new thread, if the runtime cannot use the listener; the
/// server then does not run.
///
/// # Errors
///
/// The system's error, if the listener cannot be used, or the runtime or the thread cannot be made.
pub fn start<P: Pages>(
    thread: &str,
    listener: std::net::TcpListener,
    occupancy: Arc<Occupancy>,
    pages: P,
    stopped: impl FnOnce(io::Error) + Send + 'static,
) -> io::Result<SocketAddr> {
    listener.set_nonblocking(true)?;
    let bound = listener.local_addr()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    thread::Builder::new().name(thread.to_owned()).spawn(move || {
        runtime.block_on(async {
            match TcpListener::from_std(listener) {
                Ok(listener) => serve(listener, Places::new(MAX_CONNECTIONS, occupancy), Arc::new(pages)).await,
                Err(error) => stopped(error),
            }
        });
    })?;
    Ok(bound)
}

async fn serve<P: Pages>(listener: TcpListener, places: Arc<Places>, pages: Arc<P>) {
    tokio::spawn(upkeep(Arc::clone(&pages)));
    loop {
        match listener.accept().await {
            Ok((connection, _)) => {
                let place = places.take();
                tokio::spawn(attend(connection, place, Arc::clone(&pages)));
                // The client's request may already have arrived: let it be answered before the next connection can close this one.
                tokio::task::yield_now().await;
            }
            // The process is probably out of descriptors: closing an idle connection frees one.
            Err(_) if places.make_room() => tokio::task::yield_now().await,
            Err(_) => sleep(ACCEPT_PAUSE).await,
        }
    }
}

async fn attend<P: Pages>(connection: TcpStream, place: Place, pages: Arc<P>) {
    let (place, pushed_out) = place.split();
    let answers = service_fn(|request: Request<Incoming>| {
        let page = answer(&*pages, &request);
        place.used();
        std::future::ready(Ok::<_, Infallible>(page))
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .serve_connection(TokioIo::new(connection), answers);
    // Errors of a connection are not reported: they concern only its client.
    tokio::select! {
        _ = timeout(CONNECTION_AGE, served) => {}
        _ = pushed_out => {}
    }
}

async fn upkeep<P: Pages>(pages: Arc<P>) {
    let mut ticks = tokio::time::interval(P::UPKEEP_EVERY);
    loop {
        ticks.tick().await;
        pages.upkeep();
    }
}

fn answer<P: Pages>(pages: &P, request: &Request<Incoming>) -> Page {
    if request.method() != Method::GET && request.method() != Method::HEAD {
        let mut page = text(StatusCode::METHOD_NOT_ALLOWED, "only GET\n");
        page.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return page;
    }
    pages.page(request.uri().path())
}

/// A page of plain text.
pub fn text(status: StatusCode, body: impl Into<Bytes>) -> Page {
    typed(status, body, "text/plain; charset=utf-8")
}

/// A page of metrics in Prometheus's text format, with status 200.
pub fn metrics(body: impl Into<Bytes>) -> Page {
    typed(StatusCode::OK, body, "text/plain; version=0.0.4; charset=utf-8")
}

fn typed(status: StatusCode, body: impl Into<Bytes>, content_type: &'static str) -> Page {
    let mut page = Response::new(Full::new(body.into()));
    *page.status_mut() = status;
    let content_type = HeaderValue::from_static(content_type);
    page.headers_mut().insert(CONTENT_TYPE, content_type);
    page
}
