//! Makes one run against one target, from the first connection to the report. This works in the same way for a service
//! across the network, for one in this process, and in virtual time.

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

/// Makes the run of the plan. A stop, or a rule of `--abort-if` that is met, ends the run early; the report is then
/// about the run so far.
///
/// # Errors
///
/// If the load cannot begin, the target is not a FooService, or a thread of the load client has died.
pub async fn measure(mut plan: RunPlan) -> Result<Measured, FleetError> {
    // A rule must stop only this run, so the run has a stopper of its own.
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
