//! Compares the durable queue with a model: offered, taken, ended, handed back, killed and closed in any order.

use std::{
    fs,
    path::Path,
    sync::Arc,
    time::{Duration, SystemTime},
};

use metrics::NoopRecorder;
use proptest::{prelude::*, test_runner::Config};
use tempfile::TempDir;
use tokio::time::Instant;

use super::*;
use crate::{enqueue::LOG_CAPACITY, job::Processed};

const PLACES: u32 = 6;

/// A queue in a folder, with the counts and the log of its instance.
struct Instance {
    queue: Arc<FileQueue>,
    ledger: Arc<Ledger>,
    log: Arc<CompletionLog>,
}

fn open(folder: &Path, dedupe: Duration) -> Result<Instance, OpenError> {
    let (ledger, log): (Arc<Ledger>, Arc<CompletionLog>) = (Arc::default(), Arc::default());
    let settings = FileSettings {
        folder: folder.to_owned(),
        places: PLACES,
        dedupe,
        workers: 2,
    };
    let metrics = Arc::new(Metrics::new(&NoopRecorder, 2, Some(PLACES)));
    let queue = FileQueue::open(&settings, Arc::clone(&ledger), Arc::clone(&log), metrics)?;
    let queue = Arc::new(queue);
    Ok(Instance { queue, ledger, log })
}

/// Copies the file as a kill now would leave it. Everything that was acknowledged is in it.
fn kill(folder: &Path) -> TempDir {
    let copy = TempDir::new().unwrap();
    for file in fs::read_dir(folder).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), copy.path().join(file.file_name())).unwrap();
    }
    copy
}

fn job(id: &str) -> Job {
    Job {
        id: id.into(),
        payload: b"payload".as_slice().into(),
        demand: Some(Duration::from_millis(20)),
        since: Instant::now(),
    }
}

fn processed() -> Processed {
    Processed {
        queue_wait: Duration::from_millis(3),
        service_time: Duration::from_millis(20),
    }
}

#[derive(Debug, Clone)]
enum Step {
    Offer(u8),
    Take,
    End(usize),
    HandBack(usize),
    Kill,
    Close,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..12_u8).prop_map(Step::Offer),
        4 => Just(Step::Take),
        3 => (0..3_usize).prop_map(Step::End),
        1 => (0..3_usize).prop_map(Step::HandBack),
        1 => Just(Step::Kill),
        1 => Just(Step::Close),
    ]
}

/// The expected state of the queue.
#[derive(Default)]
struct Model {
    waiting: Vec<String>,
    in_service: Vec<String>,
    known: Vec<String>,
    ended: Vec<String>,
}

impl Model {
    /// Restarts the queue: messages that were in service wait again, before the others.
    fn restart(&mut self, order: &[String]) {
        self.waiting.extend(std::mem::take(&mut self.in_service));
        // Messages wait in the order in which they joined.
        let place = |id: &String| order.iter().rposition(|joined| joined == id);
        self.waiting.sort_by_key(place);
    }
}

async fn play(steps: Vec<Step>) {
    let mut folder = TempDir::new().unwrap();
    let mut instance = open(folder.path(), Duration::from_secs(3600)).unwrap();
    let name = instance.queue.queue_id().to_owned();
    let (mut model, mut order, mut leases) = (Model::default(), Vec::new(), Vec::new());
    for step in steps {
        match step {
            Step::Offer(id) => {
                let id = id.to_string();
                let answer = instance.queue.offer(job(&id), None).await;
                if model.known.contains(&id) {
                    assert!(answer.unwrap().duplicate);
                } else if model.waiting.len() >= PLACES as usize {
                    assert_eq!(answer, Err(Reason::QueueFull));
                } else {
                    model.known.push(id.clone());
                    order.push(id.clone());
                    model.waiting.push(id);
                    let depth = model.waiting.len() as u64;
                    assert_eq!(
                        answer,
                        Ok(Enqueued {
                            depth,
                            duplicate: false
                        })
                    );
                }
            }
            Step::Take => {
                let lease = instance.queue.take();
                assert_eq!(lease.is_some(), !model.waiting.is_empty());
                if let Some(lease) = lease {
                    let id = model.waiting.remove(0);
                    assert_eq!(*lease.job().id, *id);
                    assert_eq!(
                        (&*lease.job().payload, lease.job().demand),
                        (&b"payload"[..], job("").demand)
                    );
                    model.in_service.push(id);
                    leases.push(lease);
                }
            }
            Step::End(index) if index < leases.len() => {
                leases.remove(index).complete(processed()).await;
                model.ended.push(model.in_service.remove(index));
            }
            Step::HandBack(index) if index < leases.len() => {
                leases.remove(index).hand_back();
                model.waiting.insert(0, model.in_service.remove(index));
            }
            Step::End(_) | Step::HandBack(_) => {}
            Step::Kill => {
                let copy = kill(folder.path());
                leases.clear();
                folder = copy;
                instance = open(folder.path(), Duration::from_secs(3600)).unwrap();
                model.restart(&order);
            }
            Step::Close => {
                instance.queue.close().await;
                leases.clear();
                instance = open(folder.path(), Duration::from_secs(3600)).unwrap();
                model.restart(&order);
            }
        }
        let levels = instance.ledger.levels();
        assert_eq!(levels.queue_depth, model.waiting.len() as u64);
        assert_eq!(levels.in_service, model.in_service.len() as u64);
        assert!(instance.ledger.door(Door::Enqueue).balances());
        let ends = instance.log.read(0, "", LOG_CAPACITY).completions;
        let ends: Vec<_> = ends.iter().map(|end| end.id.to_string()).collect();
        assert_eq!(ends, model.ended);
        assert_eq!(instance.queue.queue_id(), name);
    }
}

