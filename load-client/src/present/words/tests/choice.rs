//! The advice on which run to choose.

use super::{audit, changed, queued, run, service, times};
use crate::{
    ledger::Ledger,
    present::words::{Choice, choose},
    report::{CapacityReport, GateReport, Run},
};

/// `run` without an SLO of its own, in which every message takes this long.
fn took(run: Run, seconds: f64) -> Run {
    changed(run, |run| {
        let made = run.configuration.as_mut().unwrap();
        made.slo_seconds = made.timeout_seconds;
        run.time_to_done_seconds = Some(times(seconds));
    })
}

/// A run in which every message is done soon.
fn fast() -> Run {
    took(queued(), 0.5)
}

/// A run in which every message is done, after a long wait.
fn late() -> Run {
    changed(took(queued(), 10.2), |run| service(run).queue_depth_end = Some(40))
}

fn withholding() -> Run {
    changed(took(run("process"), 0.93), |run| {
        (run.ledger.ok, run.ledger.withheld) = (41, 39);
    })
}

fn rejecting() -> Run {
    changed(took(run("process"), 0.5), |run| {
        (run.ledger.ok, run.ledger.rejected, run.ledger.withheld) = (40, 39, 1);
    })
}

fn dropping() -> Run {
    changed(took(queued(), 2.1), |run| {
        service(run).counts.dropped = 37;
        (audit(run).done, audit(run).discarded) = (43, 37);
    })
}

fn with_capacity(run: Run, workers: u32) -> Run {
    changed(run, |run| {
        run.configuration.as_mut().unwrap().capacity = Some(CapacityReport {
            workers,
            service_time_seconds: 0.25,
        });
    })
}

/// The choice between runs that are called a, b, c and so on.
fn choice(runs: &[Run]) -> Choice {
    let names = ["a", "b", "c", "d", "e"];
    let runs: Vec<(&str, &Run)> = names.into_iter().zip(runs).collect();
    choose(&runs).unwrap()
}

/// The choice between runs, as lines: for callers that need the result, the advice, the options, the notes.
fn said(runs: &[Run]) -> Vec<String> {
    let Choice {
        result,
        advice,
        options,
        notes,
    } = choice(runs);
    let options = options.into_iter().map(|(accept, runs)| format!("{accept}: {runs}"));
    result.into_iter().chain([advice]).chain(options).chain(notes).collect()
}

#[test]
fn what_did_everything_in_time_is_chosen_and_the_others_by_what_they_gave_up() {
    let runs = [
        with_capacity(late(), 1),
        with_capacity(fast(), 2),
        with_capacity(dropping(), 1),
        with_capacity(withholding(), 1),
        with_capacity(rejecting(), 1),
    ];
    assert_eq!(
        said(&runs),
        [
            "A caller that needs the result needs Process: d or e. The answer of Enqueue only says that the message was accepted.",
            "Choose b if you can: it processed every request, and the slowest took 0.50 s. Its capacity is 8 messages per \
             second; the others have 4. Otherwise the choice depends on what you can accept:",
            "requests that are done late: a (every request was processed, the slowest after 10.2 s; the longer the load lasts, the longer \
             they wait)",
            "clients that slow down: d (49 % withheld, the slowest that was done took 0.93 s)",
            "callers that are rejected: e (49 % rejected, 1 % withheld, the slowest that was done took 0.50 s)",
            "accepted messages that are never processed: c (46 % dropped, the slowest that was done took 2.10 s)",
        ]
    );
}

#[test]
fn capacity_is_told_only_where_it_makes_the_difference() {
    let advice = |best: &[Run], others: &[Run]| choice(&[best, others].concat()).advice;
    let (one, two) = (with_capacity(fast(), 1), with_capacity(fast(), 2));
    let same = "Choose a: it processed every request, and the slowest took 0.50 s. Otherwise the choice depends on what you can \
                accept:";
    assert_eq!(advice(std::slice::from_ref(&one), &[with_capacity(late(), 1)]), same);
    assert_eq!(
        advice(std::slice::from_ref(&two), &[late()]),
        same,
        "a capacity is not known"
    );
    assert_eq!(
        advice(std::slice::from_ref(&two), &[with_capacity(late(), 1)]),
        "Choose a if you can: it processed every request, and the slowest took 0.50 s. Its capacity is 8 messages per second; \
         the other has 4. Otherwise the choice depends on what you can accept:"
    );
    assert_eq!(
        advice(
            &[two.clone(), with_capacity(took(queued(), 0.6), 3)],
            &[with_capacity(late(), 1)]
        ),
        "Choose a or b if you can: they processed every request, and the slowest took 0.60 s. Their capacity is at least 8 \
         messages per second; the other has 4. Otherwise the choice depends on what you can accept:"
    );
    assert_eq!(
        advice(&[two, one], &[with_capacity(late(), 1)]),
        "Choose a or b: they processed every request, and the slowest took 0.50 s. Otherwise the choice depends on what you \
         can accept:"
    );
}

