//! One run against one target, from the first connection to the report: the same for a service across the network, one
//! in this process, and one in virtual time.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::time::{Instant, sleep};

use crate::{
    audit::{Audit, AuditCounts, Audited, Closing},
    fleet::{Fleet, FleetError, FleetPlan, Place, shards},
    live::{Live, Stage},
    observer::{Observer, ObserverPlan, Sight},
    outcome::Outcome,
    recorder::Recorded,
    report::{
        AuditReport, DistributionReport, LedgerReport, LoadReport, Run, ServiceReport, VerdictReport, points, seconds,
    },
    scenario::{Rpc, Scenario, Schedule},
    stop::Stop,
    transport::dial::Dial,
};

/// Between the service's snapshots in real time.
const WATCH_EVERY: Duration = Duration::from_millis(50);
/// Likewise in virtual time, where a snapshot costs as much but the runs are longer.
const WATCH_EVERY_VIRTUAL: Duration = Duration::from_secs(1);
/// A load of fewer seconds has no rate that means anything (arbitrary: a tick of the timers).
const SHORTEST_LOAD: f64 = 0.001;
/// A generator that is later than this with one send in a hundred is the limit itself (arbitrary: ten ticks of its
/// timers, and below any SLO that is worth measuring).
const LATE: Duration = Duration::from_millis(10);

/// What to measure.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The strategy's or the target's.
    pub name: String,
    /// The load.
    pub scenario: Arc<Scenario>,
    /// The target.
    pub dial: Dial,
    /// Goes before the numbers of messages: new for every run against a service.
    pub run_id: String,
    /// Whether the clock is virtual. Then everything runs on the current runtime.
    pub virtual_time: bool,
    /// How long the target may take to come up.
    pub connect_timeout: Duration,
    /// For progress.
    pub live: Arc<Live>,
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

/// Runs the plan. A stop ends it early, with the report so far.
///
/// # Errors
///
/// If the load could not begin.
pub async fn measure(plan: Plan) -> Result<Measured, FleetError> {
    let place = if plan.virtual_time { Place::Here } else { Place::Threads };
    let scenario = &plan.scenario;
    let fleet = Fleet::connect(&FleetPlan {
        scenario: Arc::clone(scenario),
        dial: plan.dial.clone(),
        run_id: plan.run_id.clone(),
        place,
        connect_timeout: plan.connect_timeout,
        live: Arc::clone(&plan.live),
        stop: plan.stop.clone(),
    })
    .await?;
    let mut audits = audits(scenario, place);
    let mut notes = Vec::new();
    let observer = observe(&plan, &audits).await.unwrap_or_else(|reason| {
        notes.push(reason);
        None
    });
    if observer.is_none() {
        // Nobody would ever say how a message ended.
        audits.clear();
    }

    plan.live.enter(Stage::Loading);
    let start = Instant::now();
    if let Some(observer) = &observer {
        observer.load_starts(start);
    }
    let mut sending = fleet.start(start, &audits);
    let load_over = sending.load_over().await?;
    plan.live.enter(Stage::Draining);
    if let Some(observer) = &observer {
        observer.load_over(load_over);
    }
    let mut hurry = plan.stop.clone();
    let (queue_depth_end, recorded) = tokio::join!(queue_depth(observer.as_ref(), &mut hurry), sending.recorded());
    let recorded = recorded?;
    let seen = match &observer {
        Some(observer) => Some(Seen {
            queue_depth_end,
            ..watch_drain(observer, &plan, &recorded).await
        }),
        None => None,
    };
    plan.live.enter(Stage::Done);

    let audited = close(&audits, seen.as_ref());
    Ok(Assembly {
        plan: &plan,
        load_over,
        recorded,
        seen,
        audited,
    }
    .report(notes))
}

