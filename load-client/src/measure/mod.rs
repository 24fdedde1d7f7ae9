//! One run against one target, from the first connection to the report: the same for a service across the network, one
//! in this process, and one in virtual time.

mod assembly;
mod events;
mod judgement;
mod load;
mod plan;
mod service;

use self::{assembly::Assembly, service::Watch};
pub use self::{
    events::Event,
    plan::{Measured, RunPlan},
};
use crate::{
    fleet::{Fleet, FleetError},
    live::Phase,
};

/// Runs the plan. A stop ends it early, with the report so far; so does a rule that is to do so.
///
/// # Errors
///
/// If the load could not begin.
pub async fn measure(mut plan: RunPlan) -> Result<Measured, FleetError> {
    // A rule stops this run, and no other.
    let stopper = plan.stop.relayed();
    plan.stop = stopper.listener();

    let fleet = Fleet::connect(&plan.fleet()).await?;
    let (watch, notes) = Watch::start(&plan).await;
    let sent = load::send(&plan, fleet, &watch, &stopper).await?;
    let seen = watch.drain(&plan, sent.all_ended()).await;
    plan.live.enter(Phase::Done);

    let audited = watch.close(seen.as_ref());
    if let Some(audited) = &audited {
        plan.live.audited(audited.so_far());
    }
    let assembly = Assembly {
        plan: &plan,
        sent,
        seen,
        audited,
    };
    Ok(assembly.report(notes))
}
