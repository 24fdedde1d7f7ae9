//! Serving, leaving, draining, abandoning, closing, closed: the one state that every part of a service reads, and the stop signal
//! that starts the changes.
//!
//! Phases only move forward.

use std::sync::atomic::{AtomicU8, Ordering};

use tokio::sync::{Notify, watch};

/// The stages of a service from its start to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// New work is accepted.
    Serving,
    /// A stop was asked for: `/readyz` says no, new work is still accepted.
    Leaving,
    /// New work is refused, admitted work goes on.
    Draining,
    /// The time for the drain is over: what was admitted and is not done is given up, and counted as abandoned.
    Abandoning,
    /// No admitted work is left: streams end, then the transport stops.
    Closing,
    /// The time for the transport to stop is over: connections that peers still keep open are cut.
    Closed,
}

/// The current [`Phase`], shared by all parts of one service.
#[derive(Debug)]
pub struct Lifecycle {
    phase: watch::Sender<Phase>,
    /// The same phase as a number, because every call reads it and this needs no lock.
    number: AtomicU8,
    /// Wakes the tasks of the connections at the last phase, and only then.
    closed: Notify,
}

impl Default for Lifecycle {
    fn default() -> Self {
        Self {
            phase: watch::Sender::new(Phase::Serving),
            number: AtomicU8::new(Phase::Serving as u8),
            closed: Notify::new(),
        }
    }
}

impl Lifecycle {
    /// Moves on to `phase`; moving back is not possible and does nothing.
    pub fn advance(&self, phase: Phase) {
        self.number.fetch_max(phase as u8, Ordering::SeqCst);
        self.phase.send_if_modified(|now| {
            let forward = phase > *now;
            if forward {
                *now = phase;
            }
            forward
        });
        if phase == Phase::Closed {
            self.closed.notify_waiters();
        }
    }

    /// True if new work is refused.
    pub fn draining(&self) -> bool {
        self.is_at_least(Phase::Draining)
    }

    /// True if connections that peers still keep open are cut.
    pub fn is_closed(&self) -> bool {
        self.is_at_least(Phase::Closed)
    }

    /// True if `phase` has come. Cheaper than reading [`phase`](Self::phase), which takes a lock.
    pub fn is_at_least(&self, phase: Phase) -> bool {
        self.number.load(Ordering::SeqCst) >= phase as u8
    }

    /// Waits until the phase is [`Phase::Closed`]; no other phase wakes the task. Cancel-safe.
    pub async fn closed(&self) {
        let closed = self.closed.notified();
        if !self.is_closed() {
            closed.await;
        }
    }

    /// True if a stop was asked for, so that `/readyz` says no.
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

/// The receiving side of a [`ShutdownTrigger`]: a service waits on it for a request to stop.
#[derive(Debug, Clone)]
pub struct Shutdown(watch::Receiver<Stop>);

/// Creates a trigger, and the receiver for the services that it stops.
pub fn shutdown() -> (ShutdownTrigger, Shutdown) {
    let (sender, receiver) = watch::channel(Stop::No);
    (ShutdownTrigger(sender), Shutdown(receiver))
}

impl ShutdownTrigger {
    /// Refuse new work, finish what was admitted, then stop.
    pub fn drain(&self) {
        self.0.send_modify(|stop| *stop = (*stop).max(Stop::Drain));
    }

    /// Like [`drain`](Self::drain), without the delay (`--drain-delay`) in which load balancers learn that the service is leaving.
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
