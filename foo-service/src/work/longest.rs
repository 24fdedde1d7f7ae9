//! The longest time that a message can take.

use std::time::Duration;

/// The longest service time of a message: also the upper limit of `--max-service-demand`.
pub(super) const LONGEST: Duration = Duration::from_secs(3600);

/// Converts a time to nanoseconds. A time above [`LONGEST`] counts as [`LONGEST`].
pub(super) fn nanos(time: Duration) -> u64 {
    u64::try_from(time.min(LONGEST).as_nanos()).expect("an hour has fewer nanoseconds than a u64")
}
