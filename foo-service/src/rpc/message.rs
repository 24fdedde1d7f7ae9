//! Checks a message from the wire and makes a [`Job`] of it, or a refusal that names the wrong field.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use foo_proto::v1::Message;
use tokio::time::Instant;

use super::{call::Call, status::Refusal};
use crate::job::{Job, MAX_ID_BYTES};

/// The text for a `grpc-timeout` that cannot be read.
const TIMEOUT_FORM: &str = "must be 1 to 8 digits and a unit of H, M, S, m, u or n";

/// The most metadata of a call in bytes, as HTTP/2 counts them: names, values, and 32 for each header (gRPC's usual limit).
pub(super) const MAX_METADATA: u32 = 16 << 10;

/// The limits of a message, and the source of ids for messages without one.
#[derive(Debug)]
pub struct MessageRules {
    max_payload: u64,
    max_service_demand: Duration,
    ids: Ids,
}

/// Makes ids for messages without one: the instance id and a number.
#[derive(Debug)]
struct Ids {
    instance_id: String,
    next: AtomicU64,
}

impl MessageRules {
    /// Accepts payloads of at most `max_payload` bytes and service demands of at most `max_service_demand`. `instance_id` begins
    /// the ids that are made here.
    pub fn new(max_payload: u64, max_service_demand: Duration, instance_id: String) -> Self {
        Self {
            max_payload,
            max_service_demand,
            ids: Ids {
                instance_id,
                next: AtomicU64::new(1),
            },
        }
    }

    /// Checks the timeout and the message of a call, and makes a job of them.
    pub(super) fn check(&self, call: &Call, message: Option<Message>) -> Result<Job, Refusal> {
        if call.malformed_timeout {
            return Err(malformed_timeout());
        }
        let message = message.ok_or_else(|| invalid("message", "is missing"))?;
        self.check_message(message, call.arrival)
    }

    fn check_message(&self, message: Message, since: Instant) -> Result<Job, Refusal> {
        if message.id.len() > MAX_ID_BYTES {
            let reason = format!("has {} bytes, the limit is {MAX_ID_BYTES}", message.id.len());
            return Err(invalid("message.id", reason));
        }
        if message.payload.len() as u64 > self.max_payload {
            let reason = format!("has {} bytes, the limit is {}", message.payload.len(), self.max_payload);
            return Err(invalid("message.payload", reason));
        }
        let demand = message
            .service_demand
            .map(|demand| self.check_demand(demand))
            .transpose()?;
        let id = if message.id.is_empty() {
            self.ids.make()
        } else {
            message.id
        };
        Ok(Job {
            id: id.into_boxed_str(),
            payload: message.payload.into_boxed_slice(),
            demand,
            since,
        })
    }

    fn check_demand(&self, demand: foo_proto::Duration) -> Result<Duration, Refusal> {
        let field = "message.service_demand";
        let demand =
            from_wire(demand).ok_or_else(|| invalid(field, "must not be negative, with nanos below 1,000,000,000"))?;
        if demand > self.max_service_demand {
            return Err(invalid(
                field,
                format!("is {demand:?}, the limit is {:?}", self.max_service_demand),
            ));
        }
        Ok(demand)
    }
}

impl Ids {
    fn make(&self) -> String {
        format!("{}-{}", self.instance_id, self.next.fetch_add(1, Ordering::Relaxed))
    }
}

/// The refusal of a call whose `grpc-timeout` cannot be read.
pub(super) fn malformed_timeout() -> Refusal {
    invalid("grpc-timeout", TIMEOUT_FORM)
}

/// The refusal of a call with more metadata than [`MAX_METADATA`].
pub(super) fn too_much_metadata(bytes: u32) -> Refusal {
    Refusal::TooLarge {
        field: "metadata",
        reason: format!("has {bytes} bytes, the limit is {MAX_METADATA}"),
    }
}

fn invalid(field: &'static str, reason: impl Into<String>) -> Refusal {
    Refusal::Invalid {
        field,
        reason: reason.into(),
    }
}

/// Converts a duration from the wire; `None` if it is negative or not in normal form.
///
/// Not with prost's conversion: it normalises first, and panics on extreme values in builds with debug assertions.
pub(super) fn from_wire(duration: foo_proto::Duration) -> Option<Duration> {
    let seconds = u64::try_from(duration.seconds).ok()?;
    let nanos = u32::try_from(duration.nanos)
        .ok()
        .filter(|nanos| *nanos < 1_000_000_000)?;
    Some(Duration::new(seconds, nanos))
}

/// Converts a duration for the wire.
pub(super) fn to_wire(duration: Duration) -> foo_proto::Duration {
    duration
        .try_into()
        .expect("durations measured here are far below 10,000 years")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(message: Message) -> Result<Job, Refusal> {
        MessageRules::new(4, Duration::from_secs(60), "i".to_owned()).check_message(message, Instant::now())
    }

    fn field_refused(message: Message) -> &'static str {
        match check(message) {
            Err(Refusal::Invalid { field, .. }) => field,
            other => panic!("{other:?}"),
        }
    }

    fn demand(seconds: i64, nanos: i32) -> Message {
        Message {
            service_demand: Some(foo_proto::Duration { seconds, nanos }),
            ..Message::default()
        }
    }

    #[test]
    fn names_the_field_that_is_wrong() {
        let id = |length| Message {
            id: "x".repeat(length),
            ..Message::default()
        };
        assert!(check(id(128)).is_ok());
        assert_eq!(field_refused(id(129)), "message.id");
        let payload = |length| Message {
            payload: vec![0; length],
            ..Message::default()
        };
        assert!(check(payload(4)).is_ok());
        assert_eq!(field_refused(payload(5)), "message.payload");
        assert_eq!(check(demand(60, 0)).unwrap().demand, Some(Duration::from_secs(60)));
        for wrong in [
            demand(60, 1),
            demand(-1, 0),
            demand(0, -1),
            demand(i64::MIN, i32::MIN),
            demand(i64::MAX, i32::MAX),
        ] {
            assert_eq!(field_refused(wrong), "message.service_demand");
        }
    }

    #[test]
    fn makes_an_id_where_there_is_none() {
        let rules = MessageRules::new(4, Duration::ZERO, "i".to_owned());
        let ids: Vec<_> = (0..2)
            .map(|_| rules.check_message(Message::default(), Instant::now()).unwrap().id)
            .collect();
        assert_eq!(*ids, ["i-1".into(), "i-2".into()]);
    }
}
