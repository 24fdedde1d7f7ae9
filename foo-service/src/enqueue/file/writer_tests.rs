//! Tests of the writer without its thread, so that each of its steps is at a known time.

use std::{fs, path::Path};

use futures_util::FutureExt;
use metrics::NoopRecorder;
use tempfile::TempDir;

use super::*;
use crate::job::Processed;

struct Steps {
    queue: FileQueue,
    writer: Writer,
    orders: Receiver<Order>,
    ledger: Arc<Ledger>,
}

impl Steps {
    fn open(folder: &Path) -> Self {
        let ledger: Arc<Ledger> = Arc::default();
        let settings = FileSettings {
            folder: folder.to_owned(),
            places: 1_000,
            dedupe: Duration::from_secs(60),
            workers: 1,
        };
        let metrics = Arc::new(Metrics::new(&NoopRecorder, 1, None));
        let opened = FileQueue::without_writer(&settings, Arc::clone(&ledger), Arc::default(), metrics);
        let (queue, writer, orders) = opened.unwrap();
        Self {
            queue,
            writer,
            orders,
            ledger,
        }
    }

    fn step(&mut self) {
        let batch = self.writer.next(&self.orders).unwrap();
        self.writer.carry_out(batch, false);
    }

    fn offer(&mut self, id: &str) -> Result<Enqueued, Reason> {
        let queue = &self.queue;
        let mut offer = Box::pin(queue.offer(job(id, 1), None));
        assert_eq!(offer.as_mut().now_or_never(), None);
        let batch = self.writer.next(&self.orders).unwrap();
        self.writer.carry_out(batch, false);
        offer.now_or_never().unwrap()
    }
}

fn job(id: &str, bytes: usize) -> Job {
    Job {
        id: id.into(),
        payload: vec![7; bytes].into(),
        demand: None,
        since: Instant::now(),
    }
}

/// Closes the file and puts a folder in its place, so that it cannot be opened again until the returned function was called.
fn break_disk(steps: &mut Steps, folder: &Path) -> impl FnOnce() + use<> {
    let (file, aside) = (folder.join("queue.redb"), folder.join("aside"));
    steps.writer.store.fail();
    fs::rename(&file, &aside).unwrap();
    fs::create_dir(&file).unwrap();
    move || {
        fs::remove_dir(&file).unwrap();
        fs::rename(&aside, &file).unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn after_a_disk_error_the_disk_is_left_alone_for_a_second() {
    let folder = TempDir::new().unwrap();
    let mut steps = Steps::open(folder.path());
    steps.offer("first").unwrap();
    let lease = steps.queue.take().unwrap();
    let repair = break_disk(&mut steps, folder.path());
    assert_eq!(steps.offer("second"), Err(Reason::QueueUnavailable));
    repair();
    // An end counts at once, and is written later. A message and a repeat are refused without a look at the disk.
    let processed = Processed {
        queue_wait: Duration::ZERO,
        service_time: Duration::ZERO,
    };
    let mut ending = Box::pin(lease.complete(processed));
    assert_eq!(ending.as_mut().now_or_never(), None);
    steps.step();
    assert_eq!(ending.now_or_never(), Some(()));
    for id in ["first", "second"] {
        assert_eq!(steps.offer(id), Err(Reason::QueueUnavailable));
    }
    assert_eq!(steps.writer.unwritten.len(), 1);
    tokio::time::advance(outage::PAUSE).await;
    assert!(steps.offer("first").unwrap().duplicate);
    assert_eq!(steps.writer.unwritten.len(), 0);
    assert_eq!(steps.offer("second").unwrap().depth, 1);
    assert!(!steps.writer.writing.fails());
    assert!(steps.ledger.door(Door::Enqueue).balances());
}

#[tokio::test(start_paused = true)]
async fn what_a_caller_that_has_gone_offered_is_not_queued_and_takes_room_until_then() {
    const MEBIBYTE: usize = 1 << 20;
    let folder = TempDir::new().unwrap();
    let mut steps = Steps::open(folder.path());
    for number in 0..64 {
        let offer = steps.queue.offer(job(&number.to_string(), MEBIBYTE), None);
        // The caller leaves while it waits.
        assert_eq!(Box::pin(offer).now_or_never(), None);
    }
    let full = steps.queue.offer(job("full", 1), None).await;
    assert_eq!(full, Err(Reason::QueueLineFull));
    for _ in 0..4 {
        steps.step();
    }
    assert!(!steps.offer("again").unwrap().duplicate);
    let (door, levels) = (steps.ledger.door(Door::Enqueue), steps.ledger.levels());
    assert!(door.balances());
    assert_eq!(
        (door.admitted, door.refused, levels.queue_depth, levels.waiting),
        (1, 65, 1, 0)
    );
}
