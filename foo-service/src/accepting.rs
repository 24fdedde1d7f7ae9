//! What is known of accepting connections: how many fit into the process's limit on file descriptors, and what keeps more from
//! being accepted. A limit that is too small is found at the start; running out is logged at a bounded rate and shows in
//! readiness.

use std::{
    io,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use tokio::time::Instant;

/// Descriptors for everything but callers' connections: the admin port's 32 connections, listeners, runtimes, log, files of
/// certificates while they are read (24 are more than were counted: 15).
const RESERVE: u64 = 56;
/// A condition that goes on is logged no more often than this (arbitrary).
const LOG_EVERY: Duration = Duration::from_secs(10);

/// Whether connections can be accepted, and why not.
#[derive(Debug)]
pub struct Accepting {
    places: u32,
    /// The limit on descriptors, if that is what bounds the places.
    limited_to: Option<u64>,
    full: AtomicBool,
    failing: AtomicBool,
    refused: AtomicU64,
    failures: AtomicU64,
    refusals_log: Mutex<Throttle>,
    failures_log: Mutex<Throttle>,
}

impl Accepting {
    /// Room for `places` connections. The limit of the process on descriptors is not looked at.
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

    /// Room for so many connections, or for as many as the process's limit on descriptors allows. The soft limit is raised as
    /// far as needed and allowed.
    pub fn within_process(places: u32) -> Self {
        let needed = u64::from(places) + RESERVE;
        match raise_limit(needed) {
            Some(limit) if limit < needed => {
                // With a very small limit, the admin port gives way on its own.
                let fit = limit.saturating_sub(RESERVE).max(limit / 4).max(1);
                Self {
                    limited_to: Some(limit),
                    ..Self::unlimited(places.min(u32::try_from(fit).unwrap_or(u32::MAX)))
                }
            }
            _ => Self::unlimited(places),
        }
    }

    /// Connections that may be open at once.
    pub fn places(&self) -> u32 {
        self.places
    }

    /// What an operator should know at the start: that fewer connections fit than were asked for.
    pub fn warning(&self, asked_for: u32) -> Option<String> {
        let limit = self.limited_to?;
        Some(format!(
            "the limit of {limit} file descriptors allows {} connections, not the {asked_for} of --max-connections: raise the \
             limit to {} (ulimit -n, LimitNOFILE= of systemd), or lower --max-connections",
            self.places,
            u64::from(asked_for) + RESERVE
        ))
    }

    /// Why no more connections can be accepted for want of descriptors; `None` if they can.
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

    /// Whether the last attempt to accept failed.
    pub(crate) fn is_failing(&self) -> bool {
        self.failing.load(Relaxed)
    }

    /// Connections that were closed as they came.
    pub fn refused(&self) -> u64 {
        self.refused.load(Relaxed)
    }

    /// Attempts to accept that failed for want of descriptors or memory.
    pub fn failures(&self) -> u64 {
        self.failures.load(Relaxed)
    }

    /// A connection was closed as it came: all places were taken.
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

    /// A place is free again.
    pub(crate) fn freed(&self) {
        if self.limited_to.is_some() {
            self.full.store(false, Relaxed);
        }
    }

    /// Accepting failed; more attempts follow.
    pub(crate) fn failed(&self, error: &io::Error) {
        self.failures.fetch_add(1, Relaxed);
        self.failing.store(true, Relaxed);
        if let Some(count) = self.due(&self.failures_log) {
            tracing::warn!(count, %error, "connections cannot be accepted; they wait until file descriptors are free");
        }
    }

    /// Accepting does not fail, or not any more.
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

/// The first time at once, then a count each ten seconds.
#[derive(Debug, Default)]
struct Throttle {
    last: Option<Instant>,
    since: u64,
}

impl Throttle {
    /// Counts one more; what there is to tell, if it is time to.
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

/// Raises the soft limit on descriptors to what is needed, as far as the hard limit allows. The limit that there is then; `None`
/// if there is none.
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
        let mut told = Vec::new();
        for _ in 0..250 {
            told.extend(throttle.count(Instant::now()));
            tokio::time::advance(Duration::from_millis(100)).await;
        }
        assert_eq!(told, [1, 100, 100]);
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
