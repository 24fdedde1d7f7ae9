//! `load-client run`: one running service, one load, one report.

use std::sync::Arc;

use crate::{
    cli::{Defaults, DrainLimit, RunArgs},
    fleet::FleetError,
    live::Live,
    measure::{Measured, Plan, measure},
    output::progress::{Progress, Watched},
    scenario::{Rpc, Schedule, WhenBlocked},
    stop::Stop,
};

/// What holds where no flag says otherwise.
const DEFAULTS: Defaults = Defaults {
    rpc: Rpc::Process,
    duration: std::time::Duration::from_secs(10),
    when_blocked: WhenBlocked::Backlog,
    drain_limit: DrainLimit::Fixed(std::time::Duration::from_secs(60)),
};

/// Drives the service of `args` on that schedule.
pub async fn run(args: &RunArgs, schedule: Schedule, stop: Stop) -> Result<Measured, FleetError> {
    let live = Arc::new(Live::default());
    let plan = Plan {
        name: "run".to_owned(),
        scenario: Arc::new(args.load.scenario(schedule, DEFAULTS)),
        dial: args.url.clone(),
        run_id: random_run_id(),
        virtual_time: false,
        connect_timeout: args.load.connect_timeout,
        live: Arc::clone(&live),
        stop,
    };
    let watched = Watched {
        name: args.url.to_string(),
        rpc: plan.scenario.rpc,
        live,
    };
    let progress = Progress::start(vec![watched], args.output.quiet);
    let measured = measure(plan).await;
    if let Some(progress) = progress {
        progress.finish();
    }
    measured
}

/// 16 hexadecimal digits from the system's randomness: no two runs against a service share an id.
pub fn random_run_id() -> String {
    use rand::TryRng;
    let bits = rand::rngs::SysRng.try_next_u64().expect("the system gives randomness");
    format!("{bits:016x}")
}
