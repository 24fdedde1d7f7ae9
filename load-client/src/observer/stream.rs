//! The stream of snapshots that Watch sends: opened, followed, opened again after a break.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use foo_proto::v1::{Snapshot, WatchRequest, foo_service_client::FooServiceClient};
use hyper_util::rt::TokioIo;
use tokio::time::sleep;
use tonic::{
    Status, Streaming,
    metadata::MetadataMap,
    transport::{Channel, Endpoint, Uri},
};
use tower::service_fn;

use crate::{plain, transport::dial::Dial};

/// The pause before a stream that broke is opened again. Each attempt without a snapshot doubles it.
const SHORTEST_PAUSE: Duration = Duration::from_millis(200);
/// The pause does not grow beyond this, so that a service that comes back is seen soon.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// A connection to the service, and the parameters of its calls of Watch.
#[derive(Debug, Clone)]
pub(super) struct Source {
    client: FooServiceClient<Channel>,
    run_id: String,
    interval: Duration,
    metadata: MetadataMap,
}

impl Source {
    /// Connects with the first call, not here. With several targets, each new connection goes to the next one.
    pub(super) fn new(dial: &Dial, run_id: &str, interval: Duration, metadata: &http::HeaderMap) -> Self {
        let turns = AtomicUsize::new(0);
        let turn = move |dial: &Dial| dial.nth(turns.fetch_add(1, Ordering::Relaxed));
        Self::over(channel(dial, turn), run_id, interval, metadata)
    }

    /// A source for single snapshots, always from the target that `dial` is set to (see [`Dial::nth`]).
    pub(super) fn of_one(dial: &Dial, metadata: &http::HeaderMap) -> Self {
        Self::over(channel(dial, Dial::clone), "", Duration::ZERO, metadata)
    }

    fn over(channel: Channel, run_id: &str, interval: Duration, metadata: &http::HeaderMap) -> Self {
        Self {
            client: FooServiceClient::new(channel),
            run_id: run_id.to_owned(),
            interval,
            metadata: MetadataMap::from_headers(metadata.clone()),
        }
    }

    /// Opens the stream of this run; after a break, `last` is the last snapshot that was seen.
    pub(super) async fn open(&self, last: Option<&Snapshot>) -> Result<Streaming<Snapshot>, Status> {
        self.watch(WatchRequest {
            run_id: self.run_id.clone(),
            interval: self.interval.try_into().ok(),
            resume_instance_id: last.map(|snapshot| snapshot.instance_id.clone()).unwrap_or_default(),
            resume_after: last.map(|snapshot| snapshot.completions_end).unwrap_or_default(),
            resume_queue_id: last.map(|snapshot| snapshot.queue_id.clone()).unwrap_or_default(),
        })
        .await
    }

    /// Fetches one snapshot by a call of its own, apart from the stream.
    pub(super) async fn snapshot(&self) -> Result<Snapshot, Status> {
        first_of(&mut self.watch(WatchRequest::default()).await?).await
    }

    /// Hands every snapshot of `stream` to `take_in`. When the stream breaks, opens it again after `last`. Never ends.
    pub(super) async fn follow(
        &self,
        mut stream: Streaming<Snapshot>,
        last: impl Fn() -> Snapshot,
        take_in: impl Fn(Snapshot),
    ) {
        let mut pause = SHORTEST_PAUSE;
        loop {
            while let Ok(Some(snapshot)) = stream.message().await {
                take_in(snapshot);
                pause = SHORTEST_PAUSE;
            }
            stream = loop {
                sleep(pause).await;
                pause = LONGEST_PAUSE.min(pause * 2);
                if let Ok(stream) = self.open(Some(&last())).await {
                    break stream;
                }
            };
        }
    }

    async fn watch(&self, request: WatchRequest) -> Result<Streaming<Snapshot>, Status> {
        let mut request = tonic::Request::new(request);
        *request.metadata_mut() = self.metadata.clone();
        self.client
            .clone()
            .watch(request)
            .await
            .map(tonic::Response::into_inner)
    }
}

/// The first snapshot; an error if the stream ends before it.
pub(super) async fn first_of(stream: &mut Streaming<Snapshot>) -> Result<Snapshot, Status> {
    let first = stream.message().await?;
    first.ok_or_else(|| Status::unavailable("the watch ended before it began"))
}

fn channel(dial: &Dial, turn: impl Fn(&Dial) -> Dial + Send + 'static) -> Channel {
    // The connector ignores this address: it knows the targets.
    let endpoint = Endpoint::from_static("http://service");
    let origin = Uri::builder()
        .scheme(dial.scheme())
        .authority(dial.authority().clone())
        .path_and_query("/")
        .build()
        .expect("an authority makes an origin");
    let targets = dial.clone();
    endpoint
        .origin(origin)
        .connect_with_connector_lazy(service_fn(move |_| {
            let dial = turn(&targets);
            async move { dial.dial().await.map(TokioIo::new) }
        }))
}

/// Whether the answer is not gRPC. Only the messages of the client library tell that.
pub(super) fn is_foreign(status: &Status) -> bool {
    const NOT_GRPC: [&str; 3] = [
        "protocol error: received message with invalid compression flag",
        "protocol error: missing grpc-status",
        "grpc-status header missing",
    ];
    NOT_GRPC.iter().any(|beginning| status.message().starts_with(beginning))
}

