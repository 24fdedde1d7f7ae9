//! Requests that were withheld: why, and what they mean for the quantiles of the others.

use super::parts::{share, was};
use crate::{
    report::{Limit, Run},
    units::counted,
};

/// Says what withheld requests mean for the quantiles beside them; `None` if there are none.
pub fn unanswered(run: &Run) -> Option<String> {
    let (ok, withheld) = (run.ledger.ok, run.ledger.withheld);
    (withheld > 0).then(|| {
        let answered = 100.0 * ok as f64 / (ok + withheld) as f64;
        let (requests, verb) = (counted(withheld, "request"), was(withheld));
        let (has, them, as_answers) = if withheld == 1 {
            ("has", "it", "an answer that never came, it")
        } else {
            ("have", "them", "answers that never came, they")
        };
        if ok == 0 {
            return format!("{requests} {verb} withheld.");
        }
        format!(
            "{requests} {verb} withheld and {has} no response time, so no percentile counts {them}. Counted as {as_answers} \
             would leave percentiles above p{answered:.1} without a value."
        )
    })
}

/// Says how many requests were withheld, and why; `None` if there are none.
pub(super) fn withheld(run: &Run) -> Option<String> {
    let ledger = &run.ledger;
    (ledger.withheld > 0).then(|| {
        let backpressure = if run.verdict.limited_by == Some(Limit::Service) {
            " The service holds its clients back: this is backpressure."
        } else {
            ""
        };
        let waiting = if ledger.withheld == 1 {
            "its client was still waiting for an earlier answer"
        } else {
            "the clients were still waiting for earlier answers"
        };
        format!(
            "{} of {} {} {} withheld because {waiting}.{backpressure}",
            ledger.withheld,
            counted(ledger.intended, "request"),
            share(ledger.withheld, ledger.intended),
            was(ledger.withheld),
        )
    })
}
