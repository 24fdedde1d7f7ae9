//! The policies of one target, applied one after the other.

use std::time::Duration;

use rand::SeedableRng;
use rand_pcg::Pcg64Mcg;

use super::{
    attempt::{After, AttemptEnd, Before, Policy, Why},
    budget::Budget,
    retries::Retries,
    settings::{PolicySettings, ThrottleKind},
    throttle::Throttle,
};

/// The policies of one target. An attempt is sent if all of them want it. After an attempt each of them sees what those
/// before it decided.
#[derive(Debug)]
pub struct Chain(Vec<Box<dyn Policy>>);

impl Chain {
    /// The policies that the settings ask for. Each target needs its own `seed`, so that targets draw different random
    /// numbers.
    pub fn new(settings: &PolicySettings, seed: u64) -> Self {
        let mut chain: Vec<Box<dyn Policy>> = vec![Box::new(Retries {
            most: settings.retries,
            on: settings.retry_on,
            backoff: settings.backoff,
            honor_pushback: settings.honor_pushback,
            random: Retries::random(seed),
        })];
        if let Some(budget) = settings.budget {
            chain.push(Box::new(Budget::new(budget, settings.retry_on)));
        }
        if let Some(throttle) = settings.throttle {
            let probes = throttle.kind == ThrottleKind::Adaptive;
            // The inverted seed, so that the throttle draws other numbers than the retries.
            let random = Pcg64Mcg::seed_from_u64(!seed);
            chain.push(Box::new(Throttle::new(throttle.window, probes, random)));
        }
        Self(chain)
    }
}

impl Policy for Chain {
    fn before(&mut self, now: Duration) -> Before {
        let gives_up = |policy: &mut Box<dyn Policy>| policy.before(now) == Before::GiveUp;
        if self.0.iter_mut().any(gives_up) {
            return Before::GiveUp;
        }
        Before::Send
    }

    fn may_hedge(&mut self, now: Duration) -> bool {
        self.0.iter_mut().all(|policy| policy.may_hedge(now))
    }

    fn after(&mut self, end: &AttemptEnd, next: After) -> After {
        self.0.iter_mut().fold(next, |next, policy| policy.after(end, next))
    }
}

impl Chain {
    /// Asks each policy in turn what follows an attempt.
    pub fn follows(&mut self, end: &AttemptEnd) -> After {
        self.after(end, After::Done(Why::Ended))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        outcome::Outcome,
        policy::{BudgetSettings, ThrottleSettings},
    };

    #[test]
    fn a_budget_stops_the_retries_and_the_throttle_hears_of_every_end() {
        let settings = PolicySettings {
            retries: 3,
            budget: Some(BudgetSettings { ratio: 0.1, most: 4.0 }),
            throttle: Some(ThrottleSettings {
                kind: ThrottleKind::Book,
                window: Duration::from_secs(60),
            }),
            ..PolicySettings::default()
        };
        let mut chain = Chain::new(&settings, 7);
        let end = |outcome| AttemptEnd {
            at: Duration::ZERO,
            outcome,
            pushback: None,
            attempts: 1,
            since_pushback: 1,
            deadline: Duration::MAX,
        };
        let ends: Vec<After> = (0..3).map(|_| chain.follows(&end(Outcome::Rejected))).collect();
        assert!(matches!(ends[0], After::Again { .. }), "{ends:?}");
        assert_eq!(ends[2], After::Done(Why::Budget));
        assert!(!chain.may_hedge(Duration::ZERO));
        let sent = (0..1000).filter(|_| chain.before(Duration::ZERO) == Before::Send);
        assert!(sent.count() < 20);
    }
}
