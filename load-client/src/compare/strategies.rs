//! The strategies of the worked example, on services in this process: in real time over loopback, or in virtual time
//! over in-memory connections.

use std::{sync::Arc, thread, time::Duration};

use foo_service::{
    config::{QueueKind, Settings},
    enqueue::WhenFull,
};
use tokio::sync::oneshot;

use super::{REAL, VIRTUAL, all_at_once};
use crate::{
    cli::{CompareArgs, Defaults},
    embedded::{EmbedError, Embedded},
    fleet::FleetError,
    live::Live,
    measure::{Measured, Plan, measure},
    output::progress::Progress,
    run::random_run_id,
    scenario::{Rpc, Schedule},
    stop::Stop,
};

/// A way to take messages in.
#[derive(Debug, Clone)]
pub struct Strategy {
    /// What it is called.
    pub name: &'static str,
    /// The door that its clients use.
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
    /// A load could not begin.
    #[error(transparent)]
    Fleet(#[from] FleetError),
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
        let strategy = |name, rpc, settings| Self { name, rpc, settings };
        vec![
            strategy(
                "async-unbounded",
                Rpc::Enqueue,
                Settings {
                    queue: QueueKind::Unbounded,
                    ..base.clone()
                },
            ),
            strategy(
                "async-scaled",
                Rpc::Enqueue,
                Settings {
                    queue: QueueKind::Unbounded,
                    workers: 2,
                    ..base.clone()
                },
            ),
            strategy(
                "async-bounded",
                Rpc::Enqueue,
                Settings {
                    queue: QueueKind::Bounded,
                    queue_capacity: 8,
                    when_full: WhenFull::DropOldest,
                    ..base.clone()
                },
            ),
            strategy("sync", Rpc::Process, base.clone()),
            strategy("sync-shed", Rpc::Process, Settings { max_waiting: 1, ..base }),
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

    fn plan(&self, args: &CompareArgs, schedule: &Schedule, defaults: Defaults, stop: &Stop) -> UnplacedPlan {
        let defaults = Defaults {
            rpc: self.rpc,
            ..defaults
        };
        let mut scenario = args.load.scenario(schedule.clone(), defaults);
        // The door belongs to the strategy.
        if scenario.rpc != self.rpc {
            scenario.rpc = self.rpc;
        }
        UnplacedPlan {
            name: self.name.to_owned(),
            settings: Settings {
                seed: scenario.seed,
                ..self.settings.clone()
            },
            scenario: Arc::new(scenario),
            live: Arc::new(Live::default()),
            connect_timeout: args.load.connect_timeout,
            stop: stop.clone(),
        }
    }
}

/// A plan that has no service yet.
struct UnplacedPlan {
    name: String,
    settings: Settings,
    scenario: Arc<crate::scenario::Scenario>,
    live: Arc<Live>,
    connect_timeout: Duration,
    stop: Stop,
}

impl UnplacedPlan {
    fn place(&self, service: &Embedded, run_id: String, virtual_time: bool) -> Plan {
        Plan {
            name: self.name.clone(),
            scenario: Arc::clone(&self.scenario),
            dial: service.dial(),
            run_id,
            virtual_time,
            connect_timeout: self.connect_timeout,
            live: Arc::clone(&self.live),
            stop: self.stop.clone(),
        }
    }
}

/// Runs the strategies at the same time, over loopback.
pub async fn in_real_time(
    strategies: &[Strategy],
    args: &CompareArgs,
    schedule: &Schedule,
    stop: &Stop,
) -> Result<Vec<Measured>, CompareError> {
    let mut services = Vec::new();
    let mut plans = Vec::new();
    for strategy in strategies {
        let plan = strategy.plan(args, schedule, REAL, stop);
        let run_id = random_run_id();
        let service = Embedded::on_loopback(plan.settings.clone(), run_id.clone()).await?;
        plans.push(plan.place(&service, run_id, false));
        services.push(service);
    }
    let measured = all_at_once(plans, args.output.quiet).await;
    for service in services {
        service.stop().await;
    }
    Ok(measured?)
}

/// Runs the strategies each in a time of its own: as fast as the machine can compute it, with the same figures every
/// time.
pub async fn in_virtual_time(
    strategies: &[Strategy],
    args: &CompareArgs,
    schedule: &Schedule,
    defaults: Defaults,
    stop: &Stop,
) -> Result<Vec<Measured>, CompareError> {
    let mut watched = Vec::new();
    let mut running = Vec::new();
    for strategy in strategies {
        let plan = strategy.plan(args, schedule, defaults, stop);
        watched.push((plan.name.clone(), Arc::clone(&plan.live)));
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
    let progress = Progress::start(watched, args.output.quiet);
    let mut measured = Vec::new();
    for result in running {
        measured.push(result.await.map_err(|_| FleetError::Died).and_then(|result| result));
    }
    if let Some(progress) = progress {
        progress.finish();
    }
    Ok(measured.into_iter().collect::<Result<_, _>>()?)
}

async fn virtual_run(plan: UnplacedPlan) -> Result<Measured, FleetError> {
    // Ids are names here, not secrets: the same every time.
    let service = Embedded::in_memory(plan.settings.clone(), plan.name.clone());
    let plan = plan.place(&service, "v".to_owned(), true);
    let measured = measure(plan).await;
    service.stop().await;
    measured
}

#[allow(dead_code)]
const _: Defaults = VIRTUAL;
