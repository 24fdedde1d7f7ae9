//! The clients of a run, on a few threads: each thread has its share of clients and connections, and shares nothing with
//! the others while it sends.

mod drive;
mod pacer;
mod pending;
mod place;
mod policies;
mod request;
mod results;
mod sender;

use std::{
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use tokio::{
    sync::{mpsc, oneshot},
    time::Instant,
};

pub use self::place::{Place, shards};
use self::{drive::drive, pacer::Pacer, policies::Policies, results::ShardResults, sender::RequestSender};
use crate::{
    arrival::ArrivalPlan,
    audit::Audit,
    call::Call,
    client::Client,
    live::{Live, LiveShard, Look},
    recorder::{Recorded, Recorder},
    scenario::{Priorities, Scenario},
    stop::Stop,
    transport::{ConnectError, Method, RequestHeaders, Transport, dial::Dial},
};

/// What a fleet needs to know before it connects.
#[derive(Debug, Clone)]
pub struct FleetSetup {
    /// The load: how many clients, when and what they send.
    pub scenario: Arc<Scenario>,
    /// The call that each request makes.
    pub call: Arc<Call>,
    /// How to reach the service.
    pub dial: Dial,
    /// Goes before the numbers of messages.
    pub run_id: String,
    /// On which threads the clients run.
    pub place: Place,
    /// How long the target may take to come up.
    pub connect_timeout: Duration,
    /// The state of the run for progress and the live view.
    pub live: Arc<Live>,
    /// Ends the load early when it is triggered.
    pub stop: Stop,
}

/// A fleet that is connected.
#[derive(Debug)]
pub struct Fleet {
    shards: Vec<ShardHandle>,
}

#[derive(Debug)]
struct ShardHandle {
    start: oneshot::Sender<Start>,
    load_over: oneshot::Receiver<Duration>,
    recorded: oneshot::Receiver<Recorded>,
}

/// What a shard is told when the load begins.
#[derive(Debug)]
struct Start {
    at: Instant,
    audit: Option<Arc<Mutex<Audit>>>,
}

/// Why a fleet could not do its work.
#[derive(Debug, thiserror::Error)]
pub enum FleetError {
    /// The target could not be reached.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The system gives no thread or runtime.
    #[error("cannot start a thread: {0}")]
    Thread(#[from] std::io::Error),
    /// A shard ended before its time: our bug.
    #[error("a thread of the load client died; this is a bug")]
    Died,
    /// What answers is another service.
    #[error(
        "{target} has no method {method} (UNIMPLEMENTED), so it is no FooService; name a method of it with \
         --call package.Service/Method"
    )]
    NoFooService {
        /// The server, as errors name it.
        target: String,
        /// What it was asked for.
        method: String,
    },
    /// Stopped before the load began.
    #[error("stopped before the load began")]
    Stopped,
}

impl Fleet {
    /// Connects all clients, and returns when every connection is up.
    pub async fn connect(plan: &FleetSetup) -> Result<Self, FleetError> {
        let count = shards(&plan.scenario, plan.place);
        let arrivals = ArrivalPlan::of(&plan.scenario);
        let scenario = &plan.scenario;
        let targets = plan.dial.target_count();
        let policies = Policies::new(scenario.policies, scenario.timeout, targets, scenario.seed).map(Arc::new);
        let mut connecting = Vec::new();
        for index in 0..count {
            let (connected, up) = oneshot::channel();
            let (start, started) = oneshot::channel();
            let (over, load_over) = oneshot::channel();
            let (done, recorded) = oneshot::channel();
            let (shown, looks) = plan.live.shard();
            let work = ShardSetup {
                index,
                count,
                plan: plan.clone(),
                arrivals: arrivals.clone(),
                policies: policies.clone(),
            }
            .run(Ends {
                connected,
                start: started,
                shown,
                looks,
                load_over: over,
                recorded: done,
            });
            match plan.place {
                Place::Here => drop(tokio::spawn(work)),
                Place::Threads => {
                    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
                    let name = format!("clients-{index}");
                    thread::Builder::new()
                        .name(name)
                        .spawn(move || runtime.block_on(work))?;
                }
            }
            let handle = ShardHandle {
                start,
                load_over,
                recorded,
            };
            connecting.push((up, handle));
        }
        let mut stop = plan.stop.clone();
        let mut shards = Vec::new();
        for (up, handle) in connecting {
            tokio::select! {
                biased;
                () = stop.requested() => return Err(FleetError::Stopped),
                up = up => up.map_err(|_| FleetError::Died)??,
            }
            shards.push(handle);
        }
        Ok(Self { shards })
    }

