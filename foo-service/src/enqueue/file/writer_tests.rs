//! Tests of the writer without its thread, so that each of its steps is at a known time.

use std::path::Path;

use futures_util::FutureExt;
use metrics::NoopRecorder;
use tempfile::TempDir;

use super::*;

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
        self.writer.carry_out(batch);
    }

    fn offer(&mut self, id: &str) -> Result<Enqueued, Reason> {
        let queue = &self.queue;
        let mut offer = Box::pin(queue.offer(job(id, 1), None));
        assert_eq!(offer.as_mut().now_or_never(), None);
        let batch = self.writer.next(&self.orders).unwrap();
        self.writer.carry_out(batch);
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
