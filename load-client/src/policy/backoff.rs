//! How long a client waits before it tries again: exponential, with full jitter (M. Brooker, *Exponential backoff and
//! jitter*, AWS 2015): a random time up to min(longest, first × 2ⁿ⁻¹) before retry n.

use std::time::Duration;

/// The lengths of the pauses before retries: random, up to a bound that grows with each attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// The longest pause before the first retry.
    pub first: Duration,
    /// The bound of every pause.
    pub longest: Duration,
}

impl Backoff {
    /// The pause before retry number `retry`, which counts from 1. `draw` is from 0 to below 1.
    pub fn pause(self, retry: u32, draw: f64) -> Duration {
        let factor = 2_u32.checked_pow(retry.saturating_sub(1)).unwrap_or(u32::MAX);
        let most = self.first.checked_mul(factor).unwrap_or(self.longest).min(self.longest);
        most.mul_f64(draw)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_pause_doubles_up_to_its_bound() {
        let backoff = Backoff {
            first: Duration::from_millis(50),
            longest: Duration::from_secs(1),
        };
        let longest: Vec<u64> = [1, 2, 3, 4, 5, 6, 7, 40, 400]
            .map(|retry| backoff.pause(retry, 0.999_999_9).as_millis().try_into().unwrap())
            .into();
        assert_eq!(longest, [49, 99, 199, 399, 799, 999, 999, 999, 999]);
        assert_eq!(backoff.pause(3, 0.0), Duration::ZERO);
        assert_eq!(backoff.pause(3, 0.5), Duration::from_millis(100));
    }
}
