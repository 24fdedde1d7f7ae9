//! What an answer means to its client.

use std::time::Duration;

use prost::DecodeError;

use super::said::Said;
use crate::{
    outcome::{Outcome, StatusCode},
    policy::Pushback,
};

/// What an answer means to its client: an outcome, and what else it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The outcome that the ledger counts.
    pub outcome: Outcome,
    /// As the service measured it, where the answer says so.
    pub queue_wait: Option<Duration>,
    /// What is known of a message that was not accepted.
    pub fate: Fate,
    /// The status of the answer; `None` where there was no answer.
    pub status: Option<StatusCode>,
    /// What was said of a send that did not end well.
    pub said: Said,
    /// What the service said about another attempt, where the clients want to know.
    pub pushback: Option<Pushback>,
}

/// Where the message of a call is, once the call has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// The service has answered for it.
    Accepted,
    /// The service does not have it: it said so, or nothing was ever sent.
    NotThere,
    /// The service may have it or not.
    Unknown,
}

impl Reply {
    /// Of an answer with OK. `queue_wait` is as the service measured it, where the answer says so.
    pub(super) fn accepted(queue_wait: Option<foo_proto::Duration>) -> Self {
        Self {
            outcome: Outcome::Ok,
            queue_wait: queue_wait.and_then(measured),
            fate: Fate::Accepted,
            status: Some(StatusCode::Ok),
            said: Said::Nothing,
            pushback: None,
        }
    }

    /// Of an answer with OK whose message is not of the method's type.
    pub(super) fn undecodable(error: &DecodeError) -> Self {
        Self {
            outcome: Outcome::Failed,
            queue_wait: None,
            fate: Fate::Unknown,
            status: Some(StatusCode::Ok),
            said: Said::Broken(format!("the answer cannot be decoded: {error}")),
            pushback: None,
        }
    }

    /// The end of a request that the client itself held back.
    pub fn throttled() -> Self {
        Self {
            outcome: Outcome::Throttled,
            queue_wait: None,
            fate: Fate::NotThere,
            status: None,
            said: Said::Nothing,
            pushback: None,
        }
    }
}

/// The longest duration believed (arbitrary: over a century; sums of such durations are far from what one can hold).
const LONGEST: Duration = Duration::from_secs(u32::MAX as u64);

/// A duration that a service says it has measured; `None` if that makes no sense.
///
/// Not prost's conversion: that one panics on extreme values in builds with debug assertions, and lets through what
/// cannot be added to anything.
pub fn measured(wire: foo_proto::Duration) -> Option<Duration> {
    let seconds = u64::try_from(wire.seconds).ok()?;
    let nanos = u32::try_from(wire.nanos).ok().filter(|nanos| *nanos < 1_000_000_000)?;
    Some(Duration::new(seconds, nanos)).filter(|duration| *duration <= LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_that_makes_no_sense_is_none() {
        // Tried with prost's conversion: it panicked.
        let wire = |seconds, nanos| foo_proto::Duration { seconds, nanos };
        assert_eq!(measured(wire(1, 5)), Some(Duration::new(1, 5)));
        assert_eq!(measured(wire(0, 0)), Some(Duration::ZERO));
        for (seconds, nanos) in [
            (i64::MIN, 0),
            (i64::MIN, i32::MIN),
            (i64::MAX, i32::MAX),
            (1 << 33, 0),
            (-1, 0),
            (0, -1),
            (0, 1_000_000_000),
        ] {
            assert_eq!(measured(wire(seconds, nanos)), None, "{seconds} {nanos}");
        }
    }
}
