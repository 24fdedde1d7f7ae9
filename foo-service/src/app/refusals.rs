//! A line a minute in the log, for as long as the service rejects requests: overload is seen without looking at metrics, and a
//! line per rejected request would be one more load.

use std::{sync::Arc, time::Duration};

use tokio::time::{Instant, sleep};

use crate::{
    accepting::Accepting,
    job::{Door, JobOutcome, RequestOutcome},
    ledger::Ledger,
};

/// How often there is a line.
const EVERY: Duration = Duration::from_secs(60);

/// Tells of rejected requests, since the last time it was asked.
#[derive(Debug)]
pub struct Refusals {
    ledger: Arc<Ledger>,
    accepting: Arc<Accepting>,
    told: Counts,
    since: Instant,
}

#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    queue_full: u64,
    line_full: u64,
    draining: u64,
    invalid: u64,
    dropped: u64,
    connections: u64,
}

impl Refusals {
    /// From now on.
    pub fn new(ledger: Arc<Ledger>, accepting: Arc<Accepting>) -> Self {
        let mut new = Self {
            ledger,
            accepting,
            told: Counts::default(),
            since: Instant::now(),
        };
        new.told = new.now();
        new
    }

    /// Logs a line for each minute in which something was rejected. Never ends; cancel-safe.
    pub async fn tell_each_minute(&mut self) {
        loop {
            sleep(EVERY.saturating_sub(self.since.elapsed())).await;
            self.tell();
        }
    }

    /// Logs what was rejected since the last line, if anything was.
    pub fn tell(&mut self) {
        let (now, before) = (self.now(), self.told);
        let period = self.since.elapsed();
        self.told = now;
        self.since = Instant::now();
        let new = |count: fn(&Counts) -> u64| count(&now).saturating_sub(count(&before));
        let reasons = [
            (new(|counts| counts.queue_full), "because the queue was full"),
            (
                new(|counts| counts.line_full),
                "because the waiting line of Process was full",
            ),
            (new(|counts| counts.draining), "because the service is draining"),
            (new(|counts| counts.invalid), "because they were not valid"),
        ];
        let rejected: u64 = reasons.iter().map(|(count, _)| count).sum();
        let others = [
            (new(|counts| counts.dropped), "queued messages dropped for newer ones"),
            (new(|counts| counts.connections), "connections closed as they came"),
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

    fn now(&self) -> Counts {
        let requests = |outcome| Door::ALL.map(|door| self.ledger.requests(door, outcome));
        let [queue_full, line_full] = requests(RequestOutcome::Rejected);
        Counts {
            queue_full,
            line_full,
            draining: requests(RequestOutcome::Unavailable).iter().sum(),
            invalid: requests(RequestOutcome::Invalid).iter().sum(),
            dropped: self.ledger.ended(JobOutcome::Dropped),
            connections: self.accepting.refused(),
        }
    }
}

/// With a comma between each three digits.
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
        let reject = |door, outcome, count| {
            for _ in 0..count {
                ledger.call(door).finish(outcome);
            }
        };
        let a_minute = async |refusals: &mut Refusals| {
            let _ = tokio::time::timeout(Duration::from_millis(60_500), refusals.tell_each_minute()).await;
            lines.take()
        };

        reject(Door::Process, RequestOutcome::Rejected, 1412);
        reject(Door::Enqueue, RequestOutcome::Rejected, 7000);
        reject(Door::Enqueue, RequestOutcome::Ok, 5);
        accepting.refuse();
        let line = a_minute(&mut refusals).await;
        let expected = "rejected 8,412 requests in the last minute: 7,000 because the queue was full, 1,412 because the waiting \
                        line of Process was full, 1 connections closed as they came\n";
        assert!(line.contains(expected) && line.lines().count() == 1, "{line}");

        assert_eq!(a_minute(&mut refusals).await, "");
        tokio::time::advance(Duration::from_secs(20)).await;
        reject(Door::Process, RequestOutcome::Invalid, 1);
        refusals.tell();
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
