//! The strategies of the worked example, on services in this process: in real time over loopback, or in virtual time
//! over in-memory connections.

use std::{collections::BTreeMap, sync::Arc, thread, time::Duration};

use foo_service::{
    config::{QueueKind, Settings},
    enqueue::WhenFull,
};
use tokio::sync::oneshot;

use super::{Compared, all_at_once, real_scenario, virtual_scenario};
use crate::{
    call::Call,
    cli::CompareArgs,
    embedded::{EmbedError, Embedded},
    fleet::FleetError,
    gates::Rules,
    live::Live,
    measure::{Measured, Plan, measure},
    metrics::Histograms,
    output::progress::{Manner, Progress, Watched},
    run::random_run_id,
    scenario::{Rpc, Scenario, Schedule},
    stop::{Stop, Stopper},
};

/// A way to take messages in.
#[derive(Debug, Clone)]
pub struct Strategy {
    /// What it is called.
    pub name: &'static str,
    /// What it does, in a sentence that refers to no other strategy.
    pub about: &'static str,
    /// The RPC that its clients call.
    pub rpc: Rpc,
    /// The service behind it.
    pub settings: Settings,
}

/// Why a comparison could not be made.
#[derive(Debug, thiserror::Error)]
pub enum CompareError {
    /// A service could not be started.
    #[error(transparent)]
    Embed(#[from] EmbedError),
    /// The system gives no thread or runtime.
    #[error("cannot start a thread: {0}")]
    Thread(#[from] std::io::Error),
}

impl Strategy {
    /// All of the worked example: one worker (two in the scaled one) that needs 250 ms a message.
    pub fn all() -> Vec<Self> {
        let base = Settings {
            workers: 1,
            service_time: Duration::from_millis(250),
            // Nobody may be refused where waiting is the point.
            max_waiting: u32::MAX >> 1,
            ..Settings::default()
        };
        let strategy = |name, about, rpc, settings| Self {
            name,
            about,
            rpc,
            settings,
        };
        vec![
            strategy(
                "async-unbounded",
                "Enqueue: the answer comes at once, and the message waits in an unlimited queue",
                Rpc::Enqueue,
                Settings {
                    queue: QueueKind::Unbounded,
                    ..base.clone()
                },
            ),
            strategy(
                "async-scaled",
                "Enqueue: the answer comes at once, and the message waits in an unlimited queue for one of 2 workers",
                Rpc::Enqueue,
                Settings {
                    queue: QueueKind::Unbounded,
                    workers: 2,
                    ..base.clone()
                },
            ),
            strategy(
                "async-bounded",
                "Enqueue: the answer comes at once, and the message waits in a queue of 8, which drops its oldest when full",
                Rpc::Enqueue,
                Settings {
                    queue: QueueKind::Bounded,
                    queue_capacity: 8,
                    when_full: WhenFull::DropOldest,
                    ..base.clone()
                },
            ),
            strategy(
                "sync",
                "Process: the answer comes when the message is processed, and every request waits its turn",
                Rpc::Process,
                base.clone(),
            ),
            strategy(
                "sync-shed",
                "Process: the answer comes when the message is processed; at most 1 request waits, further ones are rejected",
                Rpc::Process,
                Settings { max_waiting: 1, ..base },
            ),
        ]
    }

    /// Those of that name, or all; the name that is none, otherwise.
    pub fn named(names: &[String]) -> Result<Vec<Self>, String> {
        let all = Self::all();
        let unknown = names
            .iter()
            .find(|name| !all.iter().any(|strategy| strategy.name == **name));
        if let Some(unknown) = unknown {
            let known: Vec<_> = all.iter().map(|strategy| strategy.name).collect();
            return Err(format!(
                "there is no strategy {unknown:?}; there are {}",
                known.join(", ")
            ));
        }
        let wanted = |strategy: &Self| names.is_empty() || names.iter().any(|name| name == strategy.name);
        Ok(all.into_iter().filter(wanted).collect())
    }

    fn plan(&self, scenario: Scenario, args: &CompareArgs, stop: Stop) -> UnplacedPlan {
        UnplacedPlan {
            name: self.name.to_owned(),
            settings: Settings {
                seed: scenario.seed,
                ..self.settings.clone()
            },
            scenario: Arc::new(scenario),
            live: Arc::new(Live::default()),
            connect_timeout: args.load.connect_timeout,
            rules: args.gates.rules(),
            stop,
        }
    }
}

/// A plan that has no service yet.
struct UnplacedPlan {
    name: String,
    settings: Settings,
    scenario: Arc<Scenario>,
    live: Arc<Live>,
    connect_timeout: Duration,
    rules: Rules,
    stop: Stop,
}

impl UnplacedPlan {
    fn place(&self, service: &Embedded, run_id: String, virtual_time: bool) -> Plan {
        Plan {
            name: self.name.clone(),
            scenario: Arc::clone(&self.scenario),
            call: Arc::new(Call::foo(&self.scenario)),
            dial: service.dial(),
            run_id,
            virtual_time,
            connect_timeout: self.connect_timeout,
            live: Arc::clone(&self.live),
            histograms: Histograms::unseen(),
            rules: self.rules.clone(),
            stop: self.stop.clone(),
        }
    }
}

/// Runs the strategies at the same time, over loopback.
pub async fn in_real_time(
    strategies: &[Strategy],
    args: &CompareArgs,
    schedule: &Schedule,
    stopper: &Arc<Stopper>,
) -> Result<Compared, CompareError> {
    let mut services = Vec::new();
    let mut plans = Vec::new();
    for strategy in strategies {
        let plan = strategy.plan(real_scenario(args, schedule, strategy.rpc), args, stopper.listener());
        let run_id = random_run_id();
        let service = Embedded::on_loopback(plan.settings.clone(), run_id.clone()).await?;
        plans.push(plan.place(&service, run_id, false));
        services.push(service);
    }
    let measured = all_at_once(plans, args.output.progress.manner(), stopper).await;
    for service in services {
        service.stop().await;
    }
    Ok(measured.of_targets(&abouts(strategies)))
}

/// What each of the services is, by the name of its strategy.
fn abouts(strategies: &[Strategy]) -> BTreeMap<&str, String> {
    let abouts = strategies.iter();
    abouts
        .map(|strategy| (strategy.name, strategy.about.to_owned()))
        .collect()
}

/// Runs the strategies each in a time of its own: as fast as the machine can compute it, with the same figures every
/// time.
pub async fn in_virtual_time(
    strategies: &[Strategy],
    args: &CompareArgs,
    schedule: &Schedule,
    stopper: &Arc<Stopper>,
) -> Result<Compared, CompareError> {
    let mut watched = Vec::new();
    let mut running = Vec::new();
    for strategy in strategies {
        let plan = strategy.plan(virtual_scenario(args, schedule, strategy.rpc), args, stopper.listener());
        watched.push(Watched {
            name: plan.name.clone(),
            scenario: Arc::clone(&plan.scenario),
            live: Arc::clone(&plan.live),
        });
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()?;
        let (done, result) = oneshot::channel();
        thread::Builder::new().name(plan.name.clone()).spawn(move || {
            let measured = runtime.block_on(virtual_run(plan));
            // Nobody listens if the comparison has failed elsewhere.
            let _ = done.send(measured);
        })?;
        running.push(result);
    }
    // It is over before anybody has found their way around a view.
    let progress = Progress::start(watched, args.output.progress.manner().min(Manner::Lines), stopper);
    let mut runs = Vec::new();
    for (strategy, result) in strategies.iter().zip(running) {
        let run = result.await.map_err(|_| FleetError::Died).and_then(|run| run);
        runs.push((strategy.name.to_owned(), run));
    }
    if let Some(progress) = progress {
        progress.finish();
    }
    Ok(Compared::of(runs).of_targets(&abouts(strategies)))
}

async fn virtual_run(plan: UnplacedPlan) -> Result<Measured, FleetError> {
    // Ids are names here, not secrets: the same every time.
    let service = Embedded::in_memory(plan.settings.clone(), plan.name.clone());
    let plan = plan.place(&service, "v".to_owned(), true);
    let measured = measure(plan).await;
    service.stop().await;
    measured
}
