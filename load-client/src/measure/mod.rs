//! One run against one target, from the first connection to the report: the same for a service across the network, one
//! in this process, and one in virtual time.

mod assembly;
mod events;
mod judgement;

use std::{
    pin::pin,
    sync::{Arc, Mutex, MutexGuard},
    time::{Duration, SystemTime},
};

use tokio::time::{Instant, sleep};

pub use self::events::Event;
use self::{assembly::Assembly, judgement::Underway};
use crate::{
    audit::{Audit, Audited, Closing},
    call::Call,
    fleet::{Fleet, FleetError, FleetSetup, Place, shards},
    gates::Rules,
    live::{Live, Phase},
    observer::{self, Observed, Observer, ObserverSetup},
    outcome::Outcome,
    recorder::Recorded,
    report::Run,
    scenario::{Rpc, Scenario},
    stop::Stop,
    transport::dial::Dial,
};

/// Between the service's snapshots in real time.
const WATCH_EVERY: Duration = Duration::from_millis(50);
/// Between the service's snapshots in virtual time, where a snapshot costs as much but the runs are longer.
const WATCH_EVERY_VIRTUAL: Duration = Duration::from_secs(1);

/// One per shard; none where nothing is queued.
type Audits = Vec<Arc<Mutex<Audit>>>;

/// What to measure.
#[derive(Debug, Clone)]
pub struct RunPlan {
    /// The strategy's or the target's.
    pub name: String,
    /// The load.
    pub scenario: Arc<Scenario>,
    /// What its sends are.
    pub call: Arc<Call>,
    /// The target.
    pub dial: Dial,
    /// Goes before the numbers of messages: new for every run against a service.
    pub run_id: String,
    /// Whether the clock is virtual. Then everything runs on the current runtime.
    pub virtual_time: bool,
    /// How long the target may take to come up.
    pub connect_timeout: Duration,
    /// The state of the run for progress and the live view.
    pub live: Arc<Live>,
    /// What happens to the service meanwhile, in the order of time.
    pub events: Vec<Event>,
    /// What the run is judged by.
    pub rules: Rules,
    /// To end early.
    pub stop: Stop,
}

/// A run that was measured.
#[derive(Debug)]
pub struct Measured {
    /// The figures.
    pub report: Run,
    /// What does not add up; a run with such a thing has failed.
    pub imbalances: Vec<String>,
    /// What a reader should know besides.
    pub notes: Vec<String>,
}

/// Runs the plan. A stop ends it early, with the report so far; so does a rule that is to do so.
///
/// # Errors
///
/// If the load could not begin.
pub async fn measure(mut plan: RunPlan) -> Result<Measured, FleetError> {
    // A rule stops this run, and no other.
    let stopper = plan.stop.relayed();
    plan.stop = stopper.listener();
    let place = if plan.virtual_time { Place::Here } else { Place::Threads };
    let scenario = &plan.scenario;
    let fleet = Fleet::connect(&FleetSetup {
        scenario: Arc::clone(scenario),
        call: Arc::clone(&plan.call),
        dial: plan.dial.clone(),
        run_id: plan.run_id.clone(),
        place,
        connect_timeout: plan.connect_timeout,
        live: Arc::clone(&plan.live),
        stop: plan.stop.clone(),
    })
    .await?;
    let mut audits = audits(&plan, place);
    let mut notes = Vec::new();
    let observer = observe(&plan, &audits).await.unwrap_or_else(|reason| {
        notes.push(reason);
        None
    });
    if observer.is_none() {
        // Without an observer, the audits would never learn how a message ended.
        audits.clear();
    }

    plan.live.enter(Phase::Loading);
    let start = Instant::now();
    // Only for people: nothing is measured by it.
    let started_at = (!plan.virtual_time).then(SystemTime::now);
    plan.live.load_starts(start);
    if let Some(observer) = &observer {
        observer.load_starts(start);
    }
    let mut sending = fleet.start(start, &audits);
    let underway = Underway {
        plan: &plan,
        audits: &audits,
        observer: observer.as_ref(),
        start,
    };
    let mut broken_off_by = Vec::new();
    let load_over = {
        let mut over = pin!(sending.load_over());
        tokio::select! {
            biased;
            () = no_foo_service(&plan) => {
                stopper.stop();
                stopper.stop();
                over.await?
            }
            never = events::happen(&plan.events, start, &plan.live) => match never {},
            over = &mut over => over?,
            rules = underway.stopped() => {
                broken_off_by = rules;
                stopper.stop();
                over.await?
            }
        }
    };
    plan.live.enter(Phase::Draining);
    let mut hurry = plan.stop.clone();
    let (queue_depth_end, recorded) = tokio::join!(queue_depth(observer.as_ref(), &mut hurry), sending.recorded());
    let recorded = recorded?;
    if plan.call.is_refuted() && plan.dial.is_one_service() && recorded.figures.ledger.of(Outcome::Ok) == 0 {
        return Err(FleetError::NoFooService {
            target: plan.dial.to_string(),
            method: plan.call.method.path.as_str().trim_start_matches('/').to_owned(),
        });
    }
    let seen = match &observer {
        Some(observer) => Some(ServiceView {
            queue_depth_end,
            ..watch_drain(observer, &plan, &recorded).await
        }),
        None => None,
    };
    plan.live.enter(Phase::Done);

    let audited = close(&audits, seen.as_ref());
    if let Some(audited) = &audited {
        plan.live.audited(audited.so_far());
    }
    Ok(Assembly {
        plan: &plan,
        started_at,
        load_over,
        recorded,
        seen,
        audited,
        stopped: broken_off_by,
    }
    .report(notes))
}