/// Says, for people, why the service could not be watched. Only developers of the client library understand its messages
/// about answers that are not gRPC, and about connections that break, so other words replace them.
pub fn refusal(status: &Status) -> String {
    let message = status.message();
    if is_foreign(status) {
        "the answer is not gRPC: a proxy or a web server answers there".to_owned()
    } else if std::error::Error::source(status).is_some() {
        "the stream or its connection broke before an answer came".to_owned()
    } else {
        format!("{:?}: {}", status.code(), plain::word(message))
    }
}

#[cfg(test)]
mod tests {
    use std::{
        future::poll_fn,
        sync::{
            Arc,
            atomic::{AtomicBool, AtomicU32, Ordering},
        },
    };

    use bytes::Bytes;
    use h2::{Reason, server::SendResponse};
    use tokio::{io::DuplexStream, sync::mpsc, time::timeout};

    use super::*;

    /// The head of a gRPC answer; with a status, the answer consists of this head only.
    fn grpc(status: Option<u16>) -> http::response::Builder {
        let head = http::Response::builder().header("content-type", "application/grpc");
        match status {
            Some(status) => head.header("grpc-status", status),
            None => head,
        }
    }

    fn source(connections: mpsc::Sender<DuplexStream>) -> Source {
        let dial = Dial::memory(connections);
        Source::new(&dial, "run", Duration::from_secs(1), &http::HeaderMap::new())
    }

    /// Calls Watch, which `answer` answers, and returns what `is_foreign` and `refusal` say about its status.
    async fn refused(answer: impl FnOnce(SendResponse<Bytes>) + Send + 'static) -> (bool, String) {
        let (connections, mut arriving) = mpsc::channel(1);
        tokio::spawn(async move {
            let mut peer = h2::server::handshake(arriving.recv().await.unwrap()).await.unwrap();
            answer(peer.accept().await.unwrap().unwrap().1);
            let _ = poll_fn(|context| peer.poll_closed(context)).await;
        });
        let status = source(connections).snapshot().await.unwrap_err();
        (is_foreign(&status), refusal(&status))
    }

    fn page(status: u16) -> impl FnOnce(SendResponse<Bytes>) + Send + 'static {
        move |mut call| {
            let head = http::Response::builder()
                .status(status)
                .header("content-type", "text/html");
            let mut body = call.send_response(head.body(()).unwrap(), false).unwrap();
            body.send_data(Bytes::from_static(b"<html>sign in</html>"), true)
                .unwrap();
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_stands_in_the_way_of_a_watch_is_said_without_the_words_of_a_library() {
        let not_grpc = "the answer is not gRPC: a proxy or a web server answers there";
        for status in [200, 401, 404, 502] {
            assert_eq!(refused(page(status)).await, (true, not_grpc.to_owned()), "{status}");
        }
        let broke = "the stream or its connection broke before an answer came";
        for code in [
            Reason::ENHANCE_YOUR_CALM,
            Reason::INTERNAL_ERROR,
            Reason::REFUSED_STREAM,
        ] {
            let reset = refused(move |mut call| call.send_reset(code)).await;
            assert_eq!(reset, (false, broke.to_owned()), "{code:?}");
        }
        let denied = refused(|mut call| {
            let head = grpc(Some(7)).header("grpc-message", "not for you");
            call.send_response(head.body(()).unwrap(), true).unwrap();
        });
        assert_eq!(denied.await, (false, "PermissionDenied: not for you".to_owned()));
    }

    /// Answers with a stream that sends one snapshot and then ends.
    fn one_snapshot(call: &mut SendResponse<Bytes>) {
        let mut body = call.send_response(grpc(None).body(()).unwrap(), false).unwrap();
        // A message of no bytes: a snapshot with all its fields at zero.
        body.send_data(Bytes::from_static(&[0; 5]), false).unwrap();
        let mut trailers = http::HeaderMap::new();
        trailers.insert("grpc-status", http::HeaderValue::from_static("0"));
        body.send_trailers(trailers).unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_service_that_refuses_to_be_watched_is_asked_less_and_less_often_until_it_sends_a_snapshot_again() {
        let (connections, mut arriving) = mpsc::channel(1);
        let calls = Arc::new(AtomicU32::new(0));
        let refusing = Arc::new(AtomicBool::new(true));
        let (seen, refuses) = (Arc::clone(&calls), Arc::clone(&refusing));
        tokio::spawn(async move {
            let mut peer = h2::server::handshake(arriving.recv().await.unwrap()).await.unwrap();
            while let Some(call) = peer.accept().await {
                let mut call = call.unwrap().1;
                if seen.fetch_add(1, Ordering::Relaxed) > 0 && refuses.load(Ordering::Relaxed) {
                    call.send_response(grpc(Some(14)).body(()).unwrap(), true).unwrap();
                } else {
                    one_snapshot(&mut call);
                }
            }
        });
        let source = source(connections);
        let first = source.open(None).await.unwrap();
        let following = source.follow(first, Snapshot::default, |_| ());
        tokio::pin!(following);
        let half_a_minute = Duration::from_secs(30);
        assert!(timeout(half_a_minute, &mut following).await.is_err());
        // The calls come at 0.2, 0.6, 1.4 and 3 s, then every two seconds; the first call was made before.
        assert_eq!(calls.swap(1, Ordering::Relaxed), 1 + 17);
        refusing.store(false, Ordering::Relaxed);
        assert!(timeout(half_a_minute, &mut following).await.is_err());
        // Each stream brings a snapshot, so the pause is the shortest again.
        let often = calls.load(Ordering::Relaxed);
        assert!(often > 100, "{often} calls in half a minute");
    }
}
