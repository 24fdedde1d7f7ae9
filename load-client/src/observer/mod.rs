//! Watches the service while the load runs: records the figures that the service itself reports, and hands the outcomes of
//! queued messages to the audit.
//!
//! The observer has a connection of its own, so that it does not wait behind the load. It reconnects when the service comes
//! back.

mod observed;
mod refusals;
mod stream;

use std::{
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use foo_proto::v1::Snapshot;
use tokio::{
    sync::watch,
    task::AbortHandle,
    time::{Instant, sleep, timeout},
};
use tonic::{Code, Status, Streaming};

use self::stream::{Source, first_of, is_foreign};
pub use self::{
    observed::{Maxima, Observed},
    stream::refusal,
};
use crate::{
    audit::{Audit, End, Fate},
    call::measured,
    live::{Live, LiveAudit},
    stop::Stop,
    transport::dial::Dial,
};

/// The timeout for fetching a single snapshot.
const SNAPSHOT_TIMEOUT: Duration = Duration::from_secs(5);
/// After so long without a word from the service, or from the server of its queue, there is no point in waiting for it to drain.
const SILENCE: Duration = Duration::from_secs(5);

/// The settings of an observer.
#[derive(Debug)]
pub struct ObserverSetup {
    /// How to reach the service.
    pub dial: Dial,
    /// The run whose completions the service is to report.
    pub run_id: String,
    /// The time from one snapshot to the next.
    pub interval: Duration,
    /// One audit per shard; empty if the run sends no messages to a queue.
    pub audits: Vec<Arc<Mutex<Audit>>>,
    /// The metadata of every call. A service that requires metadata for its calls may require it for Watch too.
    pub metadata: http::HeaderMap,
    /// Receives the service's levels, for the progress line and the live view.
    pub live: Arc<Live>,
}

/// Observes a service in a background task. Dropping it stops the task.
#[derive(Debug)]
pub struct Observer {
    source: Source,
    shared: Arc<Shared>,
    changes: watch::Receiver<u64>,
    task: AbortHandle,
}

#[derive(Debug)]
struct Shared {
    observed: Mutex<Observed>,
    /// The number of snapshots since the first. A change of it wakes the methods that wait for news.
    version: watch::Sender<u64>,
    setup: ObserverSetup,
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
    pub async fn start(setup: ObserverSetup) -> Result<Option<Self>, Status> {
        let source = Source::new(&setup.dial, &setup.run_id, setup.interval, &setup.metadata);
        let mut stream = match source.open(None).await {
            Ok(stream) => stream,
            // A proxy's HTTP 404 also arrives as `Unimplemented`, but says nothing about the service.
            Err(status) if status.code() == Code::Unimplemented && !is_foreign(&status) => return Ok(None),
            Err(status) => return Err(status),
        };
        let first = first_of(&mut stream).await?;
        let (version, changes) = watch::channel(0);
        let shared = Arc::new(Shared {
            observed: Mutex::new(Observed::new(&first)),
            version,
            setup,
        });
        let task = tokio::spawn(observe(source.clone(), Arc::clone(&shared), stream)).abort_handle();
        Ok(Some(Self {
            source,
            shared,
            changes,
            task,
        }))
    }

    /// Whether all targets of `dial` answer and use one and the same shared queue. Then each of them reports the outcomes of
    /// all messages.
    pub async fn share_a_queue(dial: &Dial, metadata: &http::HeaderMap) -> bool {
        let snapshots = (0..dial.target_count()).map(|target| {
            let source = Source::of_one(&dial.nth(target), metadata);
            async move { timeout(SNAPSHOT_TIMEOUT, source.snapshot()).await.ok()?.ok() }
        });
        let snapshots = futures_util::future::join_all(snapshots).await;
        let queues: Option<Vec<_>> = snapshots
            .into_iter()
            .map(|snapshot| {
                snapshot
                    .filter(|snapshot| snapshot.shared_queue.is_some())
                    .map(|snapshot| snapshot.queue_id)
            })
            .collect();
        queues.is_some_and(|queues| queues.windows(2).all(|pair| pair[0] == pair[1]))
    }

    /// Sets the start of the load. Levels are recorded, and times are counted, from then on.
    pub fn load_starts(&self, at: Instant) {
        self.shared.observed().start = Some(at);
    }

    /// Fetches one snapshot by a call of its own, apart from the stream; `None` after an error or a timeout of 5 s.
    pub async fn snapshot(&self) -> Option<Snapshot> {
        timeout(SNAPSHOT_TIMEOUT, self.source.snapshot()).await.ok()?.ok()
    }

    fn awaits_messages(&self) -> bool {
        self.shared.setup.audits.iter().any(|audit| lock(audit).waits())
    }

    /// Waits until every acknowledged message has an outcome, and returns `true`; `false` if `limit` passed, a stop was
    /// requested, or no more snapshots came.
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

    /// Waits until the stream has told all that had happened by now, and a shared queue has been looked at since; `false` if the service
    /// fell silent, or cannot see its queue.
    pub async fn up_to_date(&self) -> bool {
        let now = Instant::now();
        let enough = |observed: &Observed| observed.queue_seen_since(now) || observed.queue_out_of_sight(SILENCE);
        self.fresh(enough).await && self.shared.observed().queue_seen_since(now)
    }

    async fn fresh(&self, enough: impl Fn(&Observed) -> bool) -> bool {
        let mut changes = self.changes.clone();
        // A snapshot on its way may be older than the last message; the one after it is not.
        let from = self.shared.observed().snapshots + 2;
        let silence = SILENCE.max(self.shared.setup.interval * 3);
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

    /// A copy of everything that was observed so far.
    pub fn observed(&self) -> Observed {
        self.shared.observed().clone()
    }
}

async fn observe(source: Source, shared: Arc<Shared>, stream: Streaming<Snapshot>) {
    let last = || shared.observed().last.clone();
    source.follow(stream, last, |snapshot| take_in(&shared, snapshot)).await;
}

fn take_in(shared: &Shared, mut snapshot: Snapshot) {
    let completions = std::mem::take(&mut snapshot.completions);
    let now = Instant::now();
    let (queue_lost, start, last_heard) = {
        let observed = shared.observed();
        (observed.queue_lost(&snapshot), observed.start, observed.heard)
    };
    let since_start = |at: Instant| start.map_or(Duration::ZERO, |start| at.saturating_duration_since(start));
    let heard = since_start(now);
    let audits = &shared.setup.audits;
    if queue_lost {
        for audit in audits {
            lock(audit).restarted(since_start(last_heard));
        }
    }
    for completion in &completions {
        if let Some((client, number)) = parse_id(&completion.id, &shared.setup.run_id)
            && !audits.is_empty()
        {
            let mut audit = lock(&audits[client % audits.len()]);
            audit.completed(client / audits.len(), number, end(completion), heard);
        }
    }
    let mut audited = LiveAudit::default();
    for audit in audits {
        audited.add(&lock(audit).so_far());
    }
    shared.setup.live.audited(audited);
    let mut observed = shared.observed();
    if snapshot.shared_queue.is_some() {
        observed.count_ends(&completions);
    }
    observed.take_in(snapshot, now);
    shared.setup.live.seen(observed.levels());
    if let Some(start) = observed.start {
        shared.setup.live.at(now.saturating_duration_since(start));
    }
    drop(observed);
    shared.version.send_modify(|version| *version += 1);
}

fn lock(audit: &Mutex<Audit>) -> MutexGuard<'_, Audit> {
    audit.lock().expect("no code panics with an audit locked")
}

/// Splits a message's id, `run/client/number`, into client and number; `None` if it is not of this run.
fn parse_id(id: &str, run_id: &str) -> Option<(usize, u64)> {
    let rest = id.strip_prefix(run_id)?.strip_prefix('/')?;
    let (client, number) = rest.split_once('/')?;
    Some((client.parse().ok()?, number.parse().ok()?))
}

fn end(completion: &foo_proto::v1::Completion) -> End {
    use foo_proto::v1::JobOutcome;
    let duration = |wire: Option<foo_proto::Duration>| wire.and_then(measured).unwrap_or_default();
    End {
        fate: match completion.outcome() {
            JobOutcome::Completed => Fate::Completed,
            JobOutcome::Expired => Fate::Expired,
            JobOutcome::DeadLettered => Fate::DeadLettered,
            _ => Fate::Other,
        },
        redelivered: completion.deliveries.is_some_and(|deliveries| deliveries > 1),
        queue_wait: duration(completion.queue_wait),
        service_time: duration(completion.service_time),
    }
}
