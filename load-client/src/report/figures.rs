//! From durations and counts to the floats of a report.

use std::time::Duration;

/// A shorter load has no meaningful rate (arbitrary: a tick of the timers).
const SHORTEST_LOAD: Duration = Duration::from_millis(1);

/// `count` in this time as a rate per second; `None` if the time is too short for a rate.
pub fn per_second(count: u64, time: Duration) -> Option<f64> {
    (time >= SHORTEST_LOAD).then(|| count as f64 / seconds(time))
}

/// A duration as a number of seconds, as JSON has it.
pub fn seconds(duration: Duration) -> f64 {
    duration.as_secs_f64()
}
