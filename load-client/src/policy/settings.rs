//! The settings of the policies, as the flags give them: pure data.

use std::{fmt, time::Duration};

use super::backoff::Backoff;
use crate::outcome::Outcome;

/// What the clients of a run do about failures. By default they do nothing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PolicySettings {
    /// The most attempts of a request beyond its first.
    pub retries: u32,
    /// The outcomes after which a request is tried again.
    pub retry_on: RetryOn,
    /// The pauses between attempts; `None`: no pause.
    pub backoff: Option<Backoff>,
    /// The retry budget of each target; `None`: no such bound.
    pub budget: Option<BudgetSettings>,
    /// The clients obey the service's pushback.
    pub honor_pushback: bool,
    /// How the clients hold their own requests back; `None`: they do not.
    pub throttle: Option<ThrottleSettings>,
    /// How long after the first attempt a second one is sent; `None`: requests are not hedged.
    pub hedge: Option<Duration>,
    /// The deadline of each attempt, within that of the request; `None`: only that of the request.
    pub attempt_timeout: Option<Duration>,
}

impl Default for PolicySettings {
    fn default() -> Self {
        Self {
            retries: 0,
            retry_on: RetryOn::default(),
            backoff: None,
            budget: None,
            honor_pushback: true,
            throttle: None,
            hedge: None,
            attempt_timeout: None,
        }
    }
}

impl PolicySettings {
    /// Whether the clients send each request once and do nothing else about it.
    pub fn is_none(&self) -> bool {
        self.retries == 0 && self.throttle.is_none() && self.hedge.is_none() && self.attempt_timeout.is_none()
    }

    /// Whether the clients have to read the pushback in the service's answers.
    pub fn reads_pushback(&self) -> bool {
        self.retries > 0 && self.honor_pushback
    }
}

impl fmt::Display for PolicySettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = humantime::format_duration;
        let mut parts = Vec::new();
        if self.retries > 0 {
            let on: Vec<&str> = Outcome::ALL
                .into_iter()
                .filter(|outcome| self.retry_on.contains(*outcome))
                .map(Outcome::label)
                .collect();
            let times = if self.retries == 1 { "retry" } else { "retries" };
            parts.push(format!("{} {times} after {}", self.retries, on.join(" or ")));
            parts.push(match self.backoff {
                Some(backoff) => format!("pauses of up to {} to {}", time(backoff.first), time(backoff.longest)),
                None => "no pauses".to_owned(),
            });
            if let Some(budget) = self.budget {
                parts.push(format!("budget {} % of {}", budget.ratio * 100.0, budget.most));
            }
            let pushback = if self.honor_pushback { "honored" } else { "ignored" };
            parts.push(format!("pushback {pushback}"));
        }
        if let Some(throttle) = self.throttle {
            let rule = match throttle.kind {
                ThrottleKind::Adaptive => "adaptive",
                ThrottleKind::Book => "book",
            };
            parts.push(format!("throttle {rule} over {}", time(throttle.window)));
        }
        if let Some(hedge) = self.hedge {
            parts.push(format!("a hedge after {}", time(hedge)));
        }
        if let Some(attempt) = self.attempt_timeout {
            parts.push(format!("{} per attempt", time(attempt)));
        }
        f.write_str(&parts.join(", "))
    }
}

/// Outcomes after which a request is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryOn([bool; Outcome::ALL.len()]);

impl RetryOn {
    /// A set of these outcomes.
    pub fn of(outcomes: &[Outcome]) -> Self {
        Self(Outcome::ALL.map(|outcome| outcomes.contains(&outcome)))
    }

    /// Whether a request is tried again after `outcome`.
    pub fn contains(self, outcome: Outcome) -> bool {
        self.0[outcome as usize]
    }
}

impl Default for RetryOn {
    /// The service was not there (`Unavailable`), or it did not process the request (`Rejected`).
    fn default() -> Self {
        Self::of(&[Outcome::Unavailable, Outcome::Rejected])
    }
}

/// The size of the bucket of the retry budget, and how fast it fills.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BudgetSettings {
    /// Tokens that an ok answer gives back. In the long term, the client retries at most this often per ok answer.
    pub ratio: f64,
    /// Tokens in a full bucket.
    pub most: f64,
}

/// How a client holds its own requests back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ThrottleSettings {
    /// The rule that decides.
    pub kind: ThrottleKind,
    /// The time over which the rule counts requests.
    pub window: Duration,
}

/// The rules by which a client holds its requests back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ThrottleKind {
    /// The formula of the book *Site Reliability Engineering*, but at least one request is sent per second.
    Adaptive,
    /// The formula of the book, unchanged.
    Book,
}
