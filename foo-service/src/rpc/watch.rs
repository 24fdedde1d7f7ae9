//! Watch: the state and the counts of the service, as a stream of snapshots.
//!
//! Each stream reads the ledger through a window of its own, and the log of completions from a position of its own, so watchers
//! do not disturb each other. When the service stops, the stream sends one last snapshot and ends.

use std::{sync::Arc, time::Duration};

use foo_proto::v1::{self, Snapshot, WatchRequest};
use futures_util::{Stream, stream};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval};
use tonic::Status;

use super::{
    call::Call,
    message::{from_wire, to_wire},
    status::Refusal,
};
use crate::{
    enqueue::{Completion, CompletionLog, EnqueueDoor},
    job::{Door, JobOutcome, MAX_ID_BYTES, Reason, Rpc},
    ledger::{DoorReading, Ledger, LevelReading, Window},
    lifecycle::{Lifecycle, Phase},
    turns::Turns,
    workers::Workers,
};

/// The most entries of the log that are read for one snapshot (derived: with ids of 128 bytes they encode to under 1 MiB, and
/// gRPC clients commonly accept 4 MiB).
const CHUNK: usize = 5_000;
const DEFAULT_INTERVAL: Duration = Duration::from_secs(1);
const SHORTEST_INTERVAL: Duration = Duration::from_millis(10);
const LONGEST_INTERVAL: Duration = Duration::from_secs(3600);

/// The sources of the data in a snapshot.
pub struct Watched {
    /// The id of this instance, which is new at every start.
    pub instance_id: String,
    /// The queue: snapshots show its id and, if it is shared, the last sample of it.
    pub enqueue: Arc<EnqueueDoor>,
    /// When the instance started: times in snapshots count from here.
    pub started: Instant,
    /// The workers: snapshots show their number.
    pub workers: Arc<Workers>,
    /// The room that admits messages: snapshots show its limit.
    pub turns: Arc<Turns>,
    /// True if the process has only this service: the process's resident memory is then shown as the service's.
    pub owns_process: bool,
    /// The counts that snapshots show.
    pub ledger: Arc<Ledger>,
    /// The log of the completions of queued messages.
    pub log: Arc<CompletionLog>,
    /// The phase of the service: when it is closing, streams end.
    pub lifecycle: Arc<Lifecycle>,
}

struct Watcher {
    watched: Arc<Watched>,
    window: Window,
    ticks: Interval,
    /// The beginning of the ids whose completions are sent; `None` if the caller asked for no completions.
    prefix: Option<String>,
    position: u64,
    sequence: u64,
    more: bool,
    last: bool,
    call: Arc<Call>,
}

/// Opens the stream that `request` asks for. When it ends, `call` ends.
pub(super) fn stream(
    watched: &Arc<Watched>,
    call: &Arc<Call>,
    request: &WatchRequest,
) -> Result<impl Stream<Item = Result<Snapshot, Status>> + Send + use<>, Refusal> {
    if request.run_id.len() > MAX_ID_BYTES {
        return Err(Refusal::Invalid {
            field: "run_id",
            reason: format!("has {} bytes, the limit is {MAX_ID_BYTES}", request.run_id.len()),
        });
    }
    let every = match request.interval {
        None => DEFAULT_INTERVAL,
        Some(every) => from_wire(every)
            .filter(|every| (SHORTEST_INTERVAL..=LONGEST_INTERVAL).contains(every))
            .ok_or_else(|| Refusal::Invalid {
                field: "interval",
                reason: format!("must be from {SHORTEST_INTERVAL:?} to {LONGEST_INTERVAL:?}"),
            })?,
    };
    let window = watched.ledger.open_window().ok_or(Reason::WatchersFull)?;
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let queue_id = watched.enqueue.queue_id();
    let resumes = if queue_id.is_empty() {
        request.resume_instance_id == watched.instance_id
    } else {
        request.resume_queue_id == queue_id
    };
    let first = Watcher {
        window,
        ticks,
        prefix: (!request.run_id.is_empty()).then(|| format!("{}/", request.run_id)),
        position: if resumes { request.resume_after } else { 0 },
        sequence: 0,
        more: false,
        last: false,
        call: Arc::clone(call),
        watched: Arc::clone(watched),
    };
    Ok(stream::unfold(first, |mut watcher| async move {
        let snapshot = watcher.next().await?;
        Some((Ok(snapshot), watcher))
    }))
}

