//! Watches the service while the load runs: its own view of itself beside the clients', and the ends of queued messages
//! for the audit.
//!
//! The observer has a connection of its own, so that it does not wait behind the load. It reconnects when the service comes
//! back.

mod observed;

use std::{
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use foo_proto::v1::{Snapshot, WatchRequest, foo_service_client::FooServiceClient};
use hyper_util::rt::TokioIo;
use tokio::{
    sync::watch,
    task::AbortHandle,
    time::{Instant, sleep, timeout},
};
use tonic::{
    Code, Status, Streaming,
    metadata::MetadataMap,
    transport::{Channel, Endpoint, Uri},
};
use tower::service_fn;

pub use self::observed::{Counters, Maxima, Observed};
use crate::{
    audit::{Audit, End},
    call::measured,
    live::{Live, LiveAudit},
    plain,
    stop::Stop,
    transport::dial::Dial,
};

/// The pause before a stream that broke is opened again.
const REOPEN_PAUSE: Duration = Duration::from_millis(200);
/// How long a single look may take.
const LOOK_TIMEOUT: Duration = Duration::from_secs(5);
/// After so long without a word from the service there is no point in waiting for it to drain.
const SILENCE: Duration = Duration::from_secs(5);

/// What an observer needs.
#[derive(Debug)]
pub struct ObserverSetup {
    /// The service.
    pub dial: Dial,
    /// Whose completions to report.
    pub run_id: String,
    /// Between snapshots.
    pub interval: Duration,
    /// One per shard; none where nothing is queued.
    pub audits: Vec<Arc<Mutex<Audit>>>,
    /// The metadata of every call. A service that requires metadata for its calls may require it for Watch too.
    pub metadata: http::HeaderMap,
    /// For progress.
    pub live: Arc<Live>,
}

/// A service under observation. Dropping it ends that.
#[derive(Debug)]
pub struct Observer {
    client: FooServiceClient<Channel>,
    shared: Arc<Shared>,
    changes: watch::Receiver<u64>,
    task: AbortHandle,
}

#[derive(Debug)]
struct Shared {
    observed: Mutex<Observed>,
    /// Rises with every snapshot.
    version: watch::Sender<u64>,
    plan: ObserverSetup,
}

impl Shared {
    fn observed(&self) -> MutexGuard<'_, Observed> {
        self.observed.lock().expect("no code panics with the observed locked")
    }
}

impl Drop for Observer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Observer {
    /// Starts observing; `None` if the service has no Watch.
    ///
    /// # Errors
    ///
    /// The status of a Watch that failed.
    pub async fn start(plan: ObserverSetup) -> Result<Option<Self>, Status> {
        let mut client = FooServiceClient::new(channel(plan.dial.clone()));
        let mut stream = match open(&mut client, &plan, None).await {
            Ok(stream) => stream,
            // A proxy's "not found" is no word of the service.
            Err(status) if status.code() == Code::Unimplemented && !is_foreign(&status) => return Ok(None),
            Err(status) => return Err(status),
        };
        let first = first_of(&mut stream).await?;
        let (version, changes) = watch::channel(0);
        let shared = Arc::new(Shared {
            observed: Mutex::new(Observed::new(&first)),
            version,
            plan,
        });
        let task = tokio::spawn(observe(client.clone(), Arc::clone(&shared), stream)).abort_handle();
        Ok(Some(Self {
            client,
            shared,
            changes,
            task,
        }))
    }

    /// The load starts at this instant.
    pub fn load_starts(&self, at: Instant) {
        self.shared.observed().start = Some(at);
    }

    /// A fresh snapshot, apart from the stream.
    pub async fn look(&self) -> Option<Snapshot> {
        let mut client = self.client.clone();
        let asked = async {
            let mut request = tonic::Request::new(WatchRequest::default());
            *request.metadata_mut() = MetadataMap::from_headers(self.shared.plan.metadata.clone());
            let mut stream = client.watch(request).await?.into_inner();
            first_of(&mut stream).await
        };
        timeout(LOOK_TIMEOUT, asked).await.ok()?.ok()
    }

    fn awaits_messages(&self) -> bool {
        self.shared.plan.audits.iter().any(|audit| lock(audit).waits())
    }

