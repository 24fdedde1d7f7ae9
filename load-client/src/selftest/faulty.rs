//! A service with known faults, which the real service does not have. It rejects a share of the requests on purpose,
//! forgets messages that it has acknowledged, and reports some messages twice as done.

use std::{
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use foo_proto::v1::{
    Completion, DoorCounts, EnqueueRequest, EnqueueResponse, JobOutcome, Level, ProcessRequest, ProcessResponse,
    Snapshot, WatchRequest, foo_service_server::FooService,
};
use futures_util::{Stream, stream};
use tokio::time::sleep;
use tonic::{Request, Response, Status};

/// The size of a group of Process calls, in the order of their arrival. In each group [`REFUSED`] calls are rejected.
pub(super) const REFUSED_OF: u64 = 10;
/// How many calls of each group of [`REFUSED_OF`] are rejected at once.
pub(super) const REFUSED: u64 = 3;
/// The size of a group of messages, in the order of their arrival. In each group [`FORGOTTEN`] messages are forgotten.
pub(super) const FORGOTTEN_OF: u64 = 20;
/// How many messages of each group of [`FORGOTTEN_OF`] are acknowledged and forgotten. One more is reported twice.
pub(super) const FORGOTTEN: u64 = 2;
/// The time between snapshots if the request names none.
const INTERVAL: Duration = Duration::from_secs(1);

/// A service with a known fault, in this process.
#[derive(Debug, Default)]
pub(super) struct Faulty {
    /// How long a call of Process takes that is not rejected.
    takes: Duration,
    counts: Arc<FaultyCounts>,
}

/// The service's own counts, to compare with what a client reports.
#[derive(Debug, Default)]
pub(super) struct FaultyCounts {
    calls: AtomicU64,
    /// Messages that the service did not forget.
    kept: AtomicU64,
    log: Mutex<Vec<Completion>>,
}

impl FaultyCounts {
    /// Calls of Enqueue and Process that came in.
    pub(super) fn calls(&self) -> u64 {
        self.calls.load(Relaxed)
    }

    /// The completions reported since the log had `from` entries.
    fn since(&self, from: usize) -> Vec<Completion> {
        let log = self.log.lock().expect("no code panics with it locked");
        log[from.min(log.len())..].to_vec()
    }

    fn tell(&self, id: &str, times: usize) {
        let completion = Completion {
            id: id.to_owned(),
            outcome: JobOutcome::Completed.into(),
            ..Completion::default()
        };
        let mut log = self.log.lock().expect("no code panics with it locked");
        log.extend(std::iter::repeat_n(completion, times));
    }
}

impl Faulty {
    /// A service whose Process takes this time for each request that it does not reject.
    pub(super) fn new(takes: Duration) -> Self {
        Self {
            takes,
            counts: Arc::default(),
        }
    }

    /// The counts of the service itself.
    pub(super) fn counts(&self) -> Arc<FaultyCounts> {
        Arc::clone(&self.counts)
    }
}

#[tonic::async_trait]
impl FooService for Faulty {
    async fn enqueue(&self, request: Request<EnqueueRequest>) -> Result<Response<EnqueueResponse>, Status> {
        let message = request.into_inner().message.unwrap_or_default();
        let turn = self.counts.calls.fetch_add(1, Relaxed) % FORGOTTEN_OF;
        if turn >= FORGOTTEN {
            self.counts.kept.fetch_add(1, Relaxed);
            self.counts.tell(&message.id, if turn == FORGOTTEN { 2 } else { 1 });
        }
        Ok(Response::new(EnqueueResponse {
            id: message.id,
            queue_depth: 0,
            duplicate: false,
        }))
    }

    async fn process(&self, _: Request<ProcessRequest>) -> Result<Response<ProcessResponse>, Status> {
        if self.counts.calls.fetch_add(1, Relaxed) % REFUSED_OF < REFUSED {
            return Err(Status::resource_exhausted("on purpose"));
        }
        sleep(self.takes).await;
        Ok(Response::new(ProcessResponse::default()))
    }

    type WatchStream = Pin<Box<dyn Stream<Item = Result<Snapshot, Status>> + Send>>;

    async fn watch(&self, request: Request<WatchRequest>) -> Result<Response<Self::WatchStream>, Status> {
        let interval = request.into_inner().interval;
        let interval = interval.and_then(|wire| wire.try_into().ok()).unwrap_or(INTERVAL);
        let counts = Arc::clone(&self.counts);
        let snapshots = stream::unfold((counts, 0, 0), move |(counts, sequence, from)| async move {
            if sequence > 0 {
                sleep(interval).await;
            }
            let completions = counts.since(from);
            let (next, end) = (sequence + 1, from + completions.len());
            let snapshot = snapshot(&counts, next, completions, end);
            Some((Ok(snapshot), (counts, next, end)))
        });
        Ok(Response::new(Box::pin(snapshots)))
    }
}

/// A snapshot of the service. It does not count the messages that the service has forgotten.
fn snapshot(counts: &FaultyCounts, sequence: u64, completions: Vec<Completion>, end: usize) -> Snapshot {
    let kept = counts.kept.load(Relaxed);
    Snapshot {
        instance_id: "faulty".to_owned(),
        sequence,
        enqueue: Some(DoorCounts {
            admitted: kept,
            completed: kept,
            ..DoorCounts::default()
        }),
        process: Some(DoorCounts::default()),
        in_system: Some(Level::default()),
        queue_depth: Some(Level::default()),
        completions,
        completions_end: end as u64,
        ..Snapshot::default()
    }
}
