//! Requests that were withheld: why, and what they mean for the quantiles of the others.

use super::parts::{share, was};
use crate::{
    report::{Limit, Run},
    units::counted,
};

/// What withheld requests mean for the quantiles beside them; `None` if there are none.
pub fn unanswered(run: &Run) -> Option<String> {
    let (ok, withheld) = (run.ledger.ok, run.ledger.withheld);
    (withheld > 0).then(|| {
        let answered = 100.0 * ok as f64 / (ok + withheld) as f64;
        let (requests, verb) = (counted(withheld, "request"), was(withheld));
        let them = if withheld == 1 { "it" } else { "them" };
        if ok == 0 {
            return format!("{requests} {verb} withheld.");
        }
        format!(
            "{requests} {verb} withheld. If you count {them} as unanswered, percentiles above p{answered:.1} are infinite."
        )
    })
}
/// Requests that were never sent, and why.
pub(super) fn withheld(run: &Run) -> Option<String> {
    let ledger = &run.ledger;
    (ledger.withheld > 0).then(|| {
        let backpressure = if run.verdict.limited_by == Some(Limit::Service) {
            " The service holds its clients back: this is backpressure."
        } else {
            ""
        };
        format!(
            "{} of {} {} {} withheld because the clients were still waiting for earlier answers.{backpressure}",
            ledger.withheld,
            counted(ledger.intended, "request"),
            share(ledger.withheld, ledger.intended),
            was(ledger.withheld),
        )
    })
}
