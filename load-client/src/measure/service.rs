//! Observes the service during a run: its own counts, and the end of every queued message for the audit.

use std::{
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use tokio::time::{Instant, sleep};

use super::plan::RunPlan;
use crate::{
    audit::{Audit, Audited, Closing},
    fleet::shards,
    observer::{self, Observed, Observer, ObserverSetup},
    scenario::Rpc,
    stop::Stop,
};

/// The time between two snapshots of the service in real time.
const WATCH_EVERY: Duration = Duration::from_millis(50);
/// The time between two snapshots of the service in virtual time. It is longer, because the runs last longer and each
/// snapshot costs as much.
const WATCH_EVERY_VIRTUAL: Duration = Duration::from_secs(1);

/// The observer and the audits of a run. There are none if the service cannot be observed.
pub(super) struct Watch {
    observer: Option<Observer>,
    /// The audits, one for each shard; empty if the load is not queued.
    audits: Vec<Arc<Mutex<Audit>>>,
    speaks_for_all: bool,
}

/// What the observer knows about the service at the end of a run.
pub(super) struct ServiceView {
    /// True if the observed instance is the only one. Otherwise only its figures about the shared queue are used.
    pub(super) speaks_for_all: bool,
    pub(super) observed: Observed,
    /// True if all requests have ended and the service became empty.
    pub(super) drained: bool,
    /// True if the observer received everything that happened until the end.
    pub(super) heard_all: bool,
}

impl Watch {
    /// Begins to observe the service. If that is not possible, the notes contain the reason.
    pub(super) async fn start(plan: &RunPlan) -> (Self, Vec<String>) {
        let audits = audits(plan);
        let (observer, notes) = match observe(plan, &audits).await {
            Ok(observer) => (observer, Vec::new()),
            Err(reason) => (None, vec![reason]),
        };
        // Without an observer, the audits would never receive the ends of messages.
        let audits = if observer.is_some() { audits } else { Vec::new() };
        let watch = Self {
            observer,
            audits,
            speaks_for_all: plan.dial.is_one_service(),
        };
        (watch, notes)
    }

    /// The audits, one for each shard; empty if nothing is audited.
    pub(super) fn audits(&self) -> &[Arc<Mutex<Audit>>] {
        &self.audits
    }

    /// Locks the audits one after the other, each for as long as the caller keeps the guard.
    pub(super) fn each_audit(&self) -> impl Iterator<Item = MutexGuard<'_, Audit>> {
        self.audits.iter().map(|audit| lock(audit))
    }

    /// Tells the observer when the load starts; from then on it records a time series.
    pub(super) fn load_starts(&self, start: Instant) {
        if let Some(observer) = &self.observer {
            observer.load_starts(start);
        }
    }

    /// The number of messages that the service has dropped so far; `None` if not all of its instances are observed.
    pub(super) fn dropped(&self) -> Option<u64> {
        let observer = self.observer.as_ref().filter(|_| self.speaks_for_all);
        observer.map(|observer| observer.observed().counters().dropped)
    }

    /// The current depth of the service's queue; `None` if the service does not report it, or if a second stop comes
    /// first.
    pub(super) async fn queue_depth(&self, stop: &mut Stop) -> Option<u64> {
        let snapshot = tokio::select! {
            biased;
            snapshot = self.observer.as_ref()?.snapshot() => snapshot,
            () = stop.hurried() => None,
        };
        snapshot?.queue_depth.map(|level| level.now)
    }

    /// Waits until all queued messages are done, the drain limit of the plan has passed, or the user stops the run;
    /// returns what was observed, or `None` if the service is not observed. `all_ended` is true if every request that
    /// was sent has ended.
    pub(super) async fn drain(&self, plan: &RunPlan, all_ended: bool) -> Option<ServiceView> {
        let observer = self.observer.as_ref()?;
        let (mut stop, mut hurry) = (plan.stop.clone(), plan.stop.clone());
        let waiting = async {
            let ended = observer.empty(plan.scenario.drain_limit, &mut stop).await;
            // Two more snapshots: the service's counts can be checked only if nothing has changed between two.
            (ended, observer.up_to_date().await)
        };
        let (ended, heard_all) = tokio::select! {
            biased;
            waited = waiting => waited,
            () = hurry.hurried() => (false, false),
        };
        Some(ServiceView {
            speaks_for_all: self.speaks_for_all,
            observed: observer.observed(),
            drained: ended && all_ended,
            heard_all,
        })
    }

    /// Closes the audits: what became of every message. `None` if nothing was audited or observed.
    pub(super) fn close(&self, seen: Option<&ServiceView>) -> Option<Audited> {
        let seen = seen?;
        if self.audits.is_empty() {
            return None;
        }
        let mut locked: Vec<_> = self.each_audit().collect();
        let closing = Closing {
            inside: seen.observed.inside_enqueue(),
            complete: seen.heard_all && !seen.observed.missed,
        };
        Some(Audit::close(locked.iter_mut().map(|audit| &mut **audit), closing))
    }
}

/// Starts to observe the service. `None` if it is not a FooService, or if the user stops the run first.
///
/// # Errors
///
/// The reason that the service cannot be observed, in words.
async fn observe(plan: &RunPlan, audits: &[Arc<Mutex<Audit>>]) -> Result<Option<Observer>, String> {
    if !plan.scenario.rpc.is_foo_service() {
        return Ok(None);
    }
    let unknown = "nothing is known of its queue, and no message is audited";
    let queued = plan.scenario.rpc == Rpc::Enqueue;
    let one =
        plan.dial.is_one_service() || (queued && Observer::share_a_queue(&plan.dial, &plan.scenario.metadata).await);
    if !one {
        // To take the figures of one instance for those of all would be worse than to have none.
        return Err(format!(
            "several instances may serve it, and none is watched: {unknown}"
        ));
    }
    let starting = Observer::start(ObserverSetup {
        dial: plan.dial.clone(),
        run_id: plan.run_id.clone(),
        interval: if plan.virtual_time {
            WATCH_EVERY_VIRTUAL
        } else {
            WATCH_EVERY
        },
        audits: audits.to_vec(),
        metadata: plan.scenario.metadata.clone(),
        live: Arc::clone(&plan.live),
    });
    let mut stop = plan.stop.clone();
    tokio::select! {
        biased;
        started = starting => match started {
            Ok(Some(observer)) => Ok(Some(observer)),
            Ok(None) => Err(format!("the service has no Watch: {unknown}")),
            Err(status) => Err(format!("the service could not be watched ({}): {unknown}", observer::refusal(&status))),
        },
        () = sleep(plan.connect_timeout) => Err(format!("the service did not answer a Watch within {:?}: {unknown}", plan.connect_timeout)),
        () = stop.requested() => Ok(None),
    }
}

/// Makes an audit for each shard; none if the load is not queued.
fn audits(plan: &RunPlan) -> Vec<Arc<Mutex<Audit>>> {
    let scenario = &plan.scenario;
    if scenario.rpc != Rpc::Enqueue {
        return Vec::new();
    }
    let count = shards(scenario, plan.place());
    let clients = scenario.clients.div_ceil(count) as usize;
    let audit = || {
        let live = &plan.live;
        Audit::new(
            clients,
            scenario.warmup,
            scenario.slo,
            live.histograms().time_to_done,
            live.audit(),
        )
    };
    (0..count).map(|_| Arc::new(Mutex::new(audit()))).collect()
}

fn lock(audit: &Mutex<Audit>) -> MutexGuard<'_, Audit> {
    audit.lock().expect("no code panics with an audit locked")
}
