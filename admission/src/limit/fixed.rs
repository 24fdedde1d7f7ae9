//! A number that only the operator changes.

use super::algorithm::{Limit, Sample};

/// A limit that changes only by [`set`](Limit::set).
#[derive(Debug, Clone, Copy)]
pub struct Fixed(u32);

impl Fixed {
    /// A limit of `limit`; 0 counts as 1.
    pub fn new(limit: u32) -> Self {
        Self(limit.max(1))
    }
}

impl Limit for Fixed {
    fn limit(&self) -> u32 {
        self.0
    }

    fn observe(&mut self, _: &Sample) {}

    fn set(&mut self, number: u32) {
        self.0 = number.max(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_when_it_is_set_and_is_never_zero() {
        let mut limit = Fixed::new(4);
        limit.set(9);
        assert_eq!(limit.limit(), 9);
        limit.set(0);
        assert_eq!(limit.limit(), 1);
    }
}
