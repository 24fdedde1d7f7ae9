//! Places for a bounded number of connections. When all are taken, a new connection gets the place of the one that has been
//! idle longest.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use tokio::sync::oneshot;

/// The numbers of open and of closed connections, for a gauge and a counter.
#[derive(Debug, Default)]
pub struct Occupancy {
    open: AtomicU64,
    pushed_out: AtomicU64,
}

impl Occupancy {
    /// The number of connections that have a place now.
    pub fn open(&self) -> u64 {
        self.open.load(Relaxed)
    }

    /// How many connections were closed so far because another one needed their place.
    pub fn pushed_out(&self) -> u64 {
        self.pushed_out.load(Relaxed)
    }
}

/// The places, ordered by their last use. Only the order matters, so a number that rises with every use is enough, and no
/// clock is read.
pub(crate) struct Places {
    most: usize,
    taken: Mutex<Taken>,
    occupancy: Arc<Occupancy>,
}

#[derive(Default)]
struct Taken {
    uses: u64,
    /// For each taken place, by the number of its last use, a sender: dropping it closes the connection.
    by_last_use: BTreeMap<u64, oneshot::Sender<()>>,
}

impl Taken {
    fn next_use(&mut self) -> u64 {
        self.uses += 1;
        self.uses
    }
}

impl Places {
    pub(crate) fn new(most: usize, occupancy: Arc<Occupancy>) -> Arc<Self> {
        Arc::new(Self {
            most,
            taken: Mutex::default(),
            occupancy,
        })
    }

    /// Takes a place for a new connection. If none is free, the connection that has been idle longest is closed.
    pub(crate) fn take(self: &Arc<Self>) -> Place {
        let (keep, pushed_out) = oneshot::channel();
        let mut taken = self.lock();
        while taken.by_last_use.len() >= self.most {
            self.push_out(&mut taken);
        }
        let last_use = taken.next_use();
        taken.by_last_use.insert(last_use, keep);
        self.show(&taken);
        Place {
            held: Held {
                places: Arc::clone(self),
                last_use: AtomicU64::new(last_use),
            },
            pushed_out,
        }
    }

    /// Closes the connection that has been idle longest. Returns false if there is no connection.
    pub(crate) fn make_room(&self) -> bool {
        let mut taken = self.lock();
        let made = self.push_out(&mut taken);
        self.show(&taken);
        made
    }

    fn push_out(&self, taken: &mut Taken) -> bool {
        let pushed_out = taken.by_last_use.pop_first().is_some();
        if pushed_out {
            self.occupancy.pushed_out.fetch_add(1, Relaxed);
        }
        pushed_out
    }

    fn show(&self, taken: &Taken) {
        let open = u64::try_from(taken.by_last_use.len()).unwrap_or(u64::MAX);
        self.occupancy.open.store(open, Relaxed);
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place, and the signal that it was given to another connection.
pub(crate) struct Place {
    held: Held,
    pushed_out: oneshot::Receiver<()>,
}

impl Place {
    pub(crate) fn split(self) -> (Held, oneshot::Receiver<()>) {
        (self.held, self.pushed_out)
    }
}

/// The right to a place. Dropping it frees the place.
pub(crate) struct Held {
    places: Arc<Places>,
    last_use: AtomicU64,
}

impl Held {
    /// Records that the connection got an answer, so its idle time begins now.
    pub(crate) fn used(&self) {
        let mut taken = self.places.lock();
        // If the place was given away meanwhile, the connection is about to be closed.
        let Some(keep) = taken.by_last_use.remove(&self.last_use.load(Relaxed)) else {
            return;
        };
        let last_use = taken.next_use();
        self.last_use.store(last_use, Relaxed);
        taken.by_last_use.insert(last_use, keep);
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut taken = self.places.lock();
        taken.by_last_use.remove(&self.last_use.load(Relaxed));
        self.places.show(&taken);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_out(place: &mut Place) -> bool {
        place.pushed_out.try_recv() == Err(oneshot::error::TryRecvError::Closed)
    }

    #[test]
    fn the_connection_that_was_idle_longest_gives_way() {
        let occupancy = Arc::new(Occupancy::default());
        let places = Places::new(2, Arc::clone(&occupancy));
        let (mut old, mut used) = (places.take(), places.take());
        used.held.used();
        old.held.used();
        used.held.used();
        let mut new = places.take();
        assert_eq!([&mut old, &mut used, &mut new].map(is_out), [true, false, false]);
        assert_eq!((occupancy.open(), occupancy.pushed_out()), (2, 1));
        // The place of a connection that was pushed out is not counted twice.
        drop(old);
        assert_eq!(occupancy.open(), 2);
        drop(used);
        assert_eq!(occupancy.open(), 1);
        assert!(places.make_room() && is_out(&mut new) && !places.make_room());
    }
}