impl Watcher {
    async fn next(&mut self) -> Option<Snapshot> {
        if !self.more {
            if self.last {
                self.call.set_end(Ok(()));
                return None;
            }
            tokio::select! {
                biased;
                () = self.watched.lifecycle.reached(Phase::Closing) => self.last = true,
                _ = self.ticks.tick() => {}
            }
        }
        Some(self.snapshot())
    }

    fn snapshot(&mut self) -> Snapshot {
        let watched = Arc::clone(&self.watched);
        // When a shared queue was seen, before its depth: that is not older then.
        let shared = watched.enqueue.shared();
        // The levels before the log: a message that has left them by now is in the log that is read next.
        let levels = self.window.read();
        let [enqueue, process] = Door::ALL.map(|door| watched.ledger.door(door));
        let chunk = self
            .prefix
            .as_deref()
            .map(|prefix| watched.log.read(self.position, prefix, CHUNK));
        let (completions, end, missed, more) = match chunk {
            Some(chunk) => (chunk.completions, chunk.end, chunk.missed, chunk.more),
            None => (Vec::new(), watched.log.end(), 0, false),
        };
        self.position = end;
        self.more = more;
        self.sequence += 1;
        Snapshot {
            instance_id: watched.instance_id.clone(),
            sequence: self.sequence,
            uptime: Some(to_wire(watched.started.elapsed())),
            draining: watched.lifecycle.draining(),
            enqueue: Some(door_counts(&enqueue)),
            process: Some(door_counts(&process)),
            queue_depth: Some(level(levels.queue_depth)),
            queue_bytes: Some(level(levels.queue_bytes)),
            waiting: Some(level(levels.waiting)),
            in_service: Some(level(levels.in_service)),
            in_system: Some(level(levels.in_system)),
            workers: u64::from(watched.workers.count()),
            resident_bytes: watched.resident_bytes(),
            completions: completions.into_iter().map(completion).collect(),
            completions_end: end,
            missed,
            completions_more: more,
            refusals: refusals(&watched.ledger),
            queue_id: watched.enqueue.queue_id().to_owned(),
            shared_queue: shared.map(|seen| v1::SharedQueue {
                leased: seen.leased,
                seen_ago: Some(to_wire(seen.ago)),
            }),
            concurrency_limit: Some(u64::from(watched.turns.limit())),
        }
    }
}

impl Watched {
    fn resident_bytes(&self) -> Option<u64> {
        if !self.owns_process {
            return None;
        }
        memory_stats::memory_stats().map(|stats| stats.physical_mem as u64)
    }
}

fn door_counts(reading: &DoorReading) -> v1::DoorCounts {
    v1::DoorCounts {
        admitted: reading.admitted,
        completed: reading.of(JobOutcome::Completed),
        dropped: reading.of(JobOutcome::Dropped),
        expired: reading.of(JobOutcome::Expired),
        cancelled: reading.of(JobOutcome::Cancelled),
        abandoned: reading.of(JobOutcome::Abandoned),
        failed: reading.of(JobOutcome::Failed),
        inside: reading.inside,
        refused: reading.refused,
        rejected: reading.of(JobOutcome::Rejected),
        work_failed: reading.of(JobOutcome::WorkFailed),
        recovered: reading.recovered,
        dead_lettered: reading.of(JobOutcome::DeadLettered),
        taken: reading.taken,
    }
}

/// The counts of refusals by RPC and reason, without those that are 0.
fn refusals(ledger: &Ledger) -> Vec<v1::Refusals> {
    let mut refusals = Vec::new();
    for rpc in Rpc::ALL {
        for reason in Reason::ALL {
            let calls = ledger.refusals(rpc, reason);
            if calls > 0 {
                refusals.push(v1::Refusals {
                    rpc: rpc.label().to_owned(),
                    reason: reason.label().to_owned(),
                    calls,
                });
            }
        }
    }
    refusals
}

fn level(reading: LevelReading) -> v1::Level {
    v1::Level {
        now: reading.now,
        max: reading.max,
    }
}

fn completion(completion: Completion) -> v1::Completion {
    v1::Completion {
        id: completion.id.into(),
        queue_wait: Some(to_wire(completion.queue_wait)),
        service_time: completion.service_time.map(to_wire),
        outcome: v1::JobOutcome::from(completion.outcome).into(),
        deliveries: completion.deliveries,
    }
}