    /// Waits until all queued messages have ended: `true`. `false` if `limit` passed, a stop was asked for, or the service fell
    /// silent.
    pub async fn empty(&self, limit: Option<Duration>, stop: &mut Stop) -> bool {
        let limit = async {
            match limit {
                Some(limit) => sleep(limit).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            empty = self.fresh(|_| !self.awaits_messages()) => empty,
            () = limit => false,
            () = stop.requested() => false,
        }
    }

    /// Waits until the stream has told all that had happened by now; `false` if the service fell silent.
    pub async fn up_to_date(&self) -> bool {
        self.fresh(|_| true).await
    }

    async fn fresh(&self, enough: impl Fn(&Observed) -> bool) -> bool {
        let mut changes = self.changes.clone();
        // A snapshot on its way may be older than the last message; the one after it is not.
        let from = self.shared.observed().snapshots + 2;
        let silence = SILENCE.max(self.shared.plan.interval * 3);
        loop {
            {
                let observed = self.shared.observed();
                if observed.snapshots >= from && !observed.last.completions_more && enough(&observed) {
                    return true;
                }
            }
            if timeout(silence, changes.changed()).await.is_err() {
                return false;
            }
        }
    }

    /// What was seen.
    pub fn observed(&self) -> Observed {
        self.shared.observed().clone()
    }
}

/// Whether the answer is not gRPC, as the client library says it.
fn is_foreign(status: &Status) -> bool {
    const NOT_GRPC: [&str; 3] = [
        "protocol error: received message with invalid compression flag",
        "protocol error: missing grpc-status",
        "grpc-status header missing",
    ];
    NOT_GRPC.iter().any(|beginning| status.message().starts_with(beginning))
}

/// Why the service could not be watched, for people. What the client library says of answers that are no gRPC, and of
/// connections that break, only developers of it understand.
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

fn channel(dial: Dial) -> Channel {
    // The address is only a name here: the connector knows where to go.
    let endpoint = Endpoint::from_static("http://service");
    let origin = Uri::builder()
        .scheme(dial.scheme())
        .authority(dial.authority().clone())
        .path_and_query("/")
        .build()
        .expect("an authority makes an origin");
    endpoint
        .origin(origin)
        .connect_with_connector_lazy(service_fn(move |_| {
            let dial = dial.clone();
            async move { dial.dial().await.map(TokioIo::new) }
        }))
}

/// Opens the stream, after the last snapshot that was seen.
async fn open(
    client: &mut FooServiceClient<Channel>,
    plan: &ObserverSetup,
    last: Option<&Snapshot>,
) -> Result<Streaming<Snapshot>, Status> {
    let mut request = tonic::Request::new(WatchRequest {
        run_id: plan.run_id.clone(),
        interval: plan.interval.try_into().ok(),
        resume_instance_id: last.map(|snapshot| snapshot.instance_id.clone()).unwrap_or_default(),
        resume_after: last.map(|snapshot| snapshot.completions_end).unwrap_or_default(),
    });
    *request.metadata_mut() = MetadataMap::from_headers(plan.metadata.clone());
    client.watch(request).await.map(tonic::Response::into_inner)
}

async fn first_of(stream: &mut Streaming<Snapshot>) -> Result<Snapshot, Status> {
    let first = stream.message().await?;
    first.ok_or_else(|| Status::unavailable("the watch ended before it began"))
}

async fn observe(mut client: FooServiceClient<Channel>, shared: Arc<Shared>, mut stream: Streaming<Snapshot>) {
    loop {
        while let Ok(Some(snapshot)) = stream.message().await {
            take_in(&shared, snapshot);
        }
        stream = loop {
            sleep(REOPEN_PAUSE).await;
            let last = shared.observed().last.clone();
            if let Ok(stream) = open(&mut client, &shared.plan, Some(&last)).await {
                break stream;
            }
        };
    }
}

fn take_in(shared: &Shared, mut snapshot: Snapshot) {
    let completions = std::mem::take(&mut snapshot.completions);
    let now = Instant::now();
    let (restarted, start, last_heard) = {
        let observed = shared.observed();
        (observed.restarted(&snapshot), observed.start, observed.heard)
    };
    let since_start = |at: Instant| start.map_or(Duration::ZERO, |start| at.saturating_duration_since(start));
    let heard = since_start(now);
    let audits = &shared.plan.audits;
    if restarted {
        for audit in audits {
            lock(audit).restarted(since_start(last_heard));
        }
    }
    for completion in completions {
        if let Some((client, number)) = parse_id(&completion.id, &shared.plan.run_id)
            && !audits.is_empty()
        {
            let mut audit = lock(&audits[client % audits.len()]);
            audit.completed(client / audits.len(), number, end(&completion), heard);
        }
    }
    let mut audited = LiveAudit::default();
    for audit in audits {
        audited.add(&lock(audit).so_far());
    }
    shared.plan.live.audited(audited);
    let mut observed = shared.observed();
    observed.take_in(snapshot, now);
    shared.plan.live.seen(observed.levels());
    if let Some(start) = observed.start {
        shared.plan.live.at(now.saturating_duration_since(start));
    }
    drop(observed);
    shared.version.send_modify(|version| *version += 1);
}

fn lock(audit: &Mutex<Audit>) -> MutexGuard<'_, Audit> {
    audit.lock().expect("no code panics with an audit locked")
}

/// The client and the number in an id of this run.
fn parse_id(id: &str, run_id: &str) -> Option<(usize, u64)> {
    let rest = id.strip_prefix(run_id)?.strip_prefix('/')?;
    let (client, number) = rest.split_once('/')?;
    Some((client.parse().ok()?, number.parse().ok()?))
}

fn end(completion: &foo_proto::v1::Completion) -> End {
    let duration = |wire: Option<foo_proto::Duration>| wire.and_then(measured).unwrap_or_default();
    End {
        completed: completion.outcome() == foo_proto::v1::JobOutcome::Completed,
        queue_wait: duration(completion.queue_wait),
        service_time: duration(completion.service_time),
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use bytes::Bytes;
    use h2::{Reason, server::SendResponse};
    use tokio::sync::mpsc;

    use super::*;

    /// What is said of a Watch that is answered so.
    async fn refused(answer: impl FnOnce(SendResponse<Bytes>) + Send + 'static) -> (bool, String) {
        let (connections, mut arriving) = mpsc::channel(1);
        tokio::spawn(async move {
            let mut peer = h2::server::handshake(arriving.recv().await.unwrap()).await.unwrap();
            answer(peer.accept().await.unwrap().unwrap().1);
            let _ = poll_fn(|context| peer.poll_closed(context)).await;
        });
        let mut client = FooServiceClient::new(channel(Dial::memory(connections)));
        let opened = client.watch(WatchRequest::default()).await;
        let status = match opened {
            Ok(stream) => first_of(&mut stream.into_inner()).await.unwrap_err(),
            Err(status) => status,
        };
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
            let head = http::Response::builder()
                .header("content-type", "application/grpc")
                .header("grpc-status", "7")
                .header("grpc-message", "not for you");
            call.send_response(head.body(()).unwrap(), true).unwrap();
        });
        assert_eq!(denied.await, (false, "PermissionDenied: not for you".to_owned()));
    }
}
