//! Messages and completions as bytes on the server, in the encoding of foo.proto. A header never contains an id as it came,
//! because ids are foreign input.

use std::{
    fmt::Write,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use foo_proto::v1;
use prost::Message as _;
use tokio::time::Instant;

use crate::{
    enqueue::Completion,
    job::{Job, JobOutcome},
};

/// The header by which the server recognises repeats of a message.
pub(super) const MESSAGE_ID: &str = "Nats-Msg-Id";
/// The header of a dead letter with the reason.
pub(super) const DEAD_REASON: &str = "Foo-Reason";
/// The header of a dead letter with the number of deliveries.
pub(super) const DEAD_DELIVERIES: &str = "Foo-Deliveries";

/// Encodes a message for the server.
pub(super) fn encode(job: Job) -> Vec<u8> {
    let message = v1::Message {
        id: job.id.into(),
        payload: job.payload.into(),
        service_demand: job.demand.map(to_wire),
    };
    message.encode_to_vec()
}

/// Decodes a message from the server, which has had it since `published`, in nanoseconds since 1970. `None` if it is none of ours.
pub(super) fn decode(bytes: &[u8], published: i128) -> Option<Job> {
    let message = v1::Message::decode(bytes).ok()?;
    Some(Job {
        id: message.id.into_boxed_str(),
        payload: message.payload.into_boxed_slice(),
        demand: message.service_demand.and_then(from_wire),
        since: since(published),
    })
}

/// The instant that was `published` by the server's clock. This compares the clocks of two machines, so a time in the future
/// counts as now.
fn since(published: i128) -> Instant {
    let now = Instant::now();
    now.checked_sub(age(published)).unwrap_or(now)
}

/// The time since `published`, by this machine's clock; zero if that is in the future.
pub(super) fn age(published: i128) -> Duration {
    let clock = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let clock = i128::try_from(clock.as_nanos()).unwrap_or(i128::MAX);
    u64::try_from(clock.saturating_sub(published)).map_or(Duration::ZERO, Duration::from_nanos)
}

/// Converts an id to letters and digits. Different ids give different texts.
pub(super) fn token(id: &str) -> String {
    id.bytes().fold(String::with_capacity(2 * id.len()), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string takes everything");
        text
    })
}

/// Encodes a completion for the server.
pub(super) fn encode_end(completion: &Completion) -> Vec<u8> {
    let end = v1::Completion {
        id: String::from(&*completion.id),
        queue_wait: Some(to_wire(completion.queue_wait)),
        service_time: completion.service_time.map(to_wire),
        outcome: v1::JobOutcome::from(completion.outcome).into(),
        deliveries: completion.deliveries,
    };
    end.encode_to_vec()
}

/// Decodes a completion from the server. `None` if it is none of ours, or from a later version.
pub(super) fn decode_end(bytes: &[u8]) -> Option<Completion> {
    let end = v1::Completion::decode(bytes).ok()?;
    let outcome = JobOutcome::ALL
        .into_iter()
        .find(|outcome| v1::JobOutcome::from(*outcome) == end.outcome())?;
    Some(Completion {
        id: end.id.into_boxed_str(),
        queue_wait: end.queue_wait.and_then(from_wire).unwrap_or_default(),
        service_time: end.service_time.and_then(from_wire),
        outcome,
        deliveries: end.deliveries,
    })
}

fn to_wire(duration: Duration) -> foo_proto::Duration {
    duration
        .try_into()
        .expect("durations measured here are far below 10,000 years")
}

fn from_wire(duration: foo_proto::Duration) -> Option<Duration> {
    let seconds = u64::try_from(duration.seconds).ok()?;
    let nanos = u32::try_from(duration.nanos)
        .ok()
        .filter(|nanos| *nanos < 1_000_000_000)?;
    Some(Duration::new(seconds, nanos))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_message_comes_back_as_it_was_sent(id in ".{1,40}", payload: Vec<u8>, demand in proptest::option::of(0..4_000_000_000_u64)) {
            let job = Job {
                id: id.clone().into(),
                payload: payload.clone().into(),
                demand: demand.map(Duration::from_micros),
                since: Instant::now(),
            };
            let back = decode(&encode(job), 0).unwrap();
            prop_assert_eq!((&*back.id, &*back.payload, back.demand), (&*id, &*payload, demand.map(Duration::from_micros)));
        }

        #[test]
        fn foreign_bytes_are_read_or_refused(bytes: Vec<u8>, published: i64) {
            let _ = decode(&bytes, published.into());
            let _ = decode_end(&bytes);
        }

        #[test]
        fn different_ids_have_different_tokens_of_plain_letters(one in ".{0,20}", other in ".{0,20}") {
            prop_assert_eq!(one == other, token(&one) == token(&other));
            prop_assert!(token(&one).bytes().all(|byte| byte.is_ascii_alphanumeric()));
        }
    }

    #[test]
    fn an_end_comes_back_as_it_was_sent() {
        for outcome in JobOutcome::ALL {
            let end = Completion {
                id: "run/1".into(),
                queue_wait: Duration::from_millis(5),
                service_time: Some(Duration::from_millis(7)),
                outcome,
                deliveries: Some(2),
            };
            assert_eq!(decode_end(&encode_end(&end)), Some(end));
        }
    }
}