proptest! {
    #![proptest_config(Config { cases: 48, ..Config::default() })]

    #[test]
    fn the_queue_is_the_model_after_any_kills_and_restarts(steps in prop::collection::vec(step(), 0..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(play(steps));
    }
}

#[tokio::test]
async fn far_more_messages_than_fit_into_memory_come_out_in_their_order() {
    let folder = TempDir::new().unwrap();
    let many = 3 * shared::MOST_IN_MEMORY;
    let settings = FileSettings {
        folder: folder.path().to_owned(),
        places: u32::MAX,
        dedupe: Duration::ZERO,
        workers: 1,
    };
    let opened = || {
        let metrics = Arc::new(Metrics::new(&NoopRecorder, 1, None));
        Arc::new(FileQueue::open(&settings, Arc::default(), Arc::default(), metrics).unwrap())
    };
    let queue = opened();
    let offers = (0..many).map(|number| queue.offer(job(&number.to_string()), None));
    for answer in futures_util::future::join_all(offers).await {
        answer.unwrap();
    }
    // Half of the messages before a restart, half of them after it.
    let take = async |queue: &Arc<FileQueue>, number: usize| {
        queue.ready().await;
        let lease = queue.take().unwrap();
        assert_eq!(*lease.job().id, *number.to_string());
        lease
    };
    for number in 0..many / 2 {
        let lease = take(&queue, number).await;
        lease.complete(processed()).await;
    }
    queue.close().await;
    let queue = opened();
    for number in many / 2..many {
        take(&queue, number).await.complete(processed()).await;
    }
    assert_eq!(queue.shared.head().depth(), 0);
}

/// Waits until `time` has passed on the system's clock.
fn pass(time: Duration) {
    let since = SystemTime::now();
    while since.elapsed().unwrap_or_default() < time {
        std::thread::yield_now();
    }
}

#[tokio::test]
async fn an_id_is_remembered_for_as_long_as_was_asked_for() {
    for (dedupe, known) in [
        (Duration::ZERO, false),
        (Duration::from_millis(1), false),
        (Duration::from_secs(60), true),
    ] {
        let folder = TempDir::new().unwrap();
        let instance = open(folder.path(), dedupe).unwrap();
        instance.queue.offer(job("a"), None).await.unwrap();
        pass(Duration::from_millis(3));
        // Old ids are forgotten only when another message joins.
        instance.queue.offer(job("b"), None).await.unwrap();
        let again = instance.queue.offer(job("a"), None).await.unwrap();
        assert_eq!(again.duplicate, known, "{dedupe:?}");
        // An id is remembered also after its message is done, and in the next process.
        let lease = instance.queue.take().unwrap();
        lease.complete(processed()).await;
        instance.queue.close().await;
        let instance = open(folder.path(), dedupe).unwrap();
        pass(Duration::from_millis(3));
        assert_eq!(instance.queue.offer(job("a"), None).await.unwrap().duplicate, known);
    }
}

#[tokio::test]
async fn repeats_that_come_together_are_one_message() {
    let folder = TempDir::new().unwrap();
    let instance = open(folder.path(), Duration::from_secs(60)).unwrap();
    let answers = futures_util::future::join_all((0..5).map(|_| instance.queue.offer(job("a"), None))).await;
    let duplicates = answers.iter().filter(|answer| answer.unwrap().duplicate).count();
    assert_eq!((duplicates, instance.ledger.levels().queue_depth), (4, 1));
    let door = instance.ledger.door(Door::Enqueue);
    assert_eq!((door.admitted, door.refused), (1, 0));
}

#[tokio::test]
async fn what_cannot_be_opened_is_said_with_the_folder_and_what_to_do() {
    let folder = TempDir::new().unwrap();
    let _open = open(folder.path(), Duration::ZERO).unwrap();
    let said = open(folder.path(), Duration::ZERO).err().unwrap().to_string();
    assert!(
        said.contains("another process") && said.contains("--queue-dir"),
        "{said}"
    );

    let other = TempDir::new().unwrap();
    fs::write(
        other.path().join("queue.redb"),
        "no database at all, but a text that is long enough",
    )
    .unwrap();
    let said = open(other.path(), Duration::ZERO).err().unwrap().to_string();
    assert!(said.contains(&other.path().display().to_string()), "{said}");

    let newer = TempDir::new().unwrap();
    let database = redb::Database::create(newer.path().join("queue.redb")).unwrap();
    let transaction = database.begin_write().unwrap();
    transaction.open_table(rows::HEAD).unwrap().insert("format", 2).unwrap();
    transaction.commit().unwrap();
    drop(database);
    let said = open(newer.path(), Duration::ZERO).err().unwrap().to_string();
    assert!(said.contains("format 2") && said.contains("version"), "{said}");
}

#[tokio::test]
async fn only_what_may_have_been_in_service_at_a_kill_is_a_redelivery() {
    let folder = TempDir::new().unwrap();
    let instance = open(folder.path(), Duration::ZERO).unwrap();
    for id in ["a", "b", "c", "d"] {
        instance.queue.offer(job(id), None).await.unwrap();
    }
    let killed = kill(folder.path());
    let again = |instance: &Instance| {
        let mut head = instance.queue.shared.head();
        std::iter::from_fn(|| head.take())
            .map(|waiting| waiting.again)
            .collect::<Vec<_>>()
    };
    // There were two workers, so two messages may have been in service.
    assert_eq!(
        again(&open(killed.path(), Duration::ZERO).unwrap()),
        [true, true, false, false]
    );
    instance.queue.close().await;
    assert_eq!(again(&open(folder.path(), Duration::ZERO).unwrap()), [false; 4]);
}
