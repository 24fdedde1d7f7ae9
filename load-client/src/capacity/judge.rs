//! Judges the test of one rate: the service holds it, fails, or the test says nothing.

use super::growth::{Overload, overload};
use crate::{
    present::gates,
    report::{GateReport, Limit, ProbeResult, Run},
    units::{plain, time},
};

/// Judges a run by its rules, and by whether the service kept up; also returns the reason in words. If the load client
/// was the limit, the figures can only be worse than the service is: a rate that holds then does hold, and a failure
/// says nothing about the service.
pub(super) fn judge(run: &Run) -> (ProbeResult, String) {
    if let Some(unknown) = run.gates.iter().find(|gate| gate.met.is_none()) {
        return (ProbeResult::Unknown, gates::seen(run, unknown));
    }
    let client = matches!(run.verdict.limited_by, Some(Limit::Clients | Limit::Generator));
    match failure(run) {
        None => (ProbeResult::Holds, figures(run)),
        Some(_) if client => (ProbeResult::Limited, run.verdict.reason.clone()),
        Some(why) => (ProbeResult::Fails, why),
    }
}

/// The reason that the rate does not hold; `None` if it holds.
fn failure(run: &Run) -> Option<String> {
    let met = run.gates.iter().filter(|gate| GateReport::fails(gate));
    let met: Vec<String> = met.map(|gate| gates::seen(run, gate)).collect();
    if !met.is_empty() {
        return Some(met.join("; "));
    }
    if run.ledger.ok == 0 {
        return Some("no request succeeded".to_owned());
    }
    let queued = run.is_queued();
    let what = if queued {
        "the time to done"
    } else {
        "the response time"
    };
    overload(run, queued).map(|overload| match overload {
        Overload::Grows(growth) => format!("{what} grows by {} each second", time(growth)),
        Overload::LeftBehind(share) => {
            let percent = 100.0 * share;
            format!("only {percent:.0} % of what was done in time was done while requests came")
        }
    })
}

/// The figures of a rate that holds, in words.
fn figures(run: &Run) -> String {
    let goodput = run.goodput_rps.map(|goodput| format!("goodput {}/s", plain(goodput)));
    let p99 = run.judged_times().map(|times| format!("p99 {}", time(times.p99)));
    let figures: Vec<String> = goodput.into_iter().chain(p99).collect();
    figures.join(", ")
}