/// Starts observing the service, if it lets itself be observed; the reason, if not.
async fn observe(plan: &Plan, audits: &[Arc<Mutex<Audit>>]) -> Result<Option<Observer>, String> {
    let starting = Observer::start(ObserverPlan {
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
    let unknown = "nothing is known of its queue, and no message is audited";
    tokio::select! {
        biased;
        started = starting => match started {
            Ok(Some(observer)) => Ok(Some(observer)),
            Ok(None) => Err(format!("the service has no Watch: {unknown}")),
            Err(status) => Err(format!("the service could not be watched ({:?}: {}): {unknown}", status.code(), status.message())),
        },
        () = sleep(plan.connect_timeout) => Err(format!("the service did not answer a Watch within {:?}: {unknown}", plan.connect_timeout)),
        () = stop.requested() => Ok(None),
    }
}

/// The depth of the service's queue now; `None` if nobody can say, or nobody wants to wait for it.
async fn queue_depth(observer: Option<&Observer>, stop: &mut Stop) -> Option<u64> {
    let snapshot = tokio::select! {
        biased;
        snapshot = observer?.look() => snapshot,
        () = stop.hurried() => None,
    };
    snapshot?.queue_depth.map(|level| level.now)
}

/// Waits until what was queued is done, as far as the plan and its user have patience.
async fn watch_drain(observer: &Observer, plan: &Plan, recorded: &Recorded) -> Seen {
    let (mut stop, mut hurry) = (plan.stop.clone(), plan.stop.clone());
    let waiting = async {
        let ended = observer.empty(plan.scenario.drain_limit, &mut stop).await;
        // Two snapshots more: the service's books can be checked when nothing has moved between two.
        (ended, observer.up_to_date().await)
    };
    let (ended, heard_all) = tokio::select! {
        biased;
        waited = waiting => waited,
        () = hurry.hurried() => (false, false),
    };
    Seen {
        sight: observer.sight(),
        drained: ended && recorded.ledger.in_flight == 0,
        heard_all,
        queue_depth_end: None,
    }
}

/// Audits for the shards of a load that is queued.
fn audits(scenario: &Scenario, place: Place) -> Vec<Arc<Mutex<Audit>>> {
    if scenario.rpc != Rpc::Enqueue {
        return Vec::new();
    }
    let count = shards(scenario, place);
    let clients = scenario.clients.div_ceil(count) as usize;
    (0..count)
        .map(|_| Arc::new(Mutex::new(Audit::new(clients, scenario.warmup, scenario.slo))))
        .collect()
}

/// `None` if there was nothing to audit, or nobody to ask.
fn close(audits: &[Arc<Mutex<Audit>>], seen: Option<&Seen>) -> Option<Audited> {
    let seen = seen?;
    if audits.is_empty() {
        return None;
    }
    let mut locked: Vec<_> = audits
        .iter()
        .map(|audit| audit.lock().expect("no code panics with it"))
        .collect();
    let closing = Closing {
        inside: seen.sight.inside_enqueue(),
        complete: seen.heard_all && !seen.sight.missed,
    };
    Some(Audit::close(locked.iter_mut().map(|audit| &mut **audit), closing))
}

/// What the observer brought back.
struct Seen {
    sight: Sight,
    /// Whether the service was seen to be empty.
    drained: bool,
    /// Whether everything that happened until the end was heard of.
    heard_all: bool,
    queue_depth_end: Option<u64>,
}

/// Everything that a report is made of.
struct Assembly<'a> {
    plan: &'a Plan,
    load_over: Duration,
    recorded: Recorded,
    seen: Option<Seen>,
    audited: Option<Audited>,
}

impl Assembly<'_> {
    fn report(mut self, mut notes: Vec<String>) -> Measured {
        for (outcome, reason) in std::mem::take(&mut self.recorded.reasons) {
            notes.push(format!("{}, for the first time, because: {reason}", outcome.label()));
        }
        let scenario = &self.plan.scenario;
        let judged = seconds(self.load_over.saturating_sub(scenario.warmup));
        // A load over no time has no rate.
        let per_second = |count: u64| (judged >= SHORTEST_LOAD).then(|| count as f64 / judged);
        let imbalances = self.imbalances();
        let drain = self.drain_seconds();

        // Who says when messages were done: the answers of Process, or the audit.
        let done_is_known = scenario.rpc == Rpc::Process || self.audited.is_some();
        let mut done = std::mem::take(&mut self.recorded.done);
        if let Some(audited) = &mut self.audited {
            done.merge(std::mem::take(&mut audited.done));
        }
        let mut series = std::mem::take(&mut done.series);
        if let Some(seen) = &self.seen {
            series.merge(seen.sight.series.clone());
        }
        let goodput = if done_is_known { per_second(done.good) } else { None };

        let report = Run {
            name: self.plan.name.clone(),
            rpc: scenario.rpc.label().to_owned(),
            virtual_time: self.plan.virtual_time,
            load: LoadReport {
                clients: scenario.clients,
                offered_rps: per_second(self.recorded.ledger.intended),
                duration_seconds: judged,
                warmup_seconds: seconds(scenario.warmup),
                arrival: scenario.schedule.label().to_owned(),
            },
            ledger: LedgerReport::new(&self.recorded.ledger),
            service: self.seen.as_ref().map(|seen| service_report(seen, drain)),
            audit: self.audited.as_ref().map(|audited| audit_report(&audited.counts)),
            goodput_rps: goodput,
            response_time_seconds: Outcome::ALL
                .iter()
                .filter_map(|outcome| {
                    let times = DistributionReport::new(&self.recorded.response_time[*outcome as usize])?;
                    Some((outcome.label().to_owned(), times))
                })
                .collect(),
            time_to_done_seconds: DistributionReport::new(&done.time_to_done),
            queue_wait_seconds: DistributionReport::new(&done.queue_wait),
            start_lag_seconds: DistributionReport::new(&self.recorded.start_lag),
            series: points(&series, done_is_known),
            verdict: verdict(scenario, &self.recorded),
        };
        Measured {
            report,
            imbalances,
            notes,
        }
    }

    /// From the end of the load until the last message was done, if the service was seen to be empty.
    fn drain_seconds(&self) -> Option<f64> {
        let seen = self.seen.as_ref().filter(|seen| seen.drained)?;
        let last_done = self.audited.as_ref().and_then(|audited| audited.last_done);
        let last = self.recorded.last_ended.max(last_done.unwrap_or_default());
        // Nobody knows when the rest of a gap was done.
        (seen.heard_all && !seen.sight.missed).then(|| seconds(last.saturating_sub(self.load_over)))
    }

    fn imbalances(&self) -> Vec<String> {
        let mut found = Vec::new();
        if !self.recorded.ledger.balances() {
            found.push(format!(
                "the client's ledger does not balance: {:?}",
                self.recorded.ledger
            ));
        }
        if let Some(seen) = &self.seen
            && seen.sight.balances() == Some(false)
        {
            found.push(format!("the service's ledger does not balance: {:?}", seen.sight.last));
        }
        if let Some(audited) = &self.audited
            && !audited.counts.balances()
        {
            found.push(format!("the audit does not balance: {:?}", audited.counts));
        }
        found
    }
}

