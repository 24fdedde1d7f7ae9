//! The longest time that a message can take.

use std::time::Duration;

/// No message takes longer: the longest `service_demand` that a service can be told to accept.
pub(super) const LONGEST: Duration = Duration::from_secs(3600);

/// A time of more than [`LONGEST`] counts as that.
pub(super) fn nanos(time: Duration) -> u64 {
    u64::try_from(time.min(LONGEST).as_nanos()).expect("an hour has fewer nanoseconds than a u64")
}
