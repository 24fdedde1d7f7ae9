//! A sentence about the retries and hedges of a run.

use crate::{report::Run, units::counted};

/// Says how often requests were sent, and what became of those that were sent again; `None` if each request is sent once.
pub(crate) fn sentence(run: &Run) -> Option<String> {
    let attempts = run.attempts.as_ref()?;
    let counts = &attempts.counts;
    let mut parts = vec![match attempts.per_request {
        Some(each) => format!("The clients made {each:.2} attempts per request"),
        None => "The clients made no attempt".to_owned(),
    }];
    let requests = |number| counted(number, "request");
    if counts.retried_then_ok > 0 {
        parts.push(format!("{} succeeded after a retry", requests(counts.retried_then_ok)));
    }
    for (number, by) in [
        (counts.given_up_by_budget, "the retry budget"),
        (counts.given_up_by_pushback, "the service's pushback"),
        (counts.given_up_by_throttle, "the throttle"),
    ] {
        if number > 0 {
            parts.push(format!("{by} kept {} from another attempt", requests(number)));
        }
    }
    if counts.hedges > 0 {
        let won = counts.hedges_won;
        parts.push(format!(
            "the second attempt decided {won} of {} hedged ones",
            counts.hedges
        ));
    }
    Some(parts.join("; ") + ".")
}
