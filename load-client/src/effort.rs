//! The effort of the load client itself: its processor time, and its waits for a stream on its connections. With these a
//! report can tell whether its figures come from the service or from the load client.

use std::time::Duration;

use tokio::time::Instant;

/// Requests that had to wait for a stream, because the server limits how many are open on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StreamWaits {
    /// How many requests had to wait.
    pub count: u64,
    /// The sum of all waits.
    pub total: Duration,
    /// The longest single wait.
    pub max: Duration,
}

/// What sending cost the load client.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Effort {
    /// The share of a core that the busiest sending thread used during the load. `None` if there are no sending
    /// threads, or if the system does not report their processor time.
    pub cpu_share: Option<f64>,
    /// Waits for a stream on all connections.
    pub stream_waits: StreamWaits,
}

impl StreamWaits {
    /// Adds one wait.
    pub fn add(&mut self, wait: Duration) {
        self.merge(&Self {
            count: 1,
            total: wait,
            max: wait,
        });
    }

    /// Adds the waits of another connection.
    pub fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.total += other.total;
        self.max = self.max.max(other.max);
    }
}

impl Effort {
    /// Adds the effort of another shard: the waits are summed, and the busiest thread counts.
    pub fn merge(&mut self, other: &Self) {
        self.cpu_share = match (self.cpu_share, other.cpu_share) {
            (Some(mine), Some(theirs)) => Some(mine.max(theirs)),
            (mine, theirs) => mine.or(theirs),
        };
        self.stream_waits.merge(&other.stream_waits);
    }
}

/// The shortest time over which a share of a core is reported (arbitrary: a hundred ticks of the timers). A thread that
/// has nothing to send ends sooner, and has used its time only to start.
const SHORTEST: Duration = Duration::from_millis(100);

/// Reads the processor time of the thread that it was made on.
#[derive(Debug, Clone, Copy)]
pub struct CpuClock {
    from: Option<Duration>,
    since: Instant,
}

impl CpuClock {
    /// Starts counting now, for the calling thread.
    pub fn start() -> Self {
        Self {
            from: thread_time(),
            since: Instant::now(),
        }
    }

    /// The share of a core that this thread has used since [`CpuClock::start`]. `None` if the system does not report
    /// processor time, or if less than 100 ms have passed.
    pub fn share(&self) -> Option<f64> {
        let elapsed = self.since.elapsed();
        let used = thread_time()?.checked_sub(self.from?)?;
        (elapsed >= SHORTEST).then(|| used.as_secs_f64() / elapsed.as_secs_f64())
    }
}

#[cfg(unix)]
fn thread_time() -> Option<Duration> {
    rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime)
        .try_into()
        .ok()
}

#[cfg(not(unix))]
fn thread_time() -> Option<Duration> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_works_uses_processor_time_and_one_that_sleeps_does_not() {
        let asleep = CpuClock::start();
        std::thread::sleep(Duration::from_millis(200));
        assert!(asleep.share().unwrap() < 0.2);
        let busy = CpuClock::start();
        let mut number = 0_u64;
        while busy.since.elapsed() < SHORTEST {
            number = std::hint::black_box(number + 1);
        }
        let share = busy.share().unwrap();
        assert!(share > 0.0 && share < 1.1, "{share}");
    }

    #[test]
    fn over_too_little_time_a_share_says_nothing() {
        assert_eq!(CpuClock::start().share(), None);
    }

    #[test]
    fn the_busiest_thread_counts_and_all_waits_do() {
        let effort = |cpu_share, wait| Effort {
            cpu_share,
            stream_waits: StreamWaits {
                count: 2,
                total: wait,
                max: wait,
            },
        };
        let mut all = effort(Some(0.2), Duration::from_secs(1));
        all.merge(&effort(Some(0.7), Duration::from_secs(3)));
        all.merge(&effort(None, Duration::ZERO));
        assert_eq!(all.cpu_share, Some(0.7));
        assert_eq!((all.stream_waits.count, all.stream_waits.total.as_secs()), (6, 4));
        assert_eq!(all.stream_waits.max, Duration::from_secs(3));
    }
}
