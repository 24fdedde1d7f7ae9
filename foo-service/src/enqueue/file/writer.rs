//! The only thread that changes the file. It takes the new messages and outcomes that have come since the last commit, makes them
//! durable with one commit, and then answers. So the time for a commit limits how long a caller waits, not how many are served.

use std::{
    collections::{HashSet, VecDeque},
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError},
    },
    time::Duration,
};

use tokio::time::Instant;

use super::{
    ids::{Ids, MOST_IDS},
    order::{Batch, Ending, Offer, Order},
    outage::{Outage, PAUSE},
    shared::Shared,
    store::{Changes, Committed, Ended, Store},
};
use crate::{
    enqueue::Enqueued,
    job::{JobOutcome, Reason},
    metrics::OfferOutcome,
};

/// The state of the writer's thread. No other thread uses it.
pub(super) struct Writer {
    pub(super) store: Store,
    /// Ids of recent messages, to recognise repeats.
    pub(super) ids: Ids,
    /// The most messages that may wait.
    pub(super) places: u64,
    /// Messages up to this number may have been in service before: see [`Head::read`](super::shared::Head::read).
    pub(super) again_up_to: Option<u64>,
    /// The state that is shared with the service.
    pub(super) shared: Arc<Shared>,
    /// Outcomes that could not be written yet. At most as many as there are messages, because none joins meanwhile.
    pub(super) unwritten: VecDeque<Ended>,
    /// True if more messages must be read.
    pub(super) reads: bool,
    /// Whether the file cannot be written.
    pub(super) writing: Outage,
    /// Whether messages cannot be read.
    pub(super) reading: Outage,
}

impl Writer {
    /// Works until the queue is closed, or no sender of orders is left.
    pub(super) fn run(mut self, orders: &Receiver<Order>) {
        while let Some(mut batch) = self.next(orders) {
            let close = batch.close.take();
            self.carry_out(batch, close.is_some());
            if let Some(closed) = close {
                if let Err(error) = self.store.close() {
                    tracing::error!(%error, "the queue's file could not be closed; its messages are safe");
                }
                let _ = closed.send(());
                return;
            }
        }
    }

    /// Waits for orders, or until it is time to try the disk again. `None` if no sender of orders is left.
    pub(super) fn next(&mut self, orders: &Receiver<Order>) -> Option<Batch> {
        let mut batch = Batch::default();
        let first = if self.unwritten.is_empty() && !self.reads {
            orders.recv().map_err(|_| RecvTimeoutError::Disconnected)
        } else {
            orders.recv_timeout(PAUSE)
        };
        match first {
            Ok(order) => self.add(&mut batch, order),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return None,
        }
        while batch.close.is_none()
            && !batch.is_full()
            && let Ok(order) = orders.try_recv()
        {
            self.add(&mut batch, order);
        }
        Some(batch)
    }

    /// Carries out the orders, apart from the closing, before which these are the `last` ones.
    pub(super) fn carry_out(&mut self, batch: Batch, last: bool) {
        // The last orders are tried in a pause too: what they do not write is done again by the next process.
        if self.writing.pauses() && !last {
            self.cannot_write(batch.offers, batch.endings);
        } else {
            self.commit(batch.offers, batch.endings);
        }
        if self.reads && !self.reading.pauses() {
            self.read();
        }
    }

    fn add(&mut self, batch: &mut Batch, order: Order) {
        match order {
            Order::Join(offer) => {
                batch.bytes += offer.job.bytes();
                batch.offers.push(offer);
            }
            Order::End(ending) => batch.endings.push(ending),
            Order::Read => self.reads = true,
            Order::Close(closed) => batch.close = Some(closed),
        }
    }

    fn commit(&mut self, offers: Vec<Offer>, mut endings: Vec<Ending>) {
        // Alone at first, so that messages for which the disk has no room do not keep ends from freeing room.
        if self.writing.fails() && !(self.unwritten.is_empty() && endings.is_empty()) {
            if self.write(&[], &endings).is_none() {
                return self.cannot_write(offers, endings);
            }
            self.finish(std::mem::take(&mut endings), true);
        }
        let (joins, repeats) = self.sort(offers);
        if self.writing.pauses() {
            // An id could not be read.
            return self.cannot_write(joins.into_iter().chain(repeats), endings);
        }
        if joins.is_empty() && endings.is_empty() && self.unwritten.is_empty() {
            self.answer_repeats(repeats);
            return;
        }
        match self.write(&joins, &endings) {
            Some(committed) => {
                self.answer_joins(committed.first, joins);
                self.answer_repeats(repeats);
                self.finish(endings, true);
            }
            None => self.cannot_write(joins.into_iter().chain(repeats), endings),
        }
    }

    /// Writes new messages and ends, also those that could not be written before; `None` if that fails.
    fn write(&mut self, joins: &[Offer], endings: &[Ending]) -> Option<Committed> {
        let began = Instant::now();
        let ends = self.unwritten.iter().chain(endings.iter().map(|ending| &ending.ended));
        let committed = self.store.commit(&Changes {
            joins: joins.iter().map(|offer| &offer.job).collect(),
            ends: ends.collect(),
            remember: self.ids.window(),
            most_ids: MOST_IDS,
        });
        match committed {
            Ok(mut committed) => {
                self.shared.metrics.queue.committed(began.elapsed());
                self.unwritten.clear();
                for (number, id) in std::mem::take(&mut committed.forgotten) {
                    self.ids.forget(number, &id);
                }
                // Ends can often be written where new messages cannot, so they alone do not end an outage.
                if !joins.is_empty() && self.writing.worked() {
                    tracing::info!("the queue can be written again");
                }
                Some(committed)
            }
            Err(error) => {
                self.write_failed(&error);
                None
            }
        }
    }

