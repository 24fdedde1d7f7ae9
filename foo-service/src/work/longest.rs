//! The longest time that a message can take.

use std::time::Duration;

/// The longest service time of a message: also the upper limit of `--max-service-demand`.
pub(super) const LONGEST: Duration = Duration::from_secs(3600);

/// Multiplies `time` by `factor`. A product above [`LONGEST`], or one that is no time, counts as [`LONGEST`].
pub(super) fn product(time: Duration, factor: f64) -> Duration {
    Duration::try_from_secs_f64(time.as_secs_f64() * factor)
        .unwrap_or(LONGEST)
        .min(LONGEST)
}

/// Converts a time to nanoseconds. A time above [`LONGEST`] counts as [`LONGEST`].
pub(super) fn nanos(time: Duration) -> u64 {
    u64::try_from(time.min(LONGEST).as_nanos()).expect("an hour has fewer nanoseconds than a u64")
}
