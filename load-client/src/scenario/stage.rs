//! A stage of a load: a rate that is held, or a ramp from one rate to another.

use std::time::Duration;

/// A rate that is held for a while, or that changes linearly.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stage {
    /// The duration of the stage.
    pub length: Duration,
    /// Requests per second of all clients together, at the beginning of the stage.
    pub rps: f64,
    /// Requests per second at the end of the stage. If it differs from `rps`, the rate changes linearly.
    pub end_rps: f64,
}

impl Stage {
    /// A stage that holds one rate.
    pub fn steady(length: Duration, rps: f64) -> Self {
        Self {
            length,
            rps,
            end_rps: rps,
        }
    }

    /// Requests per second, on average over the stage.
    pub fn mean_rps(&self) -> f64 {
        f64::midpoint(self.rps, self.end_rps)
    }

    /// The highest rate of the stage.
    pub fn highest_rps(&self) -> f64 {
        self.rps.max(self.end_rps)
    }

    /// Whether the stage holds one rate.
    pub fn is_steady(&self) -> bool {
        self.rps.to_bits() == self.end_rps.to_bits()
    }

    /// Requests per second, at `into` after the beginning of the stage.
    pub(super) fn rate_at(&self, into: Duration) -> f64 {
        let share = into.as_secs_f64() / self.length.as_secs_f64();
        self.rps + (self.end_rps - self.rps) * share
    }

    /// Cuts the stage in two, at `into` after its beginning.
    pub(super) fn cut(self, into: Duration) -> (Self, Self) {
        let rps = self.rate_at(into);
        let before = Self {
            length: into,
            end_rps: rps,
            ..self
        };
        let after = Self {
            length: self.length.saturating_sub(into),
            rps,
            ..self
        };
        (before, after)
    }
}
