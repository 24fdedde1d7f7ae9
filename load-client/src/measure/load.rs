//! Sends the load of a run and waits for its answers. A stop, a rule or a wrong service can end the load early.

use std::{
    pin::pin,
    time::{Duration, SystemTime},
};

use tokio::time::Instant;

use super::{events, judgement::Underway, plan::RunPlan, service::Watch};
use crate::{
    fleet::{Fleet, FleetError},
    gates::Judgement,
    live::Phase,
    outcome::Outcome,
    recorder::Recorded,
    stop::Stopper,
};

/// The results of a load, after its last call has ended.
pub(super) struct Sent {
    /// The time at which the load began, by the system's clock; `None` in virtual time.
    pub(super) started_at: Option<SystemTime>,
    /// The time for which requests were scheduled.
    pub(super) load_over: Duration,
    /// The judgements of the rules that stopped the load; empty if none did.
    pub(super) stopped: Vec<Judgement>,
    /// The depth of the queue when the load was over; `None` if the service does not report it, or if a second stop
    /// came first.
    pub(super) queue_depth_end: Option<u64>,
    pub(super) recorded: Recorded,
}

impl Sent {
    /// True if every request that was sent has ended.
    pub(super) fn all_ended(&self) -> bool {
        self.recorded.figures.ledger.in_flight == 0
    }
}

/// Sends the load of the plan, and waits for its answers. `stopper` stops only this run.
pub(super) async fn send(plan: &RunPlan, fleet: Fleet, watch: &Watch, stopper: &Stopper) -> Result<Sent, FleetError> {
    plan.live.enter(Phase::Loading);
    let start = Instant::now();
    // This time is only shown to people; nothing is measured with it.
    let started_at = (!plan.virtual_time).then(SystemTime::now);
    plan.live.load_starts(start);
    watch.load_starts(start);
    let mut sending = fleet.start(start, watch.audits());
    let underway = Underway { plan, watch, start };
    let mut met = Vec::new();
    let load_over = {
        let mut over = pin!(sending.load_over());
        tokio::select! {
            biased;
            () = no_foo_service(plan) => {
                stopper.stop();
                stopper.stop();
                over.await?
            }
            never = events::happen(&plan.events, start, &plan.live) => match never {},
            over = &mut over => over?,
            rules = underway.stopped() => {
                met = rules;
                stopper.stop();
                over.await?
            }
        }
    };
    plan.live.enter(Phase::Draining);
    let mut hurry = plan.stop.clone();
    let (queue_depth_end, recorded) = tokio::join!(watch.queue_depth(&mut hurry), sending.recorded());
    let recorded = recorded?;
    if plan.call.is_refuted() && plan.dial.is_one_service() && recorded.figures.ledger.of(Outcome::Ok) == 0 {
        return Err(FleetError::NoFooService {
            target: plan.dial.to_string(),
            method: plan.call.method.path.as_str().trim_start_matches('/').to_owned(),
        });
    }
    Ok(Sent {
        started_at,
        load_over,
        stopped: met,
        queue_depth_end,
        recorded,
    })
}

/// Waits until the only service at the target has answered that it is not a FooService; waits for ever if it is one.
async fn no_foo_service(plan: &RunPlan) {
    loop {
        plan.call.refuted().await;
        if plan.dial.is_one_service() && plan.live.read().ledger.of(Outcome::Ok) == 0 {
            return;
        }
    }
}
