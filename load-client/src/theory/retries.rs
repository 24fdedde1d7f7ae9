//! The load that retries add.

/// Attempts per request on average, if each attempt fails with chance `failure` and at most `most` attempts are made:
/// (1 − f^m) / (1 − f).
pub fn attempts_per_request(failure: f64, most: u32) -> f64 {
    (0..most).map(|before| failure.powi(before.cast_signed())).sum()
}

/// Whether a service that has collapsed stays collapsed: every attempt fails, so each request makes `most` attempts, and
/// their rate is above the capacity. All rates are per second.
pub fn is_locked(arrivals: f64, most: f64, capacity: f64) -> bool {
    arrivals * most > capacity
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::theory::close;

    #[test]
    fn attempts_are_a_geometric_sum() {
        close(attempts_per_request(0.5, 4), 1.875, 1e-12);
        close(attempts_per_request(1.0, 4), 4.0, 1e-12);
        close(attempts_per_request(0.0, 4), 1.0, 1e-12);
        close(attempts_per_request(0.3, 4), (1.0 - 0.3_f64.powi(4)) / 0.7, 1e-12);
    }

    #[test]
    fn three_retries_at_seven_tenths_lock_a_service_in_and_a_budget_of_a_tenth_does_not() {
        assert!(is_locked(70.0, 4.0, 100.0));
        assert!(!is_locked(70.0, 1.1, 100.0));
    }
}
