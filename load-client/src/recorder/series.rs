//! A run over time, in at most [`MAX_POINTS`] slots: a long run doubles its step and merges neighbouring slots.

use std::time::Duration;

use hdrhistogram::Histogram;

use super::distribution::micros;

/// The most slots that a series has.
pub const MAX_POINTS: usize = 600;
/// The step of a short run (arbitrary: fine enough to see a freeze of a second in a run of ten).
const FIRST_STEP: Duration = Duration::from_millis(100);

/// The figures of one step.
#[derive(Debug, Default, Clone)]
pub struct Slot {
    /// Requests that were scheduled in this step.
    pub intended: u64,
    /// Messages done within the SLO.
    pub good: u64,
    /// Times to done, in microseconds, to two digits: enough for a chart.
    to_done: Option<Box<Histogram<u32>>>,
    /// Response times of ok answers that do not mean done, also in microseconds with two digits. Those of answers that mean
    /// done are in `to_done` already.
    responses: Option<Box<Histogram<u32>>>,
    /// Messages in the queue, as the service last reported in this step.
    pub queue_depth: Option<u64>,
    /// Messages in the system, as the service last reported in this step.
    pub in_system: Option<u64>,
    /// Bytes in the queue, as the service last reported in this step.
    pub queue_bytes: Option<u64>,
    /// Memory of the service's process in bytes, as the service last reported in this step.
    pub resident_bytes: Option<u64>,
    /// Messages that the service admits at once, as it last reported in this step.
    pub concurrency_limit: Option<u64>,
}

impl Slot {
    /// Records a message that was done this long after it was scheduled; `good`: within the SLO.
    pub fn done(&mut self, time_to_done: Duration, good: bool) {
        self.good += u64::from(good);
        record(&mut self.to_done, time_to_done);
    }

    /// Records an ok answer that does not mean that its message is done.
    pub fn answered(&mut self, response_time: Duration) {
        record(&mut self.responses, response_time);
    }

    /// A quantile (0 to 1) of the times to done; `None` if nothing was done.
    pub fn time_to_done(&self, quantile: f64) -> Option<Duration> {
        Some(at(self.to_done.as_deref()?, quantile))
    }

    /// A quantile (0 to 1) of the response times that [`answered`](Self::answered) recorded; `None` if there are none.
    pub fn response_time(&self, quantile: f64) -> Option<Duration> {
        Some(at(self.responses.as_deref()?, quantile))
    }

    /// Adds a later slot to this one. Of each level, the later one that is known is kept.
    fn fold(&mut self, later: Self) {
        self.intended += later.intended;
        self.good += later.good;
        add(&mut self.to_done, later.to_done);
        add(&mut self.responses, later.responses);
        self.queue_depth = later.queue_depth.or(self.queue_depth);
        self.in_system = later.in_system.or(self.in_system);
        self.queue_bytes = later.queue_bytes.or(self.queue_bytes);
        self.resident_bytes = later.resident_bytes.or(self.resident_bytes);
        self.concurrency_limit = later.concurrency_limit.or(self.concurrency_limit);
    }
}

fn record(times: &mut Option<Box<Histogram<u32>>>, time: Duration) {
    let empty = || Box::new(Histogram::new(2).expect("two digits are within what HDR offers"));
    let times = times.get_or_insert_with(empty);
    times.record(micros(time)).expect("it resizes itself");
}

fn add(mine: &mut Option<Box<Histogram<u32>>>, theirs: Option<Box<Histogram<u32>>>) {
    match (mine, theirs) {
        (Some(mine), Some(theirs)) => mine.add(&*theirs).expect("it resizes itself"),
        (mine, theirs) => *mine = mine.take().or(theirs),
    }
}

fn at(times: &Histogram<u32>, quantile: f64) -> Duration {
    Duration::from_micros(times.value_at_quantile(quantile))
}

/// A run over time, in slots of equal length.
#[derive(Debug, Clone)]
pub struct Series {
    step: Duration,
    slots: Vec<Slot>,
}

