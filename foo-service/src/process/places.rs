//! Places whose number can change while some are taken. Callers do not wait for one.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering::SeqCst},
};

use tokio::sync::Semaphore;

/// A number of places, for tower's concurrency limit to take them from.
#[derive(Debug)]
pub(super) struct Places {
    free: Arc<Semaphore>,
    /// Places that are taken and must not be given away again: their number was lowered.
    owed: AtomicUsize,
    /// How many there are. Changes of it happen one at a time.
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

    /// Where the places are taken from, and given back to.
    pub(super) fn semaphore(&self) -> Arc<Semaphore> {
        Arc::clone(&self.free)
    }

    /// From now on there are `count` places.
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

    /// To be called before a place is asked for: takes places that are owed from those that are free. No caller waits for a
    /// place, so that one that was given back is still free when the next call comes.
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
