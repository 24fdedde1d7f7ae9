//! Whether connections can be accepted: how many fit into the process's limit on file descriptors, and what prevents more.
//! A limit that is too small is found at the start. When descriptors run out, that is logged at a bounded rate and `/readyz`
//! says so.

use std::{
    io,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use tokio::time::Instant;

/// Descriptors for everything except callers' connections: the admin port's 32 connections, listeners, runtimes, log, and
/// certificate files while they are read. 15 were counted without the admin port; the other 9 are a margin.
const RESERVE: u64 = 56;
/// The shortest time between two log lines about one condition that goes on (arbitrary).
const LOG_EVERY: Duration = Duration::from_secs(10);

/// How many connections may be open, and whether new ones can be accepted now.
#[derive(Debug)]
pub struct Accepting {
    places: u32,
    /// The limit on descriptors, if it is the reason why `places` is smaller than configured.
    limited_to: Option<u64>,
    full: AtomicBool,
    failing: AtomicBool,
    refused: AtomicU64,
    failures: AtomicU64,
    refusals_log: Mutex<Throttle>,
    failures_log: Mutex<Throttle>,
}

impl Accepting {
    /// Allows `places` open connections, without checking the process's limit on descriptors.
    pub fn unlimited(places: u32) -> Self {
        Self {
            places,
            limited_to: None,
            full: AtomicBool::new(false),
            failing: AtomicBool::new(false),
            refused: AtomicU64::new(0),
            failures: AtomicU64::new(0),
            refusals_log: Mutex::default(),
            failures_log: Mutex::default(),
        }
    }

    /// Allows `places` open connections, or fewer if the process's limit on descriptors is too small. Raises the soft limit as
    /// far as needed and allowed.
    pub fn within_process(places: u32) -> Self {
        let needed = u64::from(places) + RESERVE;
        match raise_limit(needed) {
            Some(limit) if limit < needed => {
                // With a very small limit, callers still get a quarter of it. The reserve is then too small for all connections of
                // the admin port.
                let fit = limit.saturating_sub(RESERVE).max(limit / 4).max(1);
                Self {
                    limited_to: Some(limit),
                    ..Self::unlimited(places.min(u32::try_from(fit).unwrap_or(u32::MAX)))
                }
            }
            _ => Self::unlimited(places),
        }
    }

    /// The number of connections that may be open at the same time.
    pub fn places(&self) -> u32 {
        self.places
    }

    /// A warning for the log at the start, if fewer connections fit than were `asked_for`.
    pub fn warning(&self, asked_for: u32) -> Option<String> {
        let limit = self.limited_to?;
        Some(format!(
            "the limit of {limit} file descriptors allows {} connections, not the {asked_for} of --max-connections: raise the \
             limit to {} (ulimit -n, LimitNOFILE= of systemd), or lower --max-connections",
            self.places,
            u64::from(asked_for) + RESERVE
        ))
    }

    /// Why no more connections can be accepted, if descriptors have run out; otherwise `None`.
    pub fn shortage(&self) -> Option<String> {
        let advice = "raise the limit (ulimit -n), or lower --max-connections";
        match self.limited_to {
            Some(limit) if self.full.load(Relaxed) => Some(format!(
                "all {} connections that the limit of {limit} file descriptors allows are open: {advice}",
                self.places
            )),
            _ if self.failing.load(Relaxed) => Some(format!("no file descriptors are left for connections: {advice}")),
            _ => None,
        }
    }

    /// True if the last attempt to accept a connection failed.
    pub(crate) fn is_failing(&self) -> bool {
        self.failing.load(Relaxed)
    }

    /// How many connections the service closed directly after accepting them, because too many were open.
    pub fn refused(&self) -> u64 {
        self.refused.load(Relaxed)
    }

    /// How many attempts to accept failed because descriptors or memory had run out.
    pub fn failures(&self) -> u64 {
        self.failures.load(Relaxed)
    }

    /// Counts a connection that was closed directly after it was accepted, because all `places` were taken.
    pub(crate) fn refuse(&self) {
        self.refused.fetch_add(1, Relaxed);
        let Some(limit) = self.limited_to else { return };
        self.full.store(true, Relaxed);
        if let Some(count) = self.due(&self.refusals_log) {
            tracing::warn!(
                count,
                limit,
                places = self.places,
                "connections are closed as they come: no file descriptors are left for them"
            );
        }
    }

    /// One of the `places` is free again.
    pub(crate) fn freed(&self) {
        if self.limited_to.is_some() {
            self.full.store(false, Relaxed);
        }
    }

    /// Counts an attempt to accept that failed. The caller tries again.
    pub(crate) fn failed(&self, error: &io::Error) {
        self.failures.fetch_add(1, Relaxed);
        self.failing.store(true, Relaxed);
        if let Some(count) = self.due(&self.failures_log) {
            tracing::warn!(count, %error, "connections cannot be accepted; they wait until file descriptors are free");
        }
    }

    /// The last attempt to accept succeeded.
    pub(crate) fn works(&self) {
        if self.failing.load(Relaxed) && self.failing.swap(false, Relaxed) {
            let count = self.failures_log.lock().unwrap_or_else(PoisonError::into_inner).rest();
            tracing::info!(count, "connections are accepted again");
        }
    }

    #[expect(clippy::unused_self, reason = "both logs belong to it")]
    fn due(&self, log: &Mutex<Throttle>) -> Option<u64> {
        log.lock().unwrap_or_else(PoisonError::into_inner).count(Instant::now())
    }
}

/// Limits log lines: the first event is logged at once, later ones as a count every ten seconds.
#[derive(Debug, Default)]
struct Throttle {
    last: Option<Instant>,
    since: u64,
}

impl Throttle {
    /// Counts an event. Returns how many events to log now, or `None` if the next log line is not due yet.
    fn count(&mut self, now: Instant) -> Option<u64> {
        self.since += 1;
        if self.last.is_some_and(|last| now.duration_since(last) < LOG_EVERY) {
            return None;
        }
        self.last = Some(now);
        Some(self.rest())
    }

    fn rest(&mut self) -> u64 {
        std::mem::take(&mut self.since)
    }
}

/// Raises the soft limit on descriptors to `needed`, as far as the hard limit allows. Returns the limit that is then in force;
/// `None` if the process has no limit.
#[cfg(unix)]
fn raise_limit(needed: u64) -> Option<u64> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let now = limit.current?;
    if now >= needed {
        return Some(now);
    }
    let wanted = limit.maximum.map_or(needed, |most| most.min(needed));
    let raised = Rlimit {
        current: Some(wanted),
        maximum: limit.maximum,
    };
    Some(if setrlimit(Resource::Nofile, raised).is_ok() {
        wanted
    } else {
        now
    })
}