impl Default for Series {
    fn default() -> Self {
        Self {
            step: FIRST_STEP,
            slots: Vec::new(),
        }
    }
}

impl Series {
    /// The length of a slot.
    pub fn step(&self) -> Duration {
        self.step
    }

    /// The slots in order, from the start of the run.
    pub fn slots(&self) -> &[Slot] {
        &self.slots
    }

    /// The slot that `at` falls into.
    pub fn slot(&mut self, at: Duration) -> &mut Slot {
        let mut index = self.index(at);
        while index >= MAX_POINTS {
            self.coarsen();
            index = self.index(at);
        }
        if self.slots.len() <= index {
            self.slots.resize_with(index + 1, Slot::default);
        }
        &mut self.slots[index]
    }

    fn index(&self, at: Duration) -> usize {
        usize::try_from(at.as_nanos() / self.step.as_nanos()).unwrap_or(usize::MAX)
    }

    fn coarsen(&mut self) {
        self.step *= 2;
        let mut slots = std::mem::take(&mut self.slots).into_iter();
        while let Some(mut slot) = slots.next() {
            if let Some(later) = slots.next() {
                slot.fold(later);
            }
            self.slots.push(slot);
        }
    }

    /// Adds another series of the same run.
    pub fn merge(&mut self, mut other: Self) {
        while self.step < other.step {
            self.coarsen();
        }
        while other.step < self.step {
            other.coarsen();
        }
        for (index, slot) in other.slots.into_iter().enumerate() {
            match self.slots.get_mut(index) {
                Some(mine) => mine.fold(slot),
                None => self.slots.push(slot),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_run_stays_within_its_points_and_loses_no_count() {
        let mut series = Series::default();
        for second in 0..7200 {
            let slot = series.slot(Duration::from_secs(second));
            slot.intended += 8;
            slot.queue_depth = Some(second);
            slot.done(Duration::from_secs(1), true);
        }
        assert!(series.slots().len() <= MAX_POINTS);
        assert_eq!(series.step(), Duration::from_millis(12_800));
        assert_eq!(series.slots().iter().map(|slot| slot.intended).sum::<u64>(), 8 * 7200);
        assert_eq!(series.slots().iter().map(|slot| slot.good).sum::<u64>(), 7200);
        assert_eq!(series.slots()[0].queue_depth, Some(12));
    }

    #[test]
    fn answers_and_ends_are_told_apart_and_neither_is_lost_when_slots_fold() {
        let mut slot = Slot::default();
        slot.answered(Duration::from_millis(1));
        assert_eq!(slot.time_to_done(0.5), None);
        let mut later = Slot {
            resident_bytes: Some(7),
            concurrency_limit: Some(9),
            ..Slot::default()
        };
        later.answered(Duration::from_millis(3));
        later.done(Duration::from_secs(1), true);
        slot.fold(later);
        let millis = |time: Option<Duration>| time.unwrap().as_millis();
        assert_eq!([0.5, 1.0].map(|quantile| millis(slot.response_time(quantile))), [1, 3]);
        assert_eq!(millis(slot.time_to_done(0.5)) / 10, 100);
        assert_eq!((slot.resident_bytes, slot.concurrency_limit), (Some(7), Some(9)));
        slot.fold(Slot::default());
        assert_eq!((slot.resident_bytes, slot.concurrency_limit), (Some(7), Some(9)));
    }

    #[test]
    fn series_of_different_steps_merge() {
        let mut short = Series::default();
        short.slot(Duration::from_millis(250)).intended = 1;
        let mut long = Series::default();
        long.slot(Duration::from_secs(119)).intended = 1;
        short.merge(long);
        assert_eq!(short.step(), Duration::from_millis(200));
        assert_eq!(short.slots()[1].intended, 1);
        assert_eq!(short.slots().iter().map(|slot| slot.intended).sum::<u64>(), 2);
    }
}
