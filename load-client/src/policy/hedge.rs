//! Hedged requests (J. Dean and L. A. Barroso, *The tail at scale*, 2013): a second attempt while the first is under way. The
//! first answer that is ok or failed ends the request, and the other attempt is cancelled. After any other outcome the client
//! waits for the other attempt.

use crate::outcome::Outcome;

/// Whether an attempt with this outcome ends its request at once, though the other attempt is still under way.
pub fn wins(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Ok | Outcome::Failed)
}
