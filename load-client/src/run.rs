//! `load-client run`: one running service, one load, one report.

use std::{io, net::SocketAddr, sync::Arc};

use crate::{
    cli::{Defaults, DrainLimit, RunArgs},
    fleet::FleetError,
    live::Live,
    measure::{Measured, Plan, measure},
    metrics::Histograms,
    output::{
        progress::{Progress, Watched},
        prometheus::Page,
    },
    scenario::{Rpc, Scenario, Schedule, WhenBlocked},
    stop::Stop,
};

/// What holds where no flag says otherwise.
const DEFAULTS: Defaults = Defaults {
    rpc: Rpc::Process,
    duration: std::time::Duration::from_secs(10),
    when_blocked: WhenBlocked::Backlog,
    drain_limit: DrainLimit::Fixed(std::time::Duration::from_secs(60)),
};

/// Why a run could not be made.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The load could not begin.
    #[error(transparent)]
    Fleet(#[from] FleetError),
    /// The address for the metrics cannot be had.
    #[error("--prometheus-addr: cannot serve metrics at {address}: {source}; port 0 takes any that is free")]
    Metrics {
        /// As the flag says.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
}

/// Drives the service of `args` on that schedule.
pub async fn run(args: &RunArgs, schedule: Schedule, stop: Stop) -> Result<Measured, RunError> {
    let live = Arc::new(Live::default());
    let scenario = Arc::new(args.load.scenario(schedule, DEFAULTS));
    let histograms = serve_metrics(args, &scenario, &live)?;
    let plan = Plan {
        name: "run".to_owned(),
        scenario,
        dial: args.url.clone(),
        run_id: random_run_id(),
        virtual_time: false,
        connect_timeout: args.load.connect_timeout,
        live: Arc::clone(&live),
        histograms,
        rules: args.gates.rules(),
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
    Ok(measured?)
}

/// Serves the run's metrics, if somebody wants to see them.
fn serve_metrics(args: &RunArgs, scenario: &Arc<Scenario>, live: &Arc<Live>) -> Result<Histograms, RunError> {
    let Some(address) = args.prometheus_addr else {
        return Ok(Histograms::unseen());
    };
    let page = Page::new(Arc::clone(scenario), Arc::clone(live));
    let histograms = page.histograms();
    let bound = page
        .serve(address)
        .map_err(|source| RunError::Metrics { address, source })?;
    if !args.output.quiet {
        eprintln!("metrics at http://{bound}/metrics");
    }
    Ok(histograms)
}

/// 16 hexadecimal digits from the system's randomness: no two runs against a service share an id.
pub fn random_run_id() -> String {
    use rand::TryRng;
    let bits = rand::rngs::SysRng.try_next_u64().expect("the system gives randomness");
    format!("{bits:016x}")
}
