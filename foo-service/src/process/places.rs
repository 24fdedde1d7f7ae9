//! Places in front of the waiting line, whose number can change while some are taken. Callers do not wait for one.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering::SeqCst},
};

use tokio::sync::Semaphore;

/// A changeable number of places, given out by tower's concurrency limit.
#[derive(Debug)]
pub(super) struct Places {
    free: Arc<Semaphore>,
    /// How many taken places must be removed when they are given back, because the number was lowered.
    owed: AtomicUsize,
    /// The number of places. The lock makes changes of it happen one at a time.
    count: Mutex<usize>,
}

impl Places {
    pub(super) fn new(count: usize) -> Self {
        Self {
            free: Arc::new(Semaphore::new(count)),
            owed: AtomicUsize::new(0),
            count: Mutex::new(count),
        }
    }

    /// The semaphore with which the tower limit takes places and gives them back.
    pub(super) fn semaphore(&self) -> Arc<Semaphore> {
        Arc::clone(&self.free)
    }

    /// Changes the number of places to `count`.
    pub(super) fn resize(&self, count: usize) {
        let mut now = self.count.lock().expect("no code panics with the count locked");
        if count >= *now {
            self.free.add_permits(count - *now);
        } else {
            self.owed.fetch_add(*now - count, SeqCst);
        }
        self.settle();
        *now = count;
    }

    /// Removes owed places from the free ones. Must be called before each attempt to take a place. That is early enough: no caller
    /// waits for a place, so one that was given back is still free when the next call comes.
    pub(super) fn before_taking(&self) {
        if self.owed.load(SeqCst) > 0 {
            self.settle();
        }
    }

    fn settle(&self) {
        let owed = self.owed.swap(0, SeqCst);
        let paid = self.free.forget_permits(owed);
        self.owed.fetch_add(owed - paid, SeqCst);
    }
}
