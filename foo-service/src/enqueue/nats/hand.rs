//! Messages that were delivered and that no worker has taken yet: at most as many as workers were free when they were asked for.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard},
};

use async_nats::Subject;
use tokio::sync::Notify;

use crate::job::Job;

/// A message that was delivered to this instance.
#[derive(Debug)]
pub(super) struct Delivery {
    /// The number of this delivery within the instance.
    pub(super) number: u64,
    /// Its position on the queue.
    pub(super) sequence: u64,
    /// How often the server has delivered it, this time included.
    pub(super) deliveries: u32,
    /// Where the server hears what became of it.
    pub(super) reply: Subject,
    /// The message.
    pub(super) job: Job,
}

/// The delivered messages that wait for a worker.
#[derive(Debug, Default)]
pub(super) struct Hand {
    state: Mutex<State>,
    arrived: Notify,
    taken: Notify,
}

#[derive(Debug, Default)]
struct State {
    held: VecDeque<Delivery>,
    closed: bool,
}

impl Hand {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no code panics with the hand locked")
    }

    /// Adds a message.
    ///
    /// # Errors
    ///
    /// Returns the message if none is taken any more.
    pub(super) fn put(&self, delivery: Delivery) -> Result<(), Delivery> {
        let mut state = self.state();
        if state.closed {
            return Err(delivery);
        }
        state.held.push_back(delivery);
        drop(state);
        self.arrived.notify_one();
        Ok(())
    }

    /// The number of messages that wait for a worker.
    pub(super) fn count(&self) -> usize {
        self.state().held.len()
    }

    /// Waits until there is a message. Only one consumer may wait. Cancel-safe.
    pub(super) async fn ready(&self) {
        while self.count() == 0 {
            self.arrived.notified().await;
        }
    }

    /// Waits until a message was taken. Only one task may wait. Cancel-safe.
    pub(super) async fn taken(&self) {
        self.taken.notified().await;
    }

    /// Takes the oldest message, if there is one.
    pub(super) fn take(&self) -> Option<Delivery> {
        let delivery = self.state().held.pop_front();
        self.taken.notify_one();
        delivery
    }

    /// Stops the taking of messages, and returns those that were not taken.
    pub(super) fn close(&self) -> VecDeque<Delivery> {
        let mut state = self.state();
        state.closed = true;
        std::mem::take(&mut state.held)
    }
}