fn service_report(seen: &Seen, drain_seconds: Option<f64>) -> ServiceReport {
    let counters = seen.sight.counters();
    let maxima = seen.sight.maxima;
    ServiceReport {
        admitted: counters.admitted,
        completed: counters.completed,
        dropped: counters.dropped,
        expired: counters.expired,
        cancelled: counters.cancelled,
        abandoned: counters.abandoned,
        failed: counters.failed,
        queued: seen.sight.inside(),
        restarts: seen.sight.restarts,
        queue_depth_max: maxima.queue_depth,
        queue_depth_end: seen.queue_depth_end,
        in_system_max: maxima.in_system,
        queue_bytes_max: maxima.queue_bytes,
        resident_bytes_max: maxima.resident_bytes,
        drain_seconds,
    }
}

fn audit_report(counts: &AuditCounts) -> AuditReport {
    AuditReport {
        acknowledged: counts.acknowledged,
        done: counts.done,
        discarded: counts.discarded,
        queued: counts.queued,
        lost: counts.lost,
        unknown: counts.unknown,
        duplicated: counts.duplicated,
        done_unacknowledged: counts.done_unacknowledged,
    }
}

fn verdict(scenario: &Scenario, recorded: &Recorded) -> VerdictReport {
    let lag = recorded.start_lag.quantile(0.99);
    let client_limited = lag.is_some_and(|lag| lag > LATE);
    let reason = match lag {
        None => "nothing was sent".to_owned(),
        Some(_) if scenario.schedule == Schedule::AsFastAsPossible => {
            "no schedule: sent as fast as the answers came, so response time is service time".to_owned()
        }
        Some(lag) => {
            let kept = if client_limited {
                "was late with its sends"
            } else {
                "kept its schedule"
            };
            format!("the generator {kept}: start lag p99 {lag:.1?}")
        }
    };
    VerdictReport { client_limited, reason }
}