/// Waits until it is plain that the one service at the target is no FooService; for ever, if it is one.
async fn no_foo_service(plan: &RunPlan) {
    loop {
        plan.call.refuted().await;
        if plan.dial.is_one_service() && plan.live.read().ledger.of(Outcome::Ok) == 0 {
            return;
        }
    }
}

/// Starts observing the service, if it lets itself be observed; the reason, if not.
async fn observe(plan: &RunPlan, audits: &[Arc<Mutex<Audit>>]) -> Result<Option<Observer>, String> {
    if !plan.scenario.rpc.is_foo_service() {
        return Ok(None);
    }
    let unknown = "nothing is known of its queue, and no message is audited";
    if !plan.dial.is_one_service() {
        // One instance's word for all of them would be worse than none.
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

/// The depth of the service's queue now; `None` if the service does not report it, or if a stop comes first.
async fn queue_depth(observer: Option<&Observer>, stop: &mut Stop) -> Option<u64> {
    let snapshot = tokio::select! {
        biased;
        snapshot = observer?.look() => snapshot,
        () = stop.hurried() => None,
    };
    snapshot?.queue_depth.map(|level| level.now)
}

/// Waits until what was queued is done, as far as the plan and its user have patience.
async fn watch_drain(observer: &Observer, plan: &RunPlan, recorded: &Recorded) -> ServiceView {
    let (mut stop, mut hurry) = (plan.stop.clone(), plan.stop.clone());
    let waiting = async {
        let ended = observer.empty(plan.scenario.drain_limit, &mut stop).await;
        // Two snapshots more: the service's counts can be checked when nothing has moved between two.
        (ended, observer.up_to_date().await)
    };
    let (ended, heard_all) = tokio::select! {
        biased;
        waited = waiting => waited,
        () = hurry.hurried() => (false, false),
    };
    ServiceView {
        observed: observer.observed(),
        drained: ended && recorded.figures.ledger.in_flight == 0,
        heard_all,
        queue_depth_end: None,
    }
}

/// Audits for the shards of a load that is queued.
fn audits(plan: &RunPlan, place: Place) -> Audits {
    let scenario = &plan.scenario;
    if scenario.rpc != Rpc::Enqueue {
        return Vec::new();
    }
    let count = shards(scenario, place);
    let clients = scenario.clients.div_ceil(count) as usize;
    (0..count)
        .map(|_| {
            Audit::new(
                clients,
                scenario.warmup,
                scenario.slo,
                plan.live.histograms().time_to_done,
                plan.live.audit(),
            )
        })
        .map(|audit| Arc::new(Mutex::new(audit)))
        .collect()
}

/// `None` if there was nothing to audit, or no observer.
fn close(audits: &[Arc<Mutex<Audit>>], seen: Option<&ServiceView>) -> Option<Audited> {
    let seen = seen?;
    if audits.is_empty() {
        return None;
    }
    let mut locked: Vec<_> = audits.iter().map(|audit| lock(audit)).collect();
    let closing = Closing {
        inside: seen.observed.inside_enqueue(),
        complete: seen.heard_all && !seen.observed.missed,
    };
    Some(Audit::close(locked.iter_mut().map(|audit| &mut **audit), closing))
}

fn lock(audit: &Mutex<Audit>) -> MutexGuard<'_, Audit> {
    audit.lock().expect("no code panics with an audit locked")
}

/// What the observer brought back.
struct ServiceView {
    observed: Observed,
    /// Whether everything that was sent was seen to end.
    drained: bool,
    /// Whether everything that happened until the end was heard of.
    heard_all: bool,
    queue_depth_end: Option<u64>,
}