#[test]
fn where_each_gave_something_up_the_choice_depends_on_that() {
    assert_eq!(
        said(&[
            rejecting(),
            withholding(),
            changed(rejecting(), |run| run.ledger.rejected += 1)
        ])[0],
        "Each of b and a gave something up. The choice depends on what you can accept:"
    );
    let slower = changed(took(run("process"), 0.7), |run| {
        (run.ledger.ok, run.ledger.rejected) = (30, 50);
    });
    let expiring = changed(took(run("process"), 1.0), |run| {
        (run.ledger.ok, run.ledger.expired) = (20, 60);
    });
    assert_eq!(
        said(&[slower, expiring, rejecting()]),
        [
            "Each of them gave something up. The choice depends on what you can accept:",
            "callers that are rejected: c (49 % rejected, 1 % withheld, the slowest that was done took 0.50 s), or a (62 % \
             rejected, the slowest that was done took 0.70 s)",
            "requests that miss their deadline: b (75 % expired, the slowest that was done took 1.00 s)",
        ]
    );
    let none = changed(run("process"), |run| {
        (run.ledger.ok, run.ledger.rejected, run.time_to_done_seconds) = (0, 80, None);
    });
    assert_eq!(
        said(&[none, withholding()])[2],
        "callers that are rejected: a (100 % rejected)"
    );
}

#[test]
fn a_load_that_all_can_bear_does_not_tell_them_apart() {
    assert_eq!(
        said(&[fast(), took(run("process"), 0.3)]),
        [
            "A caller that needs the result needs Process: b. The answer of Enqueue only says that the message was accepted.",
            "All of them processed every request, and the slowest took 0.50 s. This load does not tell them apart.",
        ]
    );
    let unsent = changed(fast(), |run| run.ledger = Ledger::default());
    assert_eq!(
        said(&[fast(), fast(), unsent]),
        [
            "a and b processed every request, and the slowest took 0.50 s. This load does not tell them apart.",
            "Nothing follows for c: no requests were sent.",
        ]
    );
    let timeless = changed(fast(), |run| run.time_to_done_seconds = None);
    assert_eq!(
        said(&[timeless.clone(), timeless]),
        ["All of them processed every request. This load does not tell them apart."]
    );
}

#[test]
fn a_run_is_late_by_its_slo_its_backlog_or_beside_a_faster_one() {
    let is_late = |run: Run, other: Run| {
        let choice = choice(&[run, other]);
        choice
            .options
            .iter()
            .any(|(accept, whom)| accept.contains("late") && whom.starts_with("a "))
    };
    assert!(!is_late(fast(), fast()));
    assert!(is_late(took(queued(), 1.1), fast()), "much slower");
    assert!(!is_late(took(queued(), 0.9), fast()), "a little slower");
    assert!(is_late(late(), dropping()), "a backlog");
    let missed = changed(fast(), |run| {
        run.configuration.as_mut().unwrap().slo_seconds = 0.4;
        run.goodput_rps = Some(7.9);
    });
    assert!(is_late(missed, fast()), "an SLO");
}

#[test]
fn no_choice_follows_from_figures_that_cannot_be_compared() {
    let nothing = "No choice follows from these figures.";
    let limited = changed(fast(), |run| run.verdict.client_limited = true);
    let unwatched = changed(fast(), |run| (run.service, run.audit) = (None, None));
    let unbalanced = changed(fast(), |run| run.ledger.ok -= 1);
    let lost = changed(fast(), |run| audit(run).done -= 1);
    assert_eq!(
        said(&[limited, unwatched, unbalanced, lost, fast()]),
        [
            nothing,
            "Nothing follows for a: its figures describe the load client, not the service.",
            "Nothing follows for b: it is not known what became of its messages.",
            "Nothing follows for c: its counts do not add up.",
            "Nothing follows for d: its counts do not add up.",
        ]
    );
    let failing = changed(rejecting(), |run| (run.ledger.rejected, run.ledger.failed) = (0, 39));
    assert_eq!(
        said(&[failing, fast()]),
        [
            nothing,
            "Look into a before you choose it. Not done: 39 failed, 1 withheld."
        ]
    );
    let longer = changed(fast(), |run| {
        (run.ledger.intended, run.ledger.ok) = (81, 81);
        (audit(run).acknowledged, audit(run).done) = (81, 81);
    });
    assert_eq!(
        said(&[longer, fast()]),
        ["No choice follows from these figures, because the number of scheduled requests is not the same in all rows."]
    );
    assert_eq!(choose(&[("a", &fast())]), None);
    assert_eq!(choose(&[]), None);
}

#[test]
fn runs_that_failed_a_rule_are_named() {
    let failed = changed(fast(), |run| {
        run.gates = vec![GateReport {
            rule: "p99>1s".to_owned(),
            met: Some(true),
            seen: Some(2.0),
            says: "2 s".to_owned(),
            stopped_at_seconds: None,
        }];
    });
    assert_eq!(
        said(&[failed.clone(), fast(), failed])[1],
        "Not all rules passed for a and c."
    );
}
