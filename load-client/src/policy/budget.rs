//! The retry budget of gRPC (gRFC A6, `retryThrottling`): a bucket of tokens per target. A failed attempt takes one token, an
//! ok answer gives a fraction back, and a client retries only while the bucket is more than half full.

use std::time::Duration;

use super::{
    attempt::{After, AttemptEnd, Policy, Why},
    pushback::Pushback,
    settings::{BudgetSettings, RetryOn},
};
use crate::outcome::Outcome;

/// The bucket of one target. It starts full.
#[derive(Debug)]
pub(super) struct Budget {
    settings: BudgetSettings,
    on: RetryOn,
    tokens: f64,
}

impl Budget {
    pub(super) fn new(settings: BudgetSettings, on: RetryOn) -> Self {
        Self {
            settings,
            on,
            tokens: settings.most,
        }
    }

    fn allows(&self) -> bool {
        self.tokens > self.settings.most / 2.0
    }
}

impl Policy for Budget {
    fn may_hedge(&mut self, _now: Duration) -> bool {
        self.allows()
    }

    fn after(&mut self, end: &AttemptEnd, next: After) -> After {
        if end.outcome == Outcome::Ok {
            self.tokens = (self.tokens + self.settings.ratio).min(self.settings.most);
        } else if self.on.contains(end.outcome) || end.pushback == Some(Pushback::Never) {
            self.tokens = (self.tokens - 1.0).max(0.0);
        }
        match next {
            After::Again { .. } if !self.allows() => After::Done(Why::Budget),
            next => next,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AGAIN: After = After::Again {
        at: Duration::ZERO,
        by_service: false,
    };

    fn end(outcome: Outcome) -> AttemptEnd {
        AttemptEnd {
            at: Duration::ZERO,
            outcome,
            pushback: None,
            attempts: 1,
            since_pushback: 1,
            deadline: Duration::MAX,
        }
    }

    #[test]
    fn half_a_bucket_of_failures_stops_the_retries_until_enough_answers_are_ok() {
        let settings = BudgetSettings { ratio: 0.5, most: 10.0 };
        let mut budget = Budget::new(settings, RetryOn::default());
        for _ in 0..4 {
            assert_eq!(budget.after(&end(Outcome::Unavailable), AGAIN), AGAIN);
        }
        // The last five tokens are not more than half of the bucket.
        let stopped = After::Done(Why::Budget);
        assert_eq!(budget.after(&end(Outcome::Unavailable), AGAIN), stopped);
        assert!(!budget.may_hedge(Duration::ZERO));
        // An outcome that is not retried takes nothing.
        budget.after(&end(Outcome::Failed), After::Done(Why::Ended));
        // Four ok answers give two tokens, and each failure takes one.
        for _ in 0..4 {
            budget.after(&end(Outcome::Ok), After::Done(Why::Ended));
        }
        assert_eq!(budget.after(&end(Outcome::Rejected), AGAIN), AGAIN);
        assert_eq!(budget.after(&end(Outcome::Rejected), AGAIN), stopped);
    }
}
