//! Permits whose number can change while some of them are in use.
//!
//! A plain semaphore can grow, but it shrinks only by permits that are free. Here the remaining ones are *owed*: a permit that is
//! given back while some are owed is removed, and no waiting caller gets it. So work that holds a permit is not interrupted.

use std::sync::{
    Mutex,
    atomic::{AtomicU32, Ordering::SeqCst},
};

use tokio::sync::Semaphore;

/// A changeable number of permits, given out first come, first served.
#[derive(Debug)]
pub struct Permits {
    free: Semaphore,
    /// How many permits in use must be removed when they are given back, because the number was lowered meanwhile.
    owed: AtomicU32,
    /// The number of permits. The lock makes changes of it happen one at a time.
    count: Mutex<u32>,
}

/// A permit in use. Dropping it gives it back.
#[derive(Debug)]
pub struct Permit<'a>(&'a Permits);

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.0.give_back();
    }
}

impl Permits {
    /// Creates `count` permits, all of them free.
    pub fn new(count: u32) -> Self {
        Self {
            free: Semaphore::new(count as usize),
            owed: AtomicU32::new(0),
            count: Mutex::new(count),
        }
    }

    /// Waits for a permit. Cancel-safe: a caller that leaves also leaves the line.
    pub async fn acquire(&self) -> Permit<'_> {
        let permit = self.free.acquire().await.expect("the semaphore is never closed");
        // The drop of `Permit` gives it back.
        permit.forget();
        Permit(self)
    }

    /// Takes a permit without waiting; `None` if all are in use, or if a caller waits for the free one.
    pub fn try_acquire(&self) -> Option<Permit<'_>> {
        let permit = self.free.try_acquire().ok()?;
        // The drop of `Permit` gives it back.
        permit.forget();
        Some(Permit(self))
    }

    /// The number of free permits.
    pub fn free(&self) -> usize {
        self.free.available_permits()
    }

    /// Takes a permit out of its guard. The caller must call [`give_back`](Self::give_back) later.
    pub fn keep(permit: Permit<'_>) {
        std::mem::forget(permit);
    }

    /// Gives back a permit that was [kept](Self::keep).
    pub fn give_back(&self) {
        let pays = self.owed.load(SeqCst) > 0
            && self
                .owed
                .fetch_update(SeqCst, SeqCst, |owed| owed.checked_sub(1))
                .is_ok();
        if !pays {
            self.free.add_permits(1);
        }
    }

    /// Changes the number of permits to `count`. New permits are available at once. If the number falls, free permits are removed
    /// at once, and the others when their holders give them back.
    pub fn resize(&self, count: u32) {
        let mut now = self.count.lock().expect("no code panics with the count locked");
        if count >= *now {
            let mut more = count - *now;
            // Permits in use that were to be removed stay: only the rest is added.
            let _ = self.owed.fetch_update(SeqCst, SeqCst, |owed| {
                more = (count - *now).saturating_sub(owed);
                Some(owed.saturating_sub(count - *now))
            });
            self.free.add_permits(more as usize);
        } else {
            let fewer = *now - count;
            let taken = self.free.forget_permits(fewer as usize);
            let taken = u32::try_from(taken).expect("at most as many as were asked for");
            self.owed.fetch_add(fewer - taken, SeqCst);
        }
        *now = count;
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use futures_util::FutureExt;

    use super::*;

    fn take(permits: &Permits) -> Option<Permit<'_>> {
        permits.acquire().now_or_never()
    }

    #[test]
    fn fewer_permits_wait_for_those_in_use() {
        let permits = Permits::new(3);
        let mut out: Vec<_> = (0..3).map(|_| take(&permits).unwrap()).collect();
        permits.resize(1);
        out.pop();
        out.pop();
        assert!(take(&permits).is_none(), "the one that is left is out");
        out.pop();
        let last = take(&permits);
        assert!(last.is_some() && take(&permits).is_none());
    }

    #[test]
    fn free_permits_go_at_once() {
        let permits = Permits::new(3);
        let out = take(&permits);
        permits.resize(1);
        assert!(take(&permits).is_none());
        drop(out);
        let again = take(&permits);
        assert!(again.is_some() && take(&permits).is_none());
    }

    #[test]
    fn more_permits_serve_callers_that_wait_and_forgive_what_is_owed() {
        let permits = Permits::new(1);
        let _out = take(&permits);
        let mut waiting = pin!(permits.acquire());
        assert!(waiting.as_mut().now_or_never().is_none());
        permits.resize(2);
        let second = waiting
            .now_or_never()
            .expect("a new permit is for the caller that waits");

        permits.resize(1);
        permits.resize(3);
        let third = take(&permits).expect("of three permits two are out");
        assert!(take(&permits).is_none());
        drop((second, third));
        let free: Vec<_> = (0..3).map_while(|_| take(&permits)).collect();
        assert_eq!(free.len(), 2);
    }
}
