//! A hundred times capacity, for a minute or longer, from clients that give up at their deadline and come back a moment later: a
//! strategy that bounds its line must be afterwards what it was before, to the task and to the byte; the unbounded one
//! must hold exactly what arithmetic says.
//!
//! In virtual time, each strategy on a thread of its own. Memory is counted at the allocator, per thread: exact, and
//! without the other strategies. One minute; `SOAK_MINUTES` makes it longer (`scripts/nightly`, and an hour in `scripts/bench soak`).
//!
//! A binary of its own, because the allocator that counts belongs to the whole binary.
//!
//! Tried, each seen to fail: callers that leave the line still counted in it; a task left over by every connection; 16
//! bytes kept of every refusal. Found by it: a task that every run left behind.

#![cfg(feature = "embedded")]

use std::{env, io, sync::Arc, thread, time::Duration};

use allocation_counter::AllocationInfo;
use foo_service::{
    app::{Drained, Parts, Service},
    config::Settings,
    enqueue::{Completion, LOG_CAPACITY, WhenFull},
    job::{Door, Job, JobOutcome},
    ledger::{Ledger, Levels},
    lifecycle::{ShutdownTrigger, shutdown},
};
use load_client::{
    call::Call,
    compare::REAL,
    gates::Rules,
    lab::{Lab, Strategy},
    live::Live,
    measure::{Measured, RunPlan, measure},
    scenario::{Rpc, Scenario, Schedule, Spacing, WhenBlocked},
    stop::Stopper,
    transport::dial::Dial,
};
use metrics::NoopRecorder;
use tokio::{
    io::DuplexStream,
    runtime::Runtime,
    sync::mpsc,
    task::JoinHandle,
    time::{Instant, sleep},
};
use tokio_stream::{StreamExt, wrappers::ReceiverStream};
use tower_admission::line::{self, LINES};

/// The worker of the worked example: four messages a second.
const SERVICE_TIME: Duration = Duration::from_millis(250);
/// One send a second each: a hundred times what the worker can do.
const CLIENTS: u32 = 400;
/// When a client gives up: before its next send is due, so that none is withheld and all of the load arrives.
const TIMEOUT: Duration = Duration::from_millis(900);
/// Callers that may stand in line for a place on the queue, where they may.
const MAX_WAITING: u32 = 32;
/// Callers whose places went to newer ones, and whose tasks have not run since: they still count as in the system (arbitrary: as many
/// as arrive within three milliseconds, and a few more).
const DISPLACED: u64 = 8;
/// Before anything is counted, so that everything has been used once (arbitrary: every client has come back a few times).
const WARM_UP: Duration = Duration::from_secs(5);
/// What may be kept without a reason (arbitrary: a thirtieth of a byte per call in five minutes, so that a leak in every
/// hundredth call shows; in every call where the log of completions keeps all the ids, whose lengths differ).
const SLACK_BYTES: u64 = 4 << 10;

fn minutes() -> u64 {
    let minutes = env::var("SOAK_MINUTES");
    minutes.map_or(1, |minutes| minutes.parse().expect("SOAK_MINUTES is a whole number"))
}

/// The shortest id of a message, and the longest: both are kept, in the log of completions.
fn id_bytes() -> [u64; 2] {
    let id = |client: u32, number: u64| format!("v/{client}/{number}").len() as u64;
    [id(0, 0), id(CLIENTS - 1, minutes() * 60 - 1)]
}

/// A strategy, and the most that may ever be in its system; `None`: there is no such bound.
struct Trial {
    name: String,
    rpc: Rpc,
    settings: Settings,
    most_in_system: Option<u64>,
}

fn trials() -> Vec<Trial> {
    let queue = |settings: &Settings, when_full| Settings {
        when_full,
        max_waiting: MAX_WAITING,
        ..settings.clone()
    };
    let mut trials = Vec::new();
    for Strategy {
        name, rpc, settings, ..
    } in Lab::built_in().strategies(REAL).expect("it is compiled in")
    {
        let mut add = |name: &str, settings: Settings, most_in_system| {
            assert_eq!(settings.service_time, SERVICE_TIME);
            trials.push(Trial {
                name: name.to_owned(),
                rpc,
                settings,
                most_in_system,
            });
        };
        let on_the_queue = u64::from(settings.queue_capacity);
        let name = name.as_str();
        match name {
            "async-unbounded" => add(name, settings, None),
            "async-bounded" => {
                let (reject, wait) = (queue(&settings, WhenFull::Reject), queue(&settings, WhenFull::Wait));
                add(name, settings, Some(on_the_queue + 1));
                add("async, reject", reject, Some(on_the_queue + 1));
                add("async, wait", wait, Some(on_the_queue + 1 + u64::from(MAX_WAITING)));
            }
            "sync" => {
                // Every other way to choose among the callers, too.
                for line in LINES.iter().filter(|line| line.name != settings.line.name) {
                    let settings = Settings {
                        line: line::by_name(line.name).expect("of the list"),
                        max_waiting: MAX_WAITING,
                        ..settings.clone()
                    };
                    add(
                        &format!("line {}", line.name),
                        settings,
                        Some(u64::from(MAX_WAITING) + 1 + DISPLACED),
                    );
                }
                add(name, settings, Some(u64::from(CLIENTS)));
            }
            "sync-shed" => add(name, settings, Some(2)),
            // Unbounded as well, and at this load no different.
            "async-scaled" => {}
            other => panic!("{other} is new: what bounds its line?"),
        }
    }
    trials
}