#[cfg(not(unix))]
fn raise_limit(_: u64) -> Option<u64> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_goes_on_is_told_once_and_then_counted_each_ten_seconds() {
        let mut throttle = Throttle::default();
        let mut logged = Vec::new();
        for _ in 0..250 {
            logged.extend(throttle.count(Instant::now()));
            tokio::time::advance(Duration::from_millis(100)).await;
        }
        assert_eq!(logged, [1, 100, 100]);
        assert_eq!(throttle.rest(), 49);
    }

    #[tokio::test(start_paused = true)]
    async fn a_shortage_lasts_until_accepting_works_or_a_place_is_free() {
        let accepting = Accepting {
            limited_to: Some(64),
            ..Accepting::unlimited(16)
        };
        assert_eq!(accepting.shortage(), None);
        accepting.refuse();
        assert!(accepting.shortage().unwrap().contains("16 connections"));
        accepting.freed();
        accepting.failed(&io::ErrorKind::Other.into());
        assert!(accepting.shortage().unwrap().contains("no file descriptors are left"));
        accepting.works();
        assert_eq!(accepting.shortage(), None);
        assert_eq!((accepting.refused(), accepting.failures()), (1, 1));
        assert!(accepting.warning(1000).unwrap().contains("1056"));
    }

    #[test]
    fn connections_over_the_configured_number_are_no_shortage() {
        let accepting = Accepting::unlimited(1);
        accepting.refuse();
        assert_eq!((accepting.shortage(), accepting.warning(1)), (None, None));
    }
}
