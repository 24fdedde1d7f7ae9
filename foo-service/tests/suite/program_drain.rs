//! The program gets SIGTERM under full load: with a thousand queued messages, fifty waiting callers of each RPC, and a
//! watcher. Each acknowledged message is processed or counted as abandoned; each caller gets an answer; the watcher sees the
//! end.

use std::collections::BTreeMap;

use crate::support::{
    Caller, demanding, ms,
    page::{get, samples},
    program::Program,
    until_async, watch_request, within_patience,
};
use foo_proto::v1::{DoorCounts, JobOutcome as End, Snapshot};
use tokio::task::JoinHandle;
use tonic::{Code, Status, Streaming};
use tonic_health::pb::health_check_response::ServingStatus;

const QUEUED: u64 = 1_000;
/// The number of waiting callers of each RPC.
const WAITING: u64 = 50;
/// The service time of a queued message and of a waiting call, in milliseconds.
const DEMAND: u64 = 2;

type Answer = JoinHandle<Result<(), Status>>;

/// A service with this load. Calls with very long work occupy all workers, so that nothing else is processed.
struct Crowded {
    program: Program,
    caller: Caller,
    watch: JoinHandle<Vec<Snapshot>>,
    occupying: Vec<Answer>,
    enqueueing: Vec<Answer>,
    processing: Vec<Answer>,
}

impl Crowded {
    async fn start(workers: u64, drain_timeout: &str) -> Self {
        let (workers_flag, queued, waiting) = (workers.to_string(), QUEUED.to_string(), WAITING.to_string());
        let flags = [
            ["--workers", &workers_flag],
            ["--queue-capacity", &queued],
            ["--when-full", "wait"],
            ["--line", "fifo"],
            ["--max-waiting", &waiting],
            ["--max-service-demand", "1h"],
            ["--drain-timeout", drain_timeout],
        ];
        let program = Program::start(flags.as_flattened(), &[]).await;
        let caller = program.caller().await;
        let mut crowded = Self {
            watch: tokio::spawn(to_the_end(caller.watch(watch_request("run", ms(100))).await.unwrap())),
            program,
            caller,
            occupying: vec![],
            enqueueing: vec![],
            processing: vec![],
        };
        for _ in 0..workers {
            let call = crowded.caller.process(demanding("occupies a worker", ms(3_600_000)));
            crowded.occupying.push(tokio::spawn(async { call.await.map(drop) }));
        }
        crowded.until_level("in_service", workers).await;
        for number in 0..QUEUED {
            crowded.caller.enqueue(of_the_crowd(number)).await.unwrap();
        }
        for number in 0..WAITING {
            let enqueue = crowded.caller.enqueue(of_the_crowd(QUEUED + number));
            crowded.enqueueing.push(tokio::spawn(async { enqueue.await.map(drop) }));
            let process = crowded.caller.process(demanding("called", ms(DEMAND)));
            crowded.processing.push(tokio::spawn(async { process.await.map(drop) }));
        }
        crowded.until_level("waiting", 2 * WAITING).await;
        crowded
    }

    async fn level(&self, name: &str) -> String {
        let (_, page) = get(self.program.admin, "/metrics").await;
        samples(&page)[&format!("foo_{name}")].clone()
    }

    async fn until_level(&self, name: &str, value: u64) {
        until_async(async || self.level(name).await == value.to_string()).await;
    }

    /// Sends SIGTERM, and waits until the program is not ready. No message has been processed by then.
    async fn terminate(&self) {
        self.program.terminate();
        until_async(async || get(self.program.admin, "/readyz").await.0 == 503).await;
    }

    fn release_a_worker(&mut self) {
        self.occupying.pop().expect("one is occupied").abort();
    }
}

fn of_the_crowd(number: u64) -> foo_proto::v1::Message {
    demanding(&format!("run/{number}"), ms(DEMAND))
}

/// All snapshots of a stream, which must end without an error.
async fn to_the_end(mut watch: Streaming<Snapshot>) -> Vec<Snapshot> {
    let mut snapshots = vec![];
    while let Some(snapshot) = watch.message().await.expect("the stream ends, and does not break") {
        snapshots.push(snapshot);
    }
    snapshots
}

/// The outcome of every queued message, by id. None may be reported twice.
fn ends(snapshots: &[Snapshot]) -> BTreeMap<&str, End> {
    let mut ends = BTreeMap::new();
    for completion in snapshots.iter().flat_map(|snapshot| &snapshot.completions) {
        let before = ends.insert(&*completion.id, completion.outcome());
        assert_eq!(before, None, "{} is told twice", completion.id);
    }
    assert!(snapshots.iter().all(|snapshot| snapshot.missed == 0));
    ends
}

/// How many calls were answered with each status code.
async fn codes(calls: Vec<Answer>) -> BTreeMap<String, u64> {
    let mut codes = BTreeMap::new();
    for call in calls {
        let answer = within_patience(call).await.expect("nobody aborted it");
        let code = answer.err().map_or(Code::Ok, |status| status.code());
        *codes.entry(format!("{code:?}")).or_default() += 1;
    }
    codes
}

