//! The class of urgency of each request of a client.

use std::sync::Arc;

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

use crate::scenario::Priorities;

/// Keeps the seeds of the classes distinct from the seeds of the request times: those add only the client's index,
/// which is less.
const APART: u64 = 1 << 32;

/// Draws a class for each request of one client, from a sequence of its own: the times of requests do not depend on it.
#[derive(Debug)]
pub(super) struct Classes {
    priorities: Arc<Priorities>,
    random: Pcg64Mcg,
}

impl Classes {
    /// The classes of client `index`, from 0.
    pub(super) fn new(priorities: Arc<Priorities>, seed: u64, index: u32) -> Self {
        let seed = seed
            .wrapping_mul(0x9E37_79B9_7F4A_7C15)
            .wrapping_add(u64::from(index) | APART);
        Self {
            priorities,
            random: Pcg64Mcg::seed_from_u64(seed),
        }
    }

    /// Draws the class of the next request: its index in the scenario's list of classes.
    pub(super) fn draw(&mut self) -> u8 {
        self.priorities.place(self.random.random())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::ClassShare;

    #[test]
    fn classes_have_their_shares_and_the_same_seed_draws_the_same_ones() {
        let shares = [(0, 0.2), (3, 0.8)].map(|(urgency, share)| ClassShare { urgency, share });
        let priorities = Arc::new(Priorities::new(shares.into()));
        let drawn = |seed, index| {
            let mut classes = Classes::new(Arc::clone(&priorities), seed, index);
            (0..10_000).map(|_| classes.draw()).collect::<Vec<u8>>()
        };
        let first = drawn(1, 0);
        assert_eq!(first, drawn(1, 0));
        assert!(first != drawn(1, 1) && first != drawn(2, 0));
        // Classes are numbered in the order of the list: 0 is urgency 0, 1 is urgency 3.
        let others: usize = first.iter().map(|class| usize::from(*class)).sum();
        let urgent = 10_000 - others;
        // The bound is five standard deviations of the number of urgent requests among 10,000.
        assert!(urgent.abs_diff(2000) < 5 * 40, "{urgent}");
    }
}