/// A service whose counts a test can read.
struct Soaked {
    rpc: Rpc,
    ledger: Arc<Ledger>,
    dial: Dial,
    trigger: ShutdownTrigger,
    serving: JoinHandle<Result<Drained, tonic::transport::Error>>,
}

impl Soaked {
    fn start(trial: &Trial) -> Self {
        let service = Service::new(Parts {
            settings: trial.settings.clone(),
            recorder: &NoopRecorder,
            instance_id: "soaked".to_owned(),
            time_of_day: Duration::ZERO,
            owns_process: false,
        })
        .expect("a queue in memory has no file that could be missing");
        let (connections, arriving) = mpsc::channel::<DuplexStream>(64);
        let (trigger, stop) = shutdown();
        Self {
            rpc: trial.rpc,
            ledger: service.ledger(),
            dial: Dial::memory(connections),
            trigger,
            serving: tokio::spawn(service.serve(ReceiverStream::new(arriving).map(Ok::<_, io::Error>), stop)),
        }
    }

    /// The load, and what is left of it afterwards if `drain`. Also says how long all of that took.
    async fn load(&self, length: Duration, drain: bool) -> (Measured, Duration) {
        let began = Instant::now();
        let scenario = Scenario {
            rpc: self.rpc,
            clients: CLIENTS,
            connections: 4,
            threads: 1,
            schedule: Schedule::Rate {
                rps: f64::from(CLIENTS),
                spacing: Spacing::Constant,
            },
            max_in_flight: 1,
            when_blocked: WhenBlocked::Withhold,
            duration: Some(length),
            requests: None,
            timeout: TIMEOUT,
            slo: TIMEOUT,
            warmup: Duration::ZERO,
            drain_limit: (!drain).then_some(Duration::ZERO),
            payload_size: 64,
            metadata: http::HeaderMap::new(),
            priorities: None,
            policies: load_client::policy::PolicySettings::default(),
            seed: 1,
        };
        let stopper = Stopper::default();
        let plan = RunPlan {
            name: "soak".to_owned(),
            call: Arc::new(Call::foo(&scenario)),
            scenario: Arc::new(scenario),
            dial: self.dial.clone(),
            run_id: "v".to_owned(),
            virtual_time: true,
            connect_timeout: Duration::from_secs(10),
            live: Arc::new(Live::default()),
            events: Vec::new(),
            rules: Rules::default(),
            stop: stopper.listener(),
        };
        let measured = measure(plan).await.expect("the service can be reached");
        // Connections close, and callers that have just given up are noticed.
        sleep(Duration::from_millis(10)).await;
        (measured, began.elapsed())
    }

    /// What the log of completions holds: ended messages that came in through Enqueue.
    fn logged(&self) -> u64 {
        let ended: u64 = self.ledger.door(Door::Enqueue).outcomes.iter().sum();
        ended.min(LOG_CAPACITY as u64)
    }

    async fn end(self) {
        self.trigger.now();
        let ended = self.serving.await.expect("serving does not panic");
        ended.expect("the transport works");
    }
}

/// What is counted before the load and after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct State {
    tasks: usize,
    levels: Levels<u64>,
}

impl State {
    fn of(runtime: &Runtime, ledger: &Ledger) -> Self {
        Self {
            tasks: runtime.metrics().num_alive_tasks(),
            levels: ledger.levels(),
        }
    }
}

/// What the load was, as seen while it lasted.
#[derive(Debug, Default)]
struct Load {
    sent: u64,
    given_up: u64,
    most_in_system: u64,
    most_on_queue: u64,
    /// With what came after it.
    lasted: Duration,
}

impl Load {
    fn new(trial: &Trial, (measured, lasted): (Measured, Duration)) -> Self {
        assert_eq!(measured.imbalances, [""; 0], "{}", trial.name);
        let service = measured.report.service.expect("the service was watched");
        Self {
            sent: measured.report.ledger.intended - measured.report.ledger.withheld,
            given_up: measured.report.ledger.expired,
            most_in_system: service.in_system_max,
            most_on_queue: service.queue_depth_max,
            lasted,
        }
    }
}

/// What one strategy came to.
struct Soak {
    trial: Trial,
    before: State,
    after: State,
    load: Load,
    completed: u64,
    memory: AllocationInfo,
    /// Bytes that it has a reason to have kept: from, to.
    held: [u64; 2],
}

