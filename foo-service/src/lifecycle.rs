//! Serving, leaving, draining, abandoning, closing, closed: the one state that every part of a service looks at, and the stop signal
//! that sets it going.
//!
//! Phases only move forward.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::watch;

/// What a service is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// New work is taken in.
    Serving,
    /// A stop is coming: readiness says no, new work is still taken in.
    Leaving,
    /// New work is refused, admitted work goes on.
    Draining,
    /// Time is up: admitted work is let go, and counted as abandoned.
    Abandoning,
    /// Nothing is left; streams end, then the transport stops.
    Closing,
    /// The transport has had its time: connections that peers still keep open are cut.
    Closed,
}

/// The current [`Phase`], shared by all parts of one service.
#[derive(Debug)]
pub struct Lifecycle {
    phase: watch::Sender<Phase>,
    /// Whether the phase is `Draining` or later: what every call asks, without the lock of the channel.
    draining: AtomicBool,
}

impl Default for Lifecycle {
    fn default() -> Self {
        Self {
            phase: watch::Sender::new(Phase::Serving),
            draining: AtomicBool::new(false),
        }
    }
}

impl Lifecycle {
    /// Moves on to `phase`; moving back is not possible and does nothing.
    pub fn advance(&self, phase: Phase) {
        if phase >= Phase::Draining {
            self.draining.store(true, Ordering::SeqCst);
        }
        self.phase.send_if_modified(|now| {
            let forward = phase > *now;
            if forward {
                *now = phase;
            }
            forward
        });
    }

    /// Whether new work is refused.
    pub fn draining(&self) -> bool {
        self.draining.load(Ordering::SeqCst)
    }

    /// Whether readiness says no: a stop was asked for.
    pub fn leaving(&self) -> bool {
        self.phase() > Phase::Serving
    }

    /// The phase at this instant.
    pub fn phase(&self) -> Phase {
        *self.phase.borrow()
    }

    /// Waits until `phase` has come. Cancel-safe.
    pub async fn reached(&self, phase: Phase) {
        let mut phases = self.phase.subscribe();
        // It fails only if the sender is gone, and `self` is the sender.
        let _ = phases.wait_for(|now| *now >= phase).await;
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stop {
    No,
    Drain,
    DrainWithoutDelay,
    Now,
}

/// Asks a service to stop. Dropping it asks for a drain.
#[derive(Debug)]
pub struct ShutdownTrigger(watch::Sender<Stop>);

/// What a service listens to.
#[derive(Debug, Clone)]
pub struct Shutdown(watch::Receiver<Stop>);

/// A connected pair.
pub fn shutdown() -> (ShutdownTrigger, Shutdown) {
    let (sender, receiver) = watch::channel(Stop::No);
    (ShutdownTrigger(sender), Shutdown(receiver))
}

impl ShutdownTrigger {
    /// Refuse new work, finish what was admitted, then stop.
    pub fn drain(&self) {
        self.0.send_modify(|stop| *stop = (*stop).max(Stop::Drain));
    }

    /// The same, without the delay that lets others learn of it first.
    pub fn drain_without_delay(&self) {
        self.0.send_modify(|stop| *stop = (*stop).max(Stop::DrainWithoutDelay));
    }

    /// Stop at once: what was admitted is abandoned.
    pub fn now(&self) {
        self.0.send_modify(|stop| *stop = Stop::Now);
    }
}

impl Shutdown {
    /// Waits until a stop is asked for, or the trigger is dropped.
    pub async fn requested(&mut self) {
        let _ = self.0.wait_for(|stop| *stop >= Stop::Drain).await;
    }

    /// Waits until a drain without delay is asked for; for ever, if that never happens.
    pub async fn delay_skipped(&mut self) {
        self.at_least(Stop::DrainWithoutDelay).await;
    }

    /// Waits until a stop *at once* is asked for; for ever, if that never happens.
    pub async fn hurried(&mut self) {
        self.at_least(Stop::Now).await;
    }

    async fn at_least(&mut self, least: Stop) {
        if self.0.wait_for(|stop| *stop >= least).await.is_err() && *self.0.borrow() < least {
            std::future::pending::<()>().await;
        }
    }
}