    /// Sets all clients going at one instant. `audits` has one for each shard, or none at all.
    pub fn start(self, at: Instant, audits: &[Arc<Mutex<Audit>>]) -> Sending {
        let shards = self.shards.into_iter().enumerate().map(|(index, shard)| {
            let audit = audits.get(index).cloned();
            // A shard that has died shows when it is waited for.
            let _ = shard.start.send(Start { at, audit });
            (shard.load_over, shard.recorded)
        });
        let (load_over, recorded) = shards.unzip();
        Sending { load_over, recorded }
    }
}

/// A fleet that sends its load.
#[derive(Debug)]
pub struct Sending {
    load_over: Vec<oneshot::Receiver<Duration>>,
    recorded: Vec<oneshot::Receiver<Recorded>>,
}

impl Sending {
    /// Waits until no client sends any more, and returns when that was, since the start.
    pub async fn load_over(&mut self) -> Result<Duration, FleetError> {
        let mut latest = Duration::ZERO;
        for over in self.load_over.drain(..) {
            latest = latest.max(over.await.map_err(|_| FleetError::Died)?);
        }
        Ok(latest)
    }

    /// Waits until nothing is in flight any more.
    pub async fn recorded(self) -> Result<Recorded, FleetError> {
        let mut all = Recorded::default();
        for recorded in self.recorded {
            all.merge(recorded.await.map_err(|_| FleetError::Died)?);
        }
        Ok(all)
    }
}

/// A shard's ends of the channels to the thread that started it.
struct Ends {
    connected: oneshot::Sender<Result<(), ConnectError>>,
    start: oneshot::Receiver<Start>,
    shown: Arc<LiveShard>,
    looks: mpsc::Receiver<Look>,
    load_over: oneshot::Sender<Duration>,
    recorded: oneshot::Sender<Recorded>,
}

/// One shard, before it is connected.
struct ShardSetup {
    index: u32,
    count: u32,
    plan: FleetSetup,
    arrivals: ArrivalPlan,
    /// What the clients of all shards do about failures.
    policies: Option<Arc<Policies>>,
}

impl ShardSetup {
    async fn run(self, ends: Ends) {
        let Ends {
            connected,
            start,
            shown,
            looks,
            load_over,
            recorded,
        } = ends;
        let FleetSetup {
            scenario,
            call,
            dial,
            run_id,
            place,
            connect_timeout,
            live,
            stop,
            ..
        } = self.plan;
        // Connection i of all belongs to shard i % count, and so does client i.
        let connections = (self.index as usize..scenario.connections as usize).step_by(self.count as usize);
        let targets: Vec<usize> = connections.clone().map(|number| dial.target_of(number)).collect();
        let troubled = |line: &str| live.troubled(line);
        let connecting = Transport::connect(&dial, connections, scenario.timeout, connect_timeout, troubled);
        let transport = match connecting.await {
            Ok(transport) => transport,
            Err(error) => return drop(connected.send(Err(error))),
        };
        let clients: Vec<Client> = (self.index..scenario.clients)
            .step_by(self.count as usize)
            .map(|index| Client::new(self.arrivals.client(index), self.arrivals.share(index)))
            .collect();
        let pacer = Pacer::new(clients, Arc::clone(&scenario), &self.arrivals);
        // The other end is gone when another shard could not connect.
        let _ = connected.send(Ok(()));
        let Ok(start) = start.await else { return };

        let mut recorder = Recorder::new(scenario.warmup, scenario.slo, live.histograms(), dial.target_count());
        if let Some(priorities) = &scenario.priorities {
            recorder.count_classes(priorities.classes().iter().map(|class| class.urgency));
        }
        if self.policies.is_some() {
            recorder.count_attempts();
        }
        let results = ShardResults::new(
            recorder,
            shown,
            start.audit,
            pacer.clients(),
            scenario.rpc.ok_means_done(),
            scenario.warmup,
            targets,
        );
        let sender = RequestSender {
            heads: heads(&transport, &call.method, scenario.priorities.as_deref()),
            call,
            transport,
            run_id,
            index: self.index,
            count: self.count,
            start: start.at,
            place,
            policies: self.policies,
        };
        // The receiver is gone if the run has failed.
        let _ = recorded.send(drive(sender, pacer, results, live, stop, looks, load_over).await);
    }
}

/// What goes ahead of the messages of each class of urgency, by its place; of all, where there are no classes.
fn heads(transport: &Transport, method: &Method, priorities: Option<&Priorities>) -> Vec<RequestHeaders> {
    let Some(priorities) = priorities else {
        return vec![transport.heads(method)];
    };
    let urgent = |urgency| transport.heads(&method.urgent(urgency));
    priorities.classes().iter().map(|class| urgent(class.urgency)).collect()
}
