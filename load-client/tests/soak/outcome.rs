//! One soak, what is left after it, and what may be left: no task, no call, no memory without a reason.

use std::time::Duration;

use allocation_counter::AllocationInfo;
use foo_service::{
    enqueue::Completion,
    job::{Job, JobOutcome},
    ledger::{Ledger, Levels},
};
use load_client::measure::Measured;
use tokio::runtime::Runtime;

use crate::{CLIENTS, SERVICE_TIME, length, service::Soaked, trials::Trial};

/// Before anything is counted, so that everything has been used once (arbitrary: every client has come back a few times).
const WARM_UP: Duration = Duration::from_secs(5);
/// What may be kept without a reason (arbitrary: a thirtieth of a byte per call in the five minutes of `scripts/nightly`, so
/// that a leak in every hundredth call shows; half a byte in twenty seconds; more where the log of completions keeps all the
/// ids, whose lengths differ).
const SLACK_BYTES: u64 = 4 << 10;

/// The shortest id of a message, and the longest: both are kept, in the log of completions.
fn id_bytes() -> [u64; 2] {
    let id = |client: u32, number: u64| format!("v/{client}/{number}").len() as u64;
    [id(0, 0), id(CLIENTS - 1, length().as_secs() - 1)]
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
pub(crate) struct Soak {
    trial: Trial,
    before: State,
    after: State,
    load: Load,
    completed: u64,
    memory: AllocationInfo,
    /// Bytes that it has a reason to have kept: from, to.
    held: [u64; 2],
}

/// Soaks one strategy, on this thread.
pub(crate) fn soak(trial: Trial) -> Soak {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("the system gives a runtime");
    let service = runtime.block_on(async { Soaked::start(&trial) });
    let warm = Load::new(&trial, runtime.block_on(service.load(WARM_UP, true)));
    let before = State::of(&runtime, &service.ledger);
    let (logged_before, completed_before) = (service.logged(), service.ledger.ended(JobOutcome::Completed));

    let mut load = Load::default();
    let memory = allocation_counter::measure(|| {
        let measured = runtime.block_on(service.load(length(), trial.most_in_system.is_some()));
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
    pub(crate) fn print(&self) {
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

    pub(crate) fn check(&self) {
        let name = self.trial.name.as_str();
        assert_eq!(
            self.load.sent,
            u64::from(CLIENTS) * length().as_secs(),
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
        // Callers gave up where a call can get its turn with too little time left, where it can wait behind a limit that is too
        // high, and where none is done in time; otherwise none had to.
        assert_eq!(
            self.load.given_up > 0,
            name.starts_with("limit ") || ["sync", "async, wait", "line codel", "line adaptive-lifo"].contains(&name),
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
