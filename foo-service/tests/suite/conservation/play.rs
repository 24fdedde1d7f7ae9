//! Plays a schedule on the test bed, and records what can be seen of the service from outside.

use std::{collections::BTreeMap, sync::Arc};

use foo_proto::v1::Snapshot;
use foo_service::{
    app::{Control, Drained},
    config::Settings,
    ledger::Ledger,
    lifecycle::Phase,
    metrics::{Metrics, prometheus},
};
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::time::sleep;

use super::{
    call::{Made, RUN},
    schedule::{Act, CONNECTIONS},
    watcher::Watcher,
};
use crate::support::{Caller, TestBed, ms, page::samples, service, watch_request};

/// How often all tasks run until everything that belongs to a millisecond is done (arbitrary: an answer takes about five).
const TURNS: usize = 64;

/// What the callers and a watcher know, and the ledger and metrics that must agree with it.
pub(super) struct Witness {
    pub(super) calls: Vec<Made>,
    pub(super) watcher: Watcher,
    pub(super) ledger: Arc<Ledger>,
    /// The highest number of workers so far. Fewer workers do not interrupt messages in service.
    pub(super) most_workers: u32,
    metrics: Arc<Metrics>,
    page: PrometheusHandle,
}

/// The state of a schedule while it is played.
pub(super) struct Play {
    pub(super) witness: Witness,
    bed: TestBed,
    control: Control,
    callers: Vec<Caller>,
    /// The caller that asks for snapshots between the steps.
    inspector: Caller,
    /// Milliseconds since the start.
    now: u64,
}

impl Play {
    pub(super) async fn start(settings: &Settings) -> Self {
        let recorder = prometheus();
        let service = service(settings.clone(), &recorder);
        let (metrics, control) = (service.metrics(), service.control());
        let bed = TestBed::serve(service);
        let mut callers = Vec::new();
        for _ in 0..CONNECTIONS {
            callers.push(bed.caller().await);
        }
        Self {
            witness: Witness {
                calls: Vec::new(),
                watcher: Watcher::start(bed.caller().await),
                ledger: Arc::clone(&bed.ledger),
                most_workers: settings.workers,
                metrics,
                page: recorder.handle(),
            },
            inspector: bed.caller().await,
            callers,
            bed,
            control,
            now: 0,
        }
    }

    /// Waits for the next odd millisecond, at which nothing is happening. Returns the snapshot that Watch then shows, or `None`
    /// once the service is closing.
    pub(super) async fn quiet(&mut self) -> Option<Snapshot> {
        self.bed.at(self.now + 1).await;
        // A line can reject a call at any millisecond, also at this one. The caller gets the answer after its task ran a few times.
        for _ in 0..TURNS {
            tokio::task::yield_now().await;
        }
        self.witness.hear();
        if self.bed.lifecycle.phase() >= Phase::Closing {
            return None;
        }
        // A new watch starts at the beginning of the log, so the first snapshot has all completions.
        let snapshots = self.inspector.watch(watch_request(RUN, ms(1_000))).await;
        let snapshot = snapshots.expect("there is room").message().await;
        Some(snapshot.expect("no error").expect("a first snapshot"))
    }

    /// Waits until `millis` after the step before.
    pub(super) async fn wait(&mut self, millis: u64) {
        self.now += millis;
        self.bed.at(self.now).await;
    }

    pub(super) async fn act(&mut self, act: &Act) {
        let serves = self.bed.lifecycle.phase() < Phase::Closing;
        let calls = &mut self.witness.calls;
        match act {
            Act::Call(call) => {
                let caller = self.callers[call.connection].clone();
                calls.push(Made::new(*call, calls.len(), caller));
            }
            Act::Leave(_) if calls.is_empty() => {}
            Act::Leave(which) => {
                let which = which.index(calls.len());
                calls[which].leave();
            }
            Act::Cut(connection) if serves => {
                self.callers[*connection].cut();
                self.callers[*connection] = self.bed.caller().await;
            }
            Act::CutWatcher if serves => self.witness.watcher.resume(self.bed.caller().await),
            // The service is closing, so no new connection is possible.
            Act::Cut(_) | Act::CutWatcher => {}
            Act::Turn => tokio::task::yield_now().await,
            Act::Change(change) => {
                self.control.change(change).expect("any service can have them");
                self.witness.most_workers = self.witness.most_workers.max(change.workers.unwrap_or(0));
            }
            Act::Drain => self.bed.trigger.drain(),
            Act::StopNow => self.bed.trigger.now(),
        }
    }

    /// Drains the service, if it is not draining already, and waits for its end.
    pub(super) async fn end(self) -> (Witness, Drained) {
        let Self {
            mut witness,
            bed,
            callers,
            ..
        } = self;
        bed.trigger.drain();
        let drained = bed.ended().await;
        // The last snapshot arrives.
        sleep(ms(1)).await;
        witness.hear();
        drop(callers);
        (witness, drained)
    }
}

impl Witness {
    fn hear(&mut self) {
        for call in &mut self.calls {
            call.hear();
            // Nothing is happening and there is no answer, so the service has received the call.
            call.received |= call.end.is_none();
        }
    }

    pub(super) fn samples(&self) -> BTreeMap<String, String> {
        self.metrics.publish(&self.ledger);
        samples(&(self.page.render() + &self.metrics.times()))
    }
}
