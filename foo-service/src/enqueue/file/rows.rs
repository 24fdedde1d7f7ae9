//! The tables in the file of a durable queue, and the conversion of messages and outcomes to and from their rows.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use redb::TableDefinition;
use tokio::time::Instant;

use crate::{
    enqueue::Completion,
    job::{Job, JobOutcome},
};

/// The version of the tables below. A file with another version is refused.
pub(super) const FORMAT: u64 = 1;

/// Single numbers by name: format, queue id, positions.
pub(super) const HEAD: TableDefinition<&str, u64> = TableDefinition::new("head");
/// Messages that have not ended, by their numbers. Numbers are given in the order of arrival.
pub(super) const MESSAGES: TableDefinition<u64, MessageRow> = TableDefinition::new("messages");
/// Arrival (milliseconds since 1970) and id of recent messages, by the numbers of the messages, to recognise repeats.
pub(super) const IDS: TableDefinition<u64, (u64, &str)> = TableDefinition::new("ids");
/// Outcomes of messages, by their positions in the log of completions.
pub(super) const ENDS: TableDefinition<u64, EndRow> = TableDefinition::new("ends");

/// Arrival (milliseconds since 1970), demand (nanoseconds plus 1; 0: none), id, payload.
pub(super) type MessageRow = (u64, u64, &'static str, &'static [u8]);
/// Id, outcome, queue wait (nanoseconds), service time (nanoseconds plus 1; 0: none).
pub(super) type EndRow = (&'static str, &'static str, u64, u64);

/// The system's time, in milliseconds since 1970.
///
/// Not tokio's clock, because a message can be older than the process.
pub(super) fn wall_clock() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX - 1)
}

fn optional(duration: Option<Duration>) -> u64 {
    duration.map_or(0, |duration| nanos(duration).saturating_add(1))
}

fn read_optional(stored: u64) -> Option<Duration> {
    Some(Duration::from_nanos(stored.checked_sub(1)?))
}

/// Makes the row of a message that arrives at `now`, in milliseconds since 1970.
pub(super) fn message_row(job: &Job, now: u64) -> (u64, u64, &str, &[u8]) {
    (now, optional(job.demand), &job.id, &job.payload)
}

/// Reads a message from its row. Its queue wait began when it arrived, by the system's clock.
pub(super) fn message((arrival, demand, id, payload): (u64, u64, &str, &[u8])) -> Job {
    let (now, age) = (
        Instant::now(),
        Duration::from_millis(wall_clock().saturating_sub(arrival)),
    );
    Job {
        id: id.into(),
        payload: payload.into(),
        demand: read_optional(demand),
        since: now.checked_sub(age).unwrap_or(now),
    }
}

/// Makes the row of an outcome.
pub(super) fn end_row(completion: &Completion) -> (&str, &'static str, u64, u64) {
    (
        &completion.id,
        completion.outcome.label(),
        nanos(completion.queue_wait),
        optional(completion.service_time),
    )
}

/// Reads an outcome from its row. An unknown outcome counts as failed.
pub(super) fn end((id, outcome, queue_wait, service_time): (&str, &str, u64, u64)) -> Completion {
    let known = JobOutcome::ALL.into_iter().find(|known| known.label() == outcome);
    Completion {
        id: id.into(),
        queue_wait: Duration::from_nanos(queue_wait),
        service_time: read_optional(service_time),
        outcome: known.unwrap_or(JobOutcome::Failed),
        deliveries: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_is_read_is_what_was_written() {
        for demand in [None, Some(Duration::ZERO), Some(Duration::from_millis(20))] {
            let job = Job {
                id: "id".into(),
                payload: b"payload".as_slice().into(),
                demand,
                since: Instant::now(),
            };
            let read = message(message_row(&job, wall_clock()));
            assert_eq!((&read.id, &read.payload, read.demand), (&job.id, &job.payload, demand));
        }
        for (outcome, service_time) in JobOutcome::ALL
            .into_iter()
            .zip([None, Some(Duration::ZERO)].into_iter().cycle())
        {
            let completion = Completion {
                id: "id".into(),
                queue_wait: Duration::from_secs(3),
                service_time,
                outcome,
                deliveries: None,
            };
            assert_eq!(end(end_row(&completion)), completion);
        }
    }
}