    fn write_failed(&mut self, error: &redb::Error) {
        self.shared.metrics.queue.write_failed();
        if self.writing.failed() {
            tracing::error!(%error, "the queue cannot be written; Enqueue answers UNAVAILABLE");
        }
    }

    /// Refuses messages and leaves ends for later, because the file cannot be written.
    fn cannot_write(&mut self, offers: impl IntoIterator<Item = Offer>, endings: Vec<Ending>) {
        for offer in offers.into_iter().filter(|offer| !offer.is_left()) {
            self.refuse(offer, Reason::QueueUnavailable);
        }
        self.finish(endings, false);
    }

    /// Separates new messages (first) from repeats (second). Refuses messages for which there is no room, and drops those whose
    /// callers have gone.
    fn sort(&mut self, offers: Vec<Offer>) -> (Vec<Offer>, Vec<Offer>) {
        let (mut joins, mut repeats) = (Vec::new(), Vec::new());
        let mut joining: HashSet<Box<str>> = HashSet::new();
        let window = self.ids.window();
        let depth = self.shared.head().depth();
        for offer in offers.into_iter().filter(|offer| !offer.is_left()) {
            let id = &offer.job.id;
            if window.is_some_and(|window| joining.contains(id) || self.is_known(id, window)) {
                repeats.push(offer);
            } else if depth + joins.len() as u64 >= self.places {
                self.refuse(offer, Reason::QueueFull);
            } else {
                if window.is_some() {
                    joining.insert(id.clone());
                }
                joins.push(offer);
            }
        }
        (joins, repeats)
    }

    fn is_known(&mut self, id: &str, window: Duration) -> bool {
        let Some(number) = self.ids.candidate(id).filter(|_| !self.writing.pauses()) else {
            return false;
        };
        let known = self.store.has_id(number, id, window);
        // Nothing can be written then either, before the file was opened again.
        known.unwrap_or_else(|error| {
            self.write_failed(&error);
            false
        })
    }

    fn refuse(&self, offer: Offer, reason: Reason) {
        let outcome = if reason == Reason::QueueFull {
            OfferOutcome::Full
        } else {
            OfferOutcome::Failed
        };
        self.shared.metrics.queue.offered(outcome, offer.since.elapsed());
        offer.in_line.leave(JobOutcome::Rejected);
        drop(offer.room);
        let _ = offer.answer.send(Err(reason));
    }

    fn answer_joins(&mut self, first: u64, joins: Vec<Offer>) {
        for (number, offer) in (first..).zip(joins) {
            let Offer {
                mut job,
                in_line,
                room,
                since,
                answer,
            } = offer;
            self.ids.remember(number, &job.id);
            in_line.enter_queue(job.bytes());
            job.since = Instant::now();
            let depth = self.shared.head().join(number, job);
            self.shared.not_empty.notify_one();
            self.shared.metrics.queue.offered(OfferOutcome::Ok, since.elapsed());
            drop(room);
            let _ = answer.send(Ok(Enqueued {
                depth,
                duplicate: false,
            }));
        }
        self.reads |= self.shared.head().ask();
        self.shared.metrics.queue.ids(self.ids.count());
    }

    fn answer_repeats(&self, repeats: Vec<Offer>) {
        for offer in repeats {
            let depth = self.shared.head().depth();
            self.shared.metrics.queue.duplicate();
            offer.in_line.leave_uncounted();
            drop(offer.room);
            let _ = offer.answer.send(Ok(Enqueued { depth, duplicate: true }));
        }
    }

    /// Reports the outcomes of messages. Those that are not `durable` are written later; after a crash before that, their messages
    /// are processed once more.
    fn finish(&mut self, endings: Vec<Ending>, durable: bool) {
        for ending in endings {
            let Ending {
                ended,
                in_service,
                answer,
            } = ending;
            let outcome = ended.completion.outcome;
            // The log first: a watcher that sees an empty system must find every outcome in the log.
            self.shared.log.push(ended.completion.clone());
            in_service.finish(outcome);
            if !durable {
                self.unwritten.push_back(ended);
            }
            let _ = answer.send(());
        }
    }

    /// Reads the next messages into memory, as many as fit.
    fn read(&mut self) {
        let (after, most, bytes) = self.shared.head().wanted();
        match self.store.read(after, most, bytes) {
            Ok(messages) => {
                self.reads = false;
                if self.reading.worked() {
                    tracing::info!("the queue can be read again");
                }
                self.shared.head().read(messages, self.again_up_to);
                self.shared.not_empty.notify_one();
            }
            Err(error) => {
                self.shared.metrics.queue.write_failed();
                if self.reading.failed() {
                    tracing::error!(%error, "the queue cannot be read; its messages wait");
                }
            }
        }
    }
}
