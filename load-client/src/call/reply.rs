//! The result of a send for the client, made from the answer of the service.

use std::time::Duration;

use prost::DecodeError;

use super::said::Said;
use crate::{
    outcome::{Outcome, StatusCode},
    policy::Pushback,
};

/// The result of a send: its outcome, and what else the answer says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The outcome that the ledger counts.
    pub outcome: Outcome,
    /// The queue wait that the service measured; `None` if the answer does not contain it.
    pub queue_wait: Option<Duration>,
    /// Whether the service has the message.
    pub fate: Fate,
    /// The status of the answer; `None` if there was no answer.
    pub status: Option<StatusCode>,
    /// The reason in words if the send failed.
    pub said: Said,
    /// The service's instruction about another attempt; `None` if it gave none or the clients do not read it.
    pub pushback: Option<Pushback>,
}

/// Whether the service has the message of a call that has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// The service has accepted the message.
    Accepted,
    /// The service does not have the message: it refused it, or never received it.
    NotThere,
    /// The service may have the message or not.
    Unknown,
}

impl Reply {
    /// The reply for an answer with OK. `queue_wait` is the one in the answer, if it has one.
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

    /// The reply for an answer with OK whose message is not of the method's type.
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

    /// The reply for a request that the client itself held back.
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

/// The longest duration accepted from a service (arbitrary: over a century; sums of such durations do not overflow).
const LONGEST: Duration = Duration::from_secs(u32::MAX as u64);

/// Converts a duration that a service measured; `None` if it is negative, malformed or longer than a century.
///
/// This does not use prost's conversion: that one panics on extreme values in builds with debug assertions, and accepts
/// durations so long that adding them to anything overflows.
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
        // Tried: with prost's conversion this test panics.
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
