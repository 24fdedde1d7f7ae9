//! A message that was taken from the queue in memory. Its [`Lease`] ends it with an outcome or puts it back.

use std::sync::Arc;

use tokio::time::Instant;

use super::queue::Queue;
use crate::{
    enqueue::Completion,
    job::{Job, JobOutcome, Processed},
    ledger::InService,
};

/// The right to process a message, and the duty to end it with an outcome. If it is dropped without one, the work was
/// interrupted: the message counts as abandoned, or as failed in a panic.
///
/// With [`complete`](Self::complete) and [`end`](Self::end) the message leaves the system, and its outcome is in the log of
/// completions. With [`hand_back`](Self::hand_back) it stays in the system.
pub struct Lease {
    queue: Arc<Queue>,
    taken: Instant,
    held: Option<(Job, InService)>,
}

impl Queue {
    /// Takes the oldest message; `None` if there is none any more.
    pub fn take(self: &Arc<Self>) -> Option<Lease> {
        let held = self.pop()?;
        Some(Lease {
            queue: Arc::clone(self),
            taken: Instant::now(),
            held: Some(held),
        })
    }
}

impl Lease {
    /// The message that is leased. It counts as in the system until the lease ends.
    pub fn job(&self) -> &Job {
        let (job, _) = self.held.as_ref().expect("a lease holds its message until it ends");
        job
    }

    /// When the message was taken.
    pub fn taken(&self) -> Instant {
        self.taken
    }

    /// Ends the message as processed. The completion is in the log before the message leaves the counts.
    pub fn complete(mut self, processed: Processed) {
        self.finish(JobOutcome::Completed, Some(processed));
    }

    /// Ends the message with `outcome`; it was not processed.
    pub fn end(mut self, outcome: JobOutcome) {
        self.finish(outcome, None);
    }

    /// Puts the message back to the front of the queue. Its queue wait still counts from when it first joined the queue. If the
    /// queue was abandoned meanwhile, the message ends as abandoned.
    pub fn hand_back(mut self) {
        if let Some((job, in_service)) = self.held.take()
            && let Err(held) = self.queue.take_back(job, in_service)
        {
            self.held = Some(held);
            self.finish(JobOutcome::Abandoned, None);
        }
    }

    fn finish(&mut self, outcome: JobOutcome, processed: Option<Processed>) {
        let Some((job, in_service)) = self.held.take() else {
            return;
        };
        // The log first: a watcher that sees an empty system must find every outcome in the log.
        self.queue
            .log
            .push(Completion::of_taken(job, self.taken, outcome, processed));
        in_service.finish(outcome);
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let outcome = if std::thread::panicking() {
            JobOutcome::Failed
        } else {
            JobOutcome::Abandoned
        };
        self.finish(outcome, None);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{
        enqueue::{Capacity, CompletionLog},
        ledger::Ledger,
    };

    #[tokio::test(start_paused = true)]
    async fn a_message_that_was_handed_back_is_the_next_and_has_waited_since_it_joined() {
        let (ledger, log) = (Arc::new(Ledger::default()), Arc::new(CompletionLog::default()));
        let queue = Arc::new(Queue::new(Capacity::Unbounded, None, ledger, Arc::clone(&log)));
        for id in ["first", "second"] {
            let job = Job {
                id: id.into(),
                payload: Box::default(),
                demand: None,
                since: Instant::now(),
            };
            queue.offer(job).unwrap();
        }
        queue.take().unwrap().hand_back();
        tokio::time::advance(Duration::from_secs(1)).await;
        let again = queue.take().unwrap();
        assert_eq!(&*again.job().id, "first");
        again.end(JobOutcome::Dropped);
        let ends = log.read(0, "", 2).completions;
        assert_eq!((ends.len(), ends[0].queue_wait), (1, Duration::from_secs(1)));
    }
}
