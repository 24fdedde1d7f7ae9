//! A small HTTP server for metrics and health checks, on a thread and runtime of its own: a scrape that queued behind the
//! load would go blank at the interesting moment.
//!
//! Other connections cannot keep it from answering. Places are bounded ([`MAX_CONNECTIONS`]). When all are taken and one more
//! connection comes, the connection that has been idle longest is closed: idle since its last answer, or since it came. So
//! idle keep-alive clients, half a request and bytes that trickle in hold a place only until another connection needs it.

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

/// Connections open at once (arbitrary: a few scrapers and probes, and room for those that come at the same moment).
pub const MAX_CONNECTIONS: usize = 32;
/// The longest that a connection is kept (arbitrary: longer than any sane scrape interval's keep-alive needs).
const CONNECTION_AGE: Duration = Duration::from_secs(300);
/// How long the head of a request may take, and how long a connection may be idle between two (arbitrary: longer than usual
/// scrape intervals).
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// The pause after a failed accept (arbitrary): the cause is a lack of descriptors or memory, which time may cure.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// An answer.
pub type Page = Response<Full<Bytes>>;

/// The pages that a server serves.
pub trait Pages: Send + Sync + 'static {
    /// How often [`upkeep`](Self::upkeep) is wanted.
    const UPKEEP_EVERY: Duration;

    /// The page at a path. Called on the server's only thread: it must not block.
    fn page(&self, path: &str) -> Page;

    /// What has to be done now and then, scraped or not.
    fn upkeep(&self);
}

/// Starts serving on a thread of that name, for as long as the process lives. Returns the address that the listener has.
///
/// `occupancy` shows how many connections are open; `stopped` is told if the server ends, which it does only if its
/// listener does.
///
/// # Errors
///
/// The system's, if the listener, a runtime or a thread cannot be had.
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
                // Its request may be there already: it is looked at before the next connection can push this one out.
                tokio::task::yield_now().await;
            }
            // Out of descriptors, most likely: an idle connection has one.
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
    // How a scraper's connection ends is the scraper's business.
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

/// A page of metrics, in Prometheus's text format.
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
