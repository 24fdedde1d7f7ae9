//! How a request ended: a closed set. The lowest module.
//!
//! A new outcome needs a variant here, its column in `ledger.rs`, and in `call/mod.rs` the answers that mean it. Tables,
//! pages, gates, metrics and the live view follow from these.

use strum::{EnumCount, EnumString, IntoStaticStr, VariantArray};

/// How a request that was sent ended, as its client saw it. In reports, metrics and gates it has its name in snake case.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, EnumCount, EnumString, IntoStaticStr, VariantArray,
)]
#[strum(serialize_all = "snake_case")]
pub enum Outcome {
    /// Answered with OK.
    Ok,
    /// The service refused it for want of room, and said so itself.
    Rejected,
    /// Its deadline passed.
    Expired,
    /// The service could not be reached, went away, or is draining.
    Unavailable,
    /// Any other answer than OK.
    Failed,
}

impl Outcome {
    /// All, in the order of their discriminants.
    pub const ALL: [Self; Self::COUNT] = *Self::VARIANTS
        .first_chunk()
        .expect("there are as many variants as are counted");

    /// Its name in reports and metrics.
    pub fn label(self) -> &'static str {
        self.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_outcome_has_the_place_of_its_discriminant_and_is_read_by_its_name() {
        for (place, outcome) in Outcome::ALL.into_iter().enumerate() {
            assert_eq!(outcome as usize, place);
            assert_eq!(outcome.label().parse(), Ok(outcome));
        }
    }
}
