//! Decides whether a request gets another attempt, and when.

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

use super::{
    attempt::{After, AttemptEnd, Policy, Why},
    backoff::Backoff,
    pushback::Pushback,
    settings::RetryOn,
};

/// Retries, each after a pause.
#[derive(Debug)]
pub(super) struct Retries {
    /// The most attempts beyond the first.
    pub(super) most: u32,
    pub(super) on: RetryOn,
    /// The pauses before retries; `None`: each retry is sent at once.
    pub(super) backoff: Option<Backoff>,
    /// The client obeys the service's pushback.
    pub(super) honor_pushback: bool,
    pub(super) random: Pcg64Mcg,
}

impl Retries {
    pub(super) fn random(seed: u64) -> Pcg64Mcg {
        Pcg64Mcg::seed_from_u64(seed)
    }
}

impl Policy for Retries {
    fn after(&mut self, end: &AttemptEnd, _next: After) -> After {
        if !self.on.contains(end.outcome) {
            return After::Done(Why::Ended);
        }
        if end.attempts > self.most {
            return After::Done(if self.most == 0 { Why::Ended } else { Why::Exhausted });
        }
        let (pause, by_service) = match end.pushback.filter(|_| self.honor_pushback) {
            Some(Pushback::Never) => return After::Done(Why::Pushback),
            Some(Pushback::After(pause)) => (pause, true),
            None => {
                let pause = self.backoff.map(|backoff| {
                    let draw = self.random.random::<f64>();
                    backoff.pause(end.since_pushback, draw)
                });
                (pause.unwrap_or_default(), false)
            }
        };
        let at = end.at + pause;
        if at >= end.deadline {
            return After::Done(Why::Late);
        }
        After::Again { at, by_service }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::outcome::Outcome;

    const SECOND: Duration = Duration::from_secs(1);

    fn retries(backoff: Option<Backoff>, honor_pushback: bool) -> Retries {
        Retries {
            most: 2,
            on: RetryOn::default(),
            backoff,
            honor_pushback,
            random: Retries::random(1),
        }
    }

    fn end(outcome: Outcome, attempts: u32, pushback: Option<Pushback>) -> AttemptEnd {
        AttemptEnd {
            at: SECOND,
            outcome,
            pushback,
            attempts,
            since_pushback: attempts,
            deadline: 10 * SECOND,
        }
    }

    fn after(retries: &mut Retries, end: AttemptEnd) -> After {
        retries.after(&end, After::Done(Why::Ended))
    }

    #[test]
    fn a_request_is_tried_again_at_once_until_its_attempts_are_used_up() {
        let mut naive = retries(None, true);
        let at_once = After::Again {
            at: SECOND,
            by_service: false,
        };
        assert_eq!(after(&mut naive, end(Outcome::Unavailable, 1, None)), at_once);
        assert_eq!(after(&mut naive, end(Outcome::Rejected, 2, None)), at_once);
        let last = after(&mut naive, end(Outcome::Rejected, 3, None));
        assert_eq!(last, After::Done(Why::Exhausted));
        for outcome in [Outcome::Ok, Outcome::Failed, Outcome::Expired] {
            let done = after(&mut naive, end(outcome, 1, None));
            assert_eq!(done, After::Done(Why::Ended), "{outcome:?}");
        }
    }

    #[test]
    fn the_word_of_the_service_counts_if_it_is_honored() {
        let pushed = |pushback| end(Outcome::Rejected, 1, Some(pushback));
        let later = Pushback::After(Duration::from_millis(200));
        let mut polite = retries(None, true);
        let at = SECOND + Duration::from_millis(200);
        assert_eq!(after(&mut polite, pushed(later)), After::Again { at, by_service: true });
        assert_eq!(after(&mut polite, pushed(Pushback::Never)), After::Done(Why::Pushback));
        // No attempt begins after the deadline.
        let too_late = Pushback::After(9 * SECOND);
        assert_eq!(after(&mut polite, pushed(too_late)), After::Done(Why::Late));
        let mut rude = retries(None, false);
        for pushback in [later, Pushback::Never] {
            let again = After::Again {
                at: SECOND,
                by_service: false,
            };
            assert_eq!(after(&mut rude, pushed(pushback)), again);
        }
    }

    #[test]
    fn the_pauses_are_random_within_their_bounds_and_the_same_for_the_same_seed() {
        let backoff = Some(Backoff {
            first: Duration::from_millis(100),
            longest: SECOND,
        });
        let pauses = || -> Vec<Duration> {
            let mut retries = retries(backoff, true);
            let one = |_| match after(&mut retries, end(Outcome::Unavailable, 2, None)) {
                After::Again { at, by_service: false } => at.saturating_sub(SECOND),
                other => panic!("{other:?}"),
            };
            (0..100).map(one).collect()
        };
        let drawn = pauses();
        assert_eq!(drawn, pauses());
        assert!(drawn.iter().all(|pause| *pause < Duration::from_millis(200)));
        let mean = drawn.iter().sum::<Duration>() / 100;
        assert!((80..120).contains(&mean.as_millis()), "{mean:?}");
    }
}