fn empty(last: &Snapshot) -> bool {
    let levels = [
        last.queue_depth,
        last.queue_bytes,
        last.waiting,
        last.in_service,
        last.in_system,
    ];
    last.draining && levels.iter().all(|level| level.unwrap().now == 0)
}

#[tokio::test]
async fn sigterm_under_load_finishes_everything_that_was_admitted_and_refuses_everything_new() {
    let mut crowded = Crowded::start(1, "1h").await;
    crowded.terminate().await;
    assert_eq!(crowded.level("queue_depth").await, QUEUED.to_string());
    assert_eq!(crowded.level("waiting").await, (2 * WAITING).to_string());
    // New calls are refused on an old and on a new connection.
    for caller in [&crowded.caller, &crowded.program.caller().await] {
        for refused in [
            caller.enqueue(demanding("new", ms(0))).await.map(drop),
            caller.process(demanding("new", ms(0))).await.map(drop),
        ] {
            let status = refused.unwrap_err();
            assert_eq!((status.code(), status.message()), (Code::Unavailable, "draining"));
        }
        assert_eq!(caller.health().await, [ServingStatus::NotServing; 2]);
    }

    crowded.release_a_worker();
    let all_ok = BTreeMap::from([("Ok".to_owned(), WAITING)]);
    assert_eq!(codes(crowded.enqueueing).await, all_ok);
    assert_eq!(codes(crowded.processing).await, all_ok);
    let snapshots = within_patience(crowded.watch).await.unwrap();
    crowded.program.logged("stopped abandoned=0").await;
    assert_eq!(crowded.program.exit_code().await, Some(0));

    let ends = ends(&snapshots);
    let acknowledged = QUEUED + WAITING;
    assert_eq!(ends.len() as u64, acknowledged);
    assert!(ends.values().all(|end| *end == End::Completed));
    let last = snapshots.last().unwrap();
    assert!(empty(last), "{last:?}");
    let enqueue = DoorCounts {
        admitted: acknowledged,
        completed: acknowledged,
        refused: 2,
        ..DoorCounts::default()
    };
    let process = DoorCounts {
        admitted: WAITING + 1,
        completed: WAITING,
        // The call that occupied the worker.
        cancelled: 1,
        refused: 2,
        ..DoorCounts::default()
    };
    assert_eq!((last.enqueue, last.process), (Some(enqueue), Some(process)));
}

#[tokio::test]
async fn sigterm_under_load_that_runs_out_of_time_counts_what_it_abandons_and_tells_everyone() {
    // One worker stays occupied, so that the drain runs out of time; the other processes as many messages as it can.
    let mut crowded = Crowded::start(2, "300ms").await;
    crowded.program.terminate();
    crowded
        .program
        .logged(" draining queued=1000 waiting=100 in_service=2")
        .await;
    crowded.release_a_worker();
    let occupying = codes(crowded.occupying).await;
    let enqueueing = codes(crowded.enqueueing).await;
    let processing = codes(crowded.processing).await;
    let snapshots = within_patience(crowded.watch).await.unwrap();
    let ends = ends(&snapshots);
    let last = snapshots.last().unwrap();
    assert!(empty(last), "{last:?}");
    let (enqueue, process) = (last.enqueue.unwrap(), last.process.unwrap());
    let stopped = format!("stopped abandoned={}", enqueue.abandoned + process.abandoned);
    crowded.program.logged(&stopped).await;
    assert_eq!(crowded.program.exit_code().await, Some(3));

    // Every caller got an answer: OK, or UNAVAILABLE because the process ended.
    let said = |codes: &BTreeMap<String, u64>, code| codes.get(code).copied().unwrap_or(0);
    assert_eq!(occupying, BTreeMap::from([("Unavailable".to_owned(), 1)]));
    for codes in [&enqueueing, &processing] {
        assert_eq!(said(codes, "Ok") + said(codes, "Unavailable"), WAITING, "{codes:?}");
    }
    // Each acknowledged message is reported as completed or abandoned. All other messages were refused.
    let acknowledged = QUEUED + said(&enqueueing, "Ok");
    let told = |outcome| ends.values().filter(|end| **end == outcome).count() as u64;
    assert_eq!(
        enqueue,
        DoorCounts {
            admitted: acknowledged,
            completed: told(End::Completed),
            abandoned: told(End::Abandoned),
            refused: said(&enqueueing, "Unavailable"),
            ..DoorCounts::default()
        }
    );
    assert_eq!(ends.len() as u64, acknowledged);
    // In the 300 ms of the drain, a worker can process at most 150 messages of 2 ms, on any machine.
    assert!(enqueue.abandoned > QUEUED / 2, "{enqueue:?}");
    assert_eq!(
        process,
        DoorCounts {
            admitted: WAITING + 2,
            completed: said(&processing, "Ok"),
            abandoned: said(&processing, "Unavailable") + 2 - process.cancelled,
            // On a busy machine, the caller that went away may be counted as abandoned instead of cancelled.
            cancelled: process.cancelled.min(1),
            ..DoorCounts::default()
        }
    );
}
