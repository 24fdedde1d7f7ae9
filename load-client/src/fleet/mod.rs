//! Runs the clients of a run on a few threads. Each thread runs one shard: its share of the clients and connections.
//! While they send, the shards work independently, apart from the policies that they share.

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
    live::{FiguresRequest, Live, LiveShard},
    recorder::{Recorded, Recorder},
    scenario::{Priorities, Scenario},
    stop::Stop,
    transport::{ConnectError, Method, RequestHeaders, Transport, dial::Dial},
};

/// The settings of a fleet.
#[derive(Debug, Clone)]
pub struct FleetSetup {
    /// The load: how many clients, when and what they send.
    pub scenario: Arc<Scenario>,
    /// The call that each request makes.
    pub call: Arc<Call>,
    /// How to reach the service.
    pub dial: Dial,
    /// The id of the run, which begins the id of each message.
    pub run_id: String,
    /// The threads on which the clients run.
    pub place: Place,
    /// How long to wait for a target that does not accept connections yet.
    pub connect_timeout: Duration,
    /// The state of the run for progress and the live view.
    pub live: Arc<Live>,
    /// Ends the load early when it is triggered.
    pub stop: Stop,
}

/// A connected fleet, which has not begun to send.
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

/// The message to a shard that begins the load.
#[derive(Debug)]
struct Start {
    at: Instant,
    audit: Option<Arc<Mutex<Audit>>>,
}

/// Why a fleet cannot connect, or cannot finish its load.
#[derive(Debug, thiserror::Error)]
pub enum FleetError {
    /// A target cannot be reached.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The operating system refuses a thread or a runtime.
    #[error("cannot start a thread: {0}")]
    Thread(#[from] std::io::Error),
    /// A shard ended too early, which is a bug of the load client.
    #[error("a thread of the load client died; this is a bug")]
    Died,
    /// The target is a gRPC server, but has no FooService.
    #[error(
        "{target} has no method {method} (UNIMPLEMENTED), so it is no FooService; name a method of it with \
         --call package.Service/Method"
    )]
    NoFooService {
        /// The server, as errors name it.
        target: String,
        /// The method that was called.
        method: String,
    },
    /// The user stopped the run before the load began.
    #[error("stopped before the load began")]
    Stopped,
}

impl Fleet {
    /// Starts the shards and connects all clients; returns when every connection is up.
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
            let (shown, figures_requests) = plan.live.shard();
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
                figures_requests,
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

    /// Makes all clients begin at the instant `at`. `audits` has one audit for each shard, or is empty.
    pub fn start(self, at: Instant, audits: &[Arc<Mutex<Audit>>]) -> Sending {
        let shards = self.shards.into_iter().enumerate().map(|(index, shard)| {
            let audit = audits.get(index).cloned();
            // If the shard has died, `load_over` returns the error.
            let _ = shard.start.send(Start { at, audit });
            (shard.load_over, shard.recorded)
        });
        let (load_over, recorded) = shards.unzip();
        Sending { load_over, recorded }
    }
}

/// A fleet that is sending its load.
#[derive(Debug)]
pub struct Sending {
    load_over: Vec<oneshot::Receiver<Duration>>,
    recorded: Vec<oneshot::Receiver<Recorded>>,
}

impl Sending {
    /// Waits until the load is over in all shards, and returns that time since the start. Requests may still be in
    /// flight then.
    pub async fn load_over(&mut self) -> Result<Duration, FleetError> {
        let mut latest = Duration::ZERO;
        for over in self.load_over.drain(..) {
            latest = latest.max(over.await.map_err(|_| FleetError::Died)?);
        }
        Ok(latest)
    }

    /// Waits until no request is in flight, and returns the results of all shards together.
    pub async fn recorded(self) -> Result<Recorded, FleetError> {
        let mut all = Recorded::default();
        for recorded in self.recorded {
            all.merge(recorded.await.map_err(|_| FleetError::Died)?);
        }
        Ok(all)
    }
}

/// The shard's side of the channels between it and its fleet.
struct Ends {
    connected: oneshot::Sender<Result<(), ConnectError>>,
    start: oneshot::Receiver<Start>,
    shown: Arc<LiveShard>,
    figures_requests: mpsc::Receiver<FiguresRequest>,
    load_over: oneshot::Sender<Duration>,
    recorded: oneshot::Sender<Recorded>,
}

/// The settings of one shard. `count` is the number of shards.
struct ShardSetup {
    index: u32,
    count: u32,
    plan: FleetSetup,
    arrivals: ArrivalPlan,
    /// The policies of the clients, shared by all shards; `None` if each request is sent once.
    policies: Option<Arc<Policies>>,
}

impl ShardSetup {
    async fn run(self, ends: Ends) {
        let Ends {
            connected,
            start,
            shown,
            figures_requests,
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
        // Connection i and client i of the run belong to shard i % count.
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
        // The receiver is gone if another shard could not connect.
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
        // The receiver is gone if the run has already failed.
        let _ = recorded.send(drive(sender, pacer, results, live, stop, figures_requests, load_over).await);
    }
}

/// The request headers of each class of urgency, by the index of the class; only one element if there are no classes.
fn heads(transport: &Transport, method: &Method, priorities: Option<&Priorities>) -> Vec<RequestHeaders> {
    let Some(priorities) = priorities else {
        return vec![transport.heads(method)];
    };
    let urgent = |urgency| transport.heads(&method.urgent(urgency));
    priorities.classes().iter().map(|class| urgent(class.urgency)).collect()
}
