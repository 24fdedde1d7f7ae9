//! `load-client compare` measures several strategies or services at the same time, under the same load.

mod compared;
#[cfg(feature = "embedded")]
mod introduction;
#[cfg(feature = "embedded")]
mod prediction;
mod scenarios;
#[cfg(feature = "embedded")]
mod services;
#[cfg(feature = "embedded")]
mod strategies;

use std::sync::Arc;

pub use self::{
    compared::Compared,
    scenarios::{REAL, check_targets},
};
use self::{compared::all_at_once, scenarios::real_scenario};
#[cfg(feature = "embedded")]
pub use self::{
    introduction::{introduction, virtual_introduction},
    scenarios::{VIRTUAL, check_again, check_rules, check_virtual},
    strategies::{CompareError, Manner, in_real_time, in_virtual_time},
};
use crate::{
    call::Call,
    cli::{CompareArgs, LoadArgs, Target},
    live::Live,
    measure::RunPlan,
    run::random_run_id,
    scenario::Schedule,
    stop::Stopper,
    transport::dial::{Dial, TlsError},
};

/// Measures the running services that `args` names, all at the same time.
///
/// # Errors
///
/// If a TLS file cannot be read or used.
pub async fn targets(
    args: &CompareArgs,
    load: &LoadArgs,
    schedule: &Schedule,
    stopper: &Arc<Stopper>,
) -> Result<Compared, TlsError> {
    let access = args.tls.access();
    let plans = args.target.iter().map(|Target { name, rpc, url }| {
        // `main` has rejected targets without an RPC.
        let rpc = rpc.or(args.load.mode()).unwrap_or(REAL.rpc);
        let scenario = Arc::new(real_scenario(load, schedule, rpc));
        Ok(RunPlan {
            name: name.clone(),
            call: Arc::new(Call::foo(&scenario)),
            scenario,
            dial: Dial::url(url, &access)?.with(args.connection.options()),
            run_id: random_run_id(),
            virtual_time: false,
            connect_timeout: load.connect_timeout,
            live: Arc::new(Live::default()),
            events: Vec::new(),
            rules: args.gates.rules(),
            stop: stopper.listener(),
        })
    });
    let plans = plans.collect::<Result<_, _>>()?;
    let targets = args.target.iter();
    let targets = targets
        .map(|target| (target.name.as_str(), target.url.to_string()))
        .collect();
    Ok(all_at_once(plans, args.output.progress.manner(), stopper)
        .await
        .of_targets(&targets))
}
