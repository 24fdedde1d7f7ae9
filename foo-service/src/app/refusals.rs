//! Logs a line a minute while the service rejects requests. Operators then see overload without looking at metrics; a line per
//! rejected request would be additional load.

use std::{sync::Arc, time::Duration};

use tokio::time::{Instant, sleep};

use crate::{
    accepting::Accepting,
    job::{Door, JobOutcome, Reason},
    ledger::Ledger,
};

/// The time between two lines.
const EVERY: Duration = Duration::from_secs(60);

/// Logs how many requests were rejected since its last line.
#[derive(Debug)]
pub struct Refusals {
    ledger: Arc<Ledger>,
    accepting: Arc<Accepting>,
    logged: Counts,
    since: Instant,
}

#[derive(Debug, Clone, Copy)]
struct Counts {
    /// Refused calls of Enqueue and Process, by [`Reason`].
    refused: [u64; Reason::ALL.len()],
    dropped: u64,
    connections: u64,
}

/// The text for a reason; `None` if the service did not reject the call.
fn because(reason: Reason) -> Option<&'static str> {
    match reason {
        Reason::QueueFull => Some("because the queue was full"),
        Reason::QueueLineFull => Some("because the waiting line for the queue was full"),
        Reason::QueueUnavailable => Some("because the queue could not be written"),
        Reason::QueueUnsure => Some("because the queue did not confirm their messages in time"),
        Reason::OtherRole => Some("because this instance has another role"),
        Reason::LineFull => Some("because the waiting line of Process was full"),
        Reason::Displaced => Some("because newer requests took their places in the waiting line"),
        Reason::TooLate => Some("because they could not be answered before their deadlines"),
        Reason::Overload => Some("because requests waited too long"),
        Reason::Draining => Some("because the service is draining"),
        Reason::Abandoned => Some("because the drain ran out of time"),
        Reason::WorkFailed => Some("because the work on their messages failed"),
        Reason::Invalid => Some("because they were not valid"),
        // Expired or cancelled: the caller did not wait long enough. Watchers are no requests. A bug has a log line of its own.
        Reason::Expired | Reason::Cancelled | Reason::WatchersFull | Reason::Failed => None,
    }
}

impl Refusals {
    /// Starts to count: refusals before now are not logged.
    pub fn new(ledger: Arc<Ledger>, accepting: Arc<Accepting>) -> Self {
        Self {
            logged: Counts::read(&ledger, &accepting),
            ledger,
            accepting,
            since: Instant::now(),
        }
    }

    /// Logs a line for each minute in which requests were rejected. Never ends; cancel-safe.
    pub async fn log_each_minute(&mut self) {
        loop {
            sleep(EVERY.saturating_sub(self.since.elapsed())).await;
            self.log();
        }
    }

    /// Logs how many requests were rejected since the last line, if any were.
    pub fn log(&mut self) {
        let (now, before) = (Counts::read(&self.ledger, &self.accepting), self.logged);
        let period = self.since.elapsed();
        self.logged = now;
        self.since = Instant::now();
        let new = |count: &dyn Fn(&Counts) -> u64| count(&now).saturating_sub(count(&before));
        let reasons: Vec<_> = Reason::ALL
            .into_iter()
            .filter_map(|reason| Some((new(&|counts| counts.refused[reason as usize]), because(reason)?)))
            .collect();
        let rejected: u64 = reasons.iter().map(|(count, _)| count).sum();
        let others = [
            (new(&|counts| counts.dropped), "queued messages dropped for newer ones"),
            (new(&|counts| counts.connections), "connections closed as they came"),
        ];
        let parts: Vec<String> = reasons
            .iter()
            .chain(&others)
            .filter(|(count, _)| *count > 0)
            .map(|(count, what)| format!("{} {what}", grouped(*count)))
            .collect();
        if parts.is_empty() {
            return;
        }
        let period = if period >= EVERY {
            "minute".to_owned()
        } else {
            format!("{} s", period.as_secs().max(1))
        };
        tracing::warn!(
            "rejected {} requests in the last {period}: {}",
            grouped(rejected),
            parts.join(", ")
        );
    }
}

impl Counts {
    fn read(ledger: &Ledger, accepting: &Accepting) -> Self {
        Self {
            refused: Reason::ALL.map(|reason| Door::ALL.iter().map(|door| ledger.refusals(*door, reason)).sum()),
            dropped: ledger.ended(JobOutcome::Dropped),
            connections: accepting.refused(),
        }
    }
}

/// Writes a number with a comma between groups of three digits.
fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut grouped = String::new();
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use std::{
        io,
        sync::{Mutex, PoisonError},
    };

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Lines {
        fn take(&self) -> String {
            let bytes = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
            String::from_utf8(bytes).unwrap()
        }
    }

    impl io::Write for Lines {
        fn write(&mut self, line: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(line);
            Ok(line.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test(start_paused = true)]
    async fn each_minute_with_rejected_requests_has_a_line_and_no_other_has() {
        let lines = Lines::default();
        let writer = lines.clone();
        let log = tracing_subscriber::fmt()
            .with_ansi(false)
            .with_writer(move || writer.clone());
        let _log = tracing::subscriber::set_default(log.finish());
        let ledger = Arc::new(Ledger::default());
        let accepting = Arc::new(Accepting::unlimited(1));
        let mut refusals = Refusals::new(Arc::clone(&ledger), Arc::clone(&accepting));
        let end = |door: Door, end, count| {
            for _ in 0..count {
                ledger.call(door.into()).finish(end);
            }
        };
        let a_minute = async |refusals: &mut Refusals| {
            let _ = tokio::time::timeout(Duration::from_millis(60_500), refusals.log_each_minute()).await;
            lines.take()
        };

        end(Door::Process, Err(Reason::LineFull), 1412);
        end(Door::Enqueue, Err(Reason::QueueFull), 7000);
        end(Door::Enqueue, Err(Reason::Cancelled), 3);
        end(Door::Enqueue, Ok(()), 5);
        accepting.refuse();
        let line = a_minute(&mut refusals).await;
        let expected = "rejected 8,412 requests in the last minute: 7,000 because the queue was full, 1,412 because the waiting \
                        line of Process was full, 1 connections closed as they came\n";
        assert!(line.contains(expected) && line.lines().count() == 1, "{line}");

        assert_eq!(a_minute(&mut refusals).await, "");
        tokio::time::advance(Duration::from_secs(20)).await;
        end(Door::Process, Err(Reason::Invalid), 1);
        refusals.log();
        let line = lines.take();
        assert!(
            line.contains("rejected 1 requests in the last 2") && line.contains("not valid"),
            "{line}"
        );
    }

    #[test]
    fn large_numbers_can_be_read() {
        assert_eq!(
            [1, 999, 1000, 1_234_567].map(grouped),
            ["1", "999", "1,000", "1,234,567"]
        );
    }
}
