//! Plays a schedule on the test bed, and keeps what can be known of the service from outside.

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

/// Turns of every task, until what happens at a millisecond has come to its end (arbitrary: an answer takes about five).
const TURNS: usize = 64;

/// What the callers and a watcher know, and the ledger, which must agree with it.
pub(super) struct Witness {
    pub(super) calls: Vec<Made>,
    pub(super) watcher: Watcher,
    pub(super) ledger: Arc<Ledger>,
    /// The most workers that the service has had: a message that is in service is not broken off when they become fewer.
    pub(super) most_workers: u32,
    metrics: Arc<Metrics>,
    page: PrometheusHandle,
}

/// A schedule that is being played.
pub(super) struct Play {
    pub(super) witness: Witness,
    bed: TestBed,
    control: Control,
    callers: Vec<Caller>,
    /// Looks at the service in between.
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

    /// Waits for the odd millisecond that follows, when nobody has anything left to do, and says what Watch shows then:
    /// `None` once the service is closing.
    pub(super) async fn quiet(&mut self) -> Option<Snapshot> {
        self.bed.at(self.now + 1).await;
        // A line can reject a call at any millisecond, this one included: its caller hears of it in a few turns.
        for _ in 0..TURNS {
            tokio::task::yield_now().await;
        }
        self.witness.hear();
        if self.bed.lifecycle.phase() >= Phase::Closing {
            return None;
        }
        // From the beginning of the log: all the ends that there were.
        let snapshots = self.inspector.watch(watch_request(RUN, ms(1_000))).await;
        let snapshot = snapshots.expect("there is room").message().await;
        Some(snapshot.expect("no error").expect("a first snapshot"))
    }

    /// Goes on to the time of the next step.
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
            // The service is gone, so no watcher can come back to it.
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

    /// Drains the service, unless it is drained already, and waits until it is gone.
    pub(super) async fn end(self) -> (Witness, Drained) {
        let Self {
            mut witness,
            bed,
            callers,
            ..
        } = self;
        bed.trigger.drain();
        let drained = bed.ended().await;
        // Its last words arrive.
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
            // Nothing moves, and it has no answer: the service has it.
            call.received |= call.end.is_none();
        }
    }

    pub(super) fn samples(&self) -> BTreeMap<String, String> {
        self.metrics.publish(&self.ledger);
        samples(&(self.page.render() + &self.metrics.times()))
    }
}
