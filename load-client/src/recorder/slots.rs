//! Service times while few slots of the clients were taken, and while all were.
//!
//! A slot is a request that a client may have in flight. If answers take longer when all slots are taken, the service has
//! a waiting line. If they do not, more slots would have done more.

use std::time::Duration;

/// The number of times that are kept of each kind, the latest ones (arbitrary: enough for a median, and 4 KiB).
const KEPT: usize = 1024;

/// How many of the slots are taken when a request is sent, its own included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Crowd {
    /// At most half of the slots. With a single slot: the first request.
    Few,
    /// More than half of the slots, but not all.
    Many,
    /// All slots.
    All,
}

impl Crowd {
    /// Classifies `taken` slots among `all`. `first`: it is the first request of all.
    pub fn of(taken: usize, all: usize, first: bool) -> Self {
        match (taken, all) {
            (_, 1) if first => Self::Few,
            (taken, all) if taken >= all => Self::All,
            (taken, all) if 2 * taken <= all => Self::Few,
            _ => Self::Many,
        }
    }
}

/// A bounded number of times: the latest ones.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Latest {
    micros: Vec<u32>,
    /// Counts the times beyond the bound. Each of them overwrites the oldest one.
    next: usize,
}

impl Latest {
    fn record(&mut self, time: Duration) {
        let micros = u32::try_from(time.as_micros()).unwrap_or(u32::MAX);
        if self.micros.len() < KEPT {
            self.micros.push(micros);
        } else {
            self.micros[self.next % KEPT] = micros;
            self.next += 1;
        }
    }

    /// The median: of an even number of times, the lower of the two in the middle. `None` if there are no times.
    ///
    /// The lower one, because a run that is held back has only two or three requests at its beginning, and the second of them
    /// may already have waited.
    pub fn median(&self) -> Option<Duration> {
        let mut micros = self.micros.clone();
        let middle = micros.len().checked_sub(1)? / 2;
        let (_, median, _) = micros.select_nth_unstable(middle);
        Some(Duration::from_micros((*median).into()))
    }
}

/// The service times of a run by slots taken, and its waits for slots.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Slots {
    /// Service times of ok answers to requests that were sent while few slots were taken. Those of the warm-up count too: a
    /// run that is held back has such requests only at its beginning.
    pub few: Latest,
    /// Service times of ok answers to requests that were sent while all slots were taken.
    pub all: Latest,
    /// Requests after the warm-up that waited more than 10 ms for a slot of their client.
    pub late: u64,
}

/// A request that waits this long for a slot is late (arbitrary: ten ticks of the timers, as for the start lag).
const LATE: Duration = Duration::from_millis(10);

impl Slots {
    /// Records the service time of an ok answer, by the slots that were taken when its request was sent.
    pub fn answered(&mut self, service_time: Duration, crowd: Crowd) {
        match crowd {
            Crowd::Few => self.few.record(service_time),
            Crowd::Many => {}
            Crowd::All => self.all.record(service_time),
        }
    }

    /// Records how long a request waited for a slot.
    pub fn waited(&mut self, time: Duration) {
        self.late += u64::from(time > LATE);
    }

    /// Adds the figures of another shard.
    pub fn merge(&mut self, other: &Self) {
        self.few.micros.extend_from_slice(&other.few.micros);
        self.all.micros.extend_from_slice(&other.all.micros);
        self.late += other.late;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crowd_is_told_by_the_slots_that_are_taken() {
        let crowds = [1, 2, 3, 4].map(|taken| Crowd::of(taken, 4, false));
        assert_eq!(crowds, [Crowd::Few, Crowd::Few, Crowd::Many, Crowd::All]);
        assert_eq!(Crowd::of(1, 2, false), Crowd::Few);
        assert_eq!(Crowd::of(2, 3, false), Crowd::Many);
        // With a single slot, only the first request has none before it.
        assert_eq!(
            [true, false].map(|first| Crowd::of(1, 1, first)),
            [Crowd::Few, Crowd::All]
        );
    }

    #[test]
    fn the_median_is_of_the_latest_times_and_no_more_are_kept() {
        let mut latest = Latest::default();
        assert_eq!(latest.median(), None);
        let mut two = Latest::default();
        for millis in [800, 200] {
            two.record(Duration::from_millis(millis));
        }
        assert_eq!(two.median(), Some(Duration::from_millis(200)));
        for millis in 1..=10 * KEPT as u64 {
            latest.record(Duration::from_millis(millis));
        }
        assert_eq!(latest.micros.len(), KEPT);
        let median = latest.median().unwrap().as_millis() as usize;
        assert!(median.abs_diff(10 * KEPT - KEPT / 2) <= 1, "{median}");
    }
}
