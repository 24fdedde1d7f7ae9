//! The distribution of times during a run, in a fixed array of counters. One thread writes it with plain stores, and
//! others can read it at any time. It is for the live view only: with 16 buckets per octave, a time has an error of up
//! to 3 %. Reports use more exact histograms.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

/// The number of buckets per octave, as a power of two (arbitrary: finer than a chart on a terminal can show).
const DIGITS: u32 = 4;
const PER_OCTAVE: usize = 1 << DIGITS;
/// The last octave of times in microseconds. It ends at 71 minutes; longer times count in its last bucket.
const LAST_OCTAVE: u32 = 31;
const BUCKETS: usize = (LAST_OCTAVE - DIGITS + 2) as usize * PER_OCTAVE;

/// Counters of times, for one writer and any number of readers.
#[derive(Debug)]
pub struct LiveTimes(Box<[AtomicU64; BUCKETS]>);

/// The values of such counters at one instant, or their growth between two.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Times(Box<[u64; BUCKETS]>);

impl Default for LiveTimes {
    fn default() -> Self {
        Self(Box::new([const { AtomicU64::new(0) }; BUCKETS]))
    }
}

impl Default for Times {
    fn default() -> Self {
        Self(Box::new([0; BUCKETS]))
    }
}

impl LiveTimes {
    /// Counts a time. Only one thread at a time may call this, while others read.
    pub fn record(&self, time: Duration) {
        let counter = &self.0[bucket(time)];
        counter.store(counter.load(Relaxed) + 1, Relaxed);
    }

    /// Adds the counts so far to `sum`.
    pub(super) fn add_to(&self, sum: &mut Times) {
        for (sum, mine) in sum.0.iter_mut().zip(self.0.iter()) {
            *sum += mine.load(Relaxed);
        }
    }
}

impl Times {
    /// The times that were counted after `earlier` was read.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let mut since = self.clone();
        for (now, then) in since.0.iter_mut().zip(earlier.0.iter()) {
            *now = now.saturating_sub(*then);
        }
        since
    }

    /// The time that this share of all times did not exceed, with an error of up to 3 %; `None` if there are no times.
    /// A share of 1 gives the longest time.
    pub fn quantile(&self, share: f64) -> Option<Duration> {
        let count: u64 = self.0.iter().sum();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a share of a count"
        )]
        let rank = ((count as f64 * share).ceil() as u64).clamp(1, count.max(1));
        let mut seen = 0;
        let index = self.0.iter().position(|count| {
            seen += count;
            seen >= rank
        })?;
        Some(middle(index))
    }
}

fn bucket(time: Duration) -> usize {
    let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    let micros = micros.min((1 << (LAST_OCTAVE + 1)) - 1);
    let octave = micros.checked_ilog2().unwrap_or(0);
    if octave < DIGITS {
        return usize::try_from(micros).expect("under 16");
    }
    let within = usize::try_from(micros >> (octave - DIGITS)).expect("under 32") - PER_OCTAVE;
    (octave - DIGITS + 1) as usize * PER_OCTAVE + within
}

fn middle(bucket: usize) -> Duration {
    let (octave, within) = (bucket / PER_OCTAVE, bucket % PER_OCTAVE);
    if octave == 0 {
        return Duration::from_micros(within as u64);
    }
    let width = 1_u64 << (octave - 1);
    Duration::from_micros((PER_OCTAVE + within) as u64 * width + width / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(times: impl IntoIterator<Item = Duration>) -> Times {
        let live = LiveTimes::default();
        times.into_iter().for_each(|time| live.record(time));
        let mut sum = Times::default();
        live.add_to(&mut sum);
        sum
    }

    #[test]
    fn every_time_from_a_microsecond_to_an_hour_reads_within_three_percent() {
        let mut time = Duration::from_micros(1);
        while time < Duration::from_secs(3600) {
            let shown = counted([time]).quantile(0.5).unwrap();
            // Times are counted in whole microseconds, so one more is allowed.
            assert!(
                shown.abs_diff(time) <= time / 32 + Duration::from_micros(1),
                "{time:?} reads {shown:?}"
            );
            time = time.mul_f64(1.013) + Duration::from_micros(1);
        }
        let longest = counted([Duration::MAX]).quantile(1.0).unwrap();
        assert!(longest > Duration::from_secs(4000));
        assert_eq!(counted([Duration::ZERO]).quantile(1.0), Some(Duration::ZERO));
    }

    #[test]
    fn quantiles_are_those_of_the_times_since_an_earlier_look() {
        let live = LiveTimes::default();
        let reading = || {
            let mut times = Times::default();
            live.add_to(&mut times);
            times
        };
        assert_eq!(reading().quantile(0.5), None);
        live.record(Duration::from_secs(60));
        let before = reading();
        assert_eq!(reading().since(&before).quantile(0.99), None);
        (0..98).for_each(|_| live.record(Duration::from_micros(8)));
        (0..2).for_each(|_| live.record(Duration::from_micros(15)));
        let since = reading().since(&before);
        let quantiles = [0.5, 0.98, 0.99, 1.0].map(|share| since.quantile(share).unwrap().as_micros());
        assert_eq!(quantiles, [8, 8, 15, 15]);
    }
}