fn soak(trial: Trial) -> Soak {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("the system gives a runtime");
    let service = runtime.block_on(async { Soaked::start(&trial) });
    let warm = Load::new(&trial, runtime.block_on(service.load(WARM_UP, true)));
    let before = State::of(&runtime, &service.ledger);
    let (logged_before, completed_before) = (service.logged(), service.ledger.ended(JobOutcome::Completed));

    let length = Duration::from_secs(minutes() * 60);
    let mut load = Load::default();
    let memory = allocation_counter::measure(|| {
        let measured = runtime.block_on(service.load(length, trial.most_in_system.is_some()));
        load = Load::new(&trial, measured);
    });
    let after = State::of(&runtime, &service.ledger);

    // What is on the queue, and the room that it needs by then; and the same for the log of completions.
    let queue = deque_bytes::<Job>(warm.most_on_queue.max(load.most_on_queue)) - deque_bytes::<Job>(warm.most_on_queue);
    let held = id_bytes().map(|id_bytes| {
        let log = |entries: u64| deque_bytes::<Completion>(entries) + entries * id_bytes;
        queue + after.levels.queue_bytes + log(service.logged()) - log(logged_before)
    });
    let completed = service.ledger.ended(JobOutcome::Completed) - completed_before;
    runtime.block_on(service.end());
    Soak {
        trial,
        before,
        after,
        load,
        completed,
        memory,
        held,
    }
}

/// The bytes of a `VecDeque` that once held so many: it doubles, and does not shrink.
fn deque_bytes<T>(most: u64) -> u64 {
    if most == 0 {
        return 0;
    }
    most.next_power_of_two().max(4) * size_of::<T>() as u64
}

impl Soak {
    fn print(&self) {
        let kib = |bytes: f64| bytes / 1024.0;
        println!(
            "{:<16} {:>8} {:>8} {:>6} {:>8} {:>8} {:>6} {:>6} {:>10.1} {:>10.1} {:>10.1}",
            self.trial.name,
            self.load.sent,
            self.load.given_up,
            self.completed,
            self.load.most_in_system,
            self.after.levels.in_system,
            self.before.tasks,
            self.after.tasks,
            kib(self.memory.bytes_max as f64),
            kib(self.memory.bytes_current as f64),
            kib(self.held[1] as f64),
        );
    }

    fn check(&self) {
        let name = self.trial.name.as_str();
        assert_eq!(
            self.load.sent,
            u64::from(CLIENTS) * minutes() * 60,
            "{name}: not all of the load arrived"
        );
        match self.trial.most_in_system {
            Some(most) => {
                assert!(
                    self.load.most_in_system <= most,
                    "{name}: {} in the system",
                    self.load.most_in_system
                );
                assert_eq!(self.after, self.before, "{name}");
            }
            None => self.check_unbounded(),
        }
        // Where a call can get its turn with too little time left, or none at all, callers gave up; otherwise nobody had to.
        assert_eq!(
            self.load.given_up > 0,
            ["sync", "async, wait", "line codel", "line adaptive-lifo"].contains(&name),
            "{name}"
        );
        let kept = u64::try_from(self.memory.bytes_current).unwrap_or(0);
        let [least, most] = self.held;
        assert!(
            (least.saturating_sub(SLACK_BYTES)..=most + SLACK_BYTES).contains(&kept),
            "{name}: {kept} bytes kept, {least} to {most} expected"
        );
    }

    /// One message every 250 ms is done, all others are still there, and one task more works on the first of them.
    fn check_unbounded(&self) {
        let served = self.load.lasted.as_millis() / SERVICE_TIME.as_millis();
        assert!(
            u128::from(self.completed).abs_diff(served) <= 1,
            "{} done, not {served}",
            self.completed
        );
        let left = self.load.sent - self.completed;
        let Levels {
            queue_depth,
            waiting,
            in_service,
            in_system,
            ..
        } = self.after.levels;
        assert_eq!([queue_depth, waiting, in_service, in_system], [left - 1, 0, 1, left]);
        assert_eq!(self.after.tasks, self.before.tasks + 1);
    }
}

#[test]
fn a_hundred_times_capacity_leaves_nothing_behind() {
    let soaks: Vec<Soak> = thread::scope(|scope| {
        let running: Vec<_> = trials().into_iter().map(|trial| scope.spawn(|| soak(trial))).collect();
        running
            .into_iter()
            .map(|soak| soak.join().expect("it does not panic"))
            .collect()
    });
    println!(
        "{} minutes at a hundred times capacity; memory in KiB\n\n{:<16} {:>8} {:>8} {:>6} {:>8} {:>8} {:>13} {:>10} {:>10} {:>10}\n\
         {:<16} {:>8} {:>8} {:>6} {:>8} {:>8} {:>6} {:>6} {:>10} {:>10} {:>10}",
        minutes(),
        "",
        "",
        "",
        "",
        "most in",
        "left in",
        "tasks",
        "most",
        "memory",
        "expected",
        "",
        "sent",
        "gave up",
        "done",
        "system",
        "system",
        "before",
        "after",
        "memory",
        "kept",
        "at most",
    );
    soaks.iter().for_each(Soak::print);
    soaks.iter().for_each(Soak::check);
}
