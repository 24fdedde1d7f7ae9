//! Hedged requests (J. Dean and L. A. Barroso, *The tail at scale*, 2013): a second attempt while the first is under way.
//! The first ok answer wins, and the other attempt is cancelled. A failure waits for the other attempt.

use crate::outcome::Outcome;

/// Whether this end of one of two attempts ends the request, though the other one is still under way.
pub fn wins(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Ok | Outcome::Failed)
}
