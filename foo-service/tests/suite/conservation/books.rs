//! Invariants of a service in which nothing is happening: the ledger equals what the callers know, and the metrics page and
//! Watch equal the ledger.

use std::collections::{BTreeMap, BTreeSet};

use foo_proto::v1::{self, Completion, DoorCounts, Snapshot};
use foo_service::{
    app::Drained,
    config::Settings,
    enqueue::Capacity,
    job::{Door, JobOutcome, Reason, RequestOutcome, Rpc},
    ledger::{DoorReading, Ledger, Levels},
};
use proptest::{prelude::*, test_runner::TestCaseError};

use super::{
    call::{End, Made},
    play::Witness,
};

const UNAVAILABLE: End = End::Answered(RequestOutcome::Unavailable);
const EXPIRED: End = End::Answered(RequestOutcome::Expired);
const INVALID: End = End::Answered(RequestOutcome::Invalid);

type Checked = Result<(), TestCaseError>;

/// Checks the invariants at an instant at which nothing is happening; `snapshot` is what Watch shows then.
pub(super) fn check(witness: &Witness, settings: &Settings, snapshot: Option<&Snapshot>) -> Checked {
    let ledger = &witness.ledger;
    for door in Door::ALL {
        check_calls(ledger, door, &witness.calls)?;
        let reading = ledger.door(door);
        prop_assert!(reading.balances(), "{:?}: {:?}", door, reading);
        prop_assert_eq!(reading.of(JobOutcome::Failed), 0, "{:?}", door);
        prop_assert_eq!(ledger.requests(door, RequestOutcome::Failed), 0, "{:?}", door);
    }
    check_levels(ledger, settings, witness)?;
    check_page(ledger, &witness.samples())?;
    if let Some(snapshot) = snapshot {
        check_snapshot(ledger, snapshot)?;
        check_refusals(ledger, snapshot)?;
        check_ends(ledger, &snapshot.completions)?;
    }
    Ok(())
}

/// Checks the invariants after the service has ended.
pub(super) fn check_end(witness: &Witness, settings: &Settings, drained: Drained) -> Checked {
    let ledger = &witness.ledger;
    check(witness, settings, None)?;
    prop_assert_eq!(ledger.levels(), Levels::default());
    prop_assert_eq!(drained.abandoned, ledger.ended(JobOutcome::Abandoned));
    prop_assert_eq!(witness.calls.iter().filter(|call| call.end.is_none()).count(), 0);

    let told = witness.watcher.told();
    prop_assert_eq!(told.missed, 0);
    let twice: Vec<_> = told.ends.iter().filter(|(_, ends)| ends.len() > 1).collect();
    prop_assert!(twice.is_empty(), "told more than once: {:?}", twice);
    // A watcher that reconnected at the instant of the end was refused, so it did not see the end.
    if told.over {
        let ends: Vec<_> = told.ends.values().flatten().cloned().collect();
        check_ends(ledger, &ends)?;
        check_last_words(witness, told.last.clone().expect("there were last words"))?;
    }
    Ok(())
}

/// The last snapshot equals the ledger, except for calls that were refused after it: calls that came later, and calls whose
/// bodies never came, for which a drain does not wait.
fn check_last_words(witness: &Witness, mut last: Snapshot) -> Checked {
    for (door, counts) in Door::ALL.into_iter().zip([&mut last.enqueue, &mut last.process]) {
        let counts = counts.as_mut().expect("every snapshot has both doors");
        // Calls with an expired deadline or a malformed message are refused for that reason at any time, also while draining.
        let turned_away =
            |call: &&Made| !call.whole || matches!(call.end, Some(End::Gone | UNAVAILABLE | EXPIRED | INVALID));
        let calls = witness.calls.iter().filter(|call| call.door == door);
        let late = calls.filter(turned_away).count() as u64;
        let refused = witness.ledger.door(door).refused;
        prop_assert!(
            (counts.refused..=counts.refused + late).contains(&refused),
            "{door:?}: {} refused in the last snapshot, {late} after it at most; {refused} in the end",
            counts.refused
        );
        counts.refused = refused;
    }
    check_snapshot(&witness.ledger, &last)
}

/// received = admitted + refused, and the ledger counts each call with the outcome that its caller got.
fn check_calls(ledger: &Ledger, door: Door, calls: &[Made]) -> Checked {
    let calls: Vec<&Made> = calls.iter().filter(|call| call.door == door).collect();
    let count = |what: &dyn Fn(&Made) -> bool| calls.iter().filter(|call| what(call)).count() as u64;
    let gone = count(&|call| call.end == Some(End::Gone));
    let gone_for_certain = count(&|call| call.end == Some(End::Gone) && call.received);
    let open = count(&|call| call.end.is_none() && call.whole);

    let (mut answered, mut ended) = (0, 0);
    for outcome in RequestOutcome::ALL {
        let told = count(&|call| call.end == Some(End::Answered(outcome)));
        let counted = ledger.requests(door, outcome);
        prop_assert!(
            (told..=told + gone).contains(&counted),
            "{door:?}: {told} callers were told {outcome:?}, {gone} are gone; {counted} calls are counted so"
        );
        answered += told;
        ended += counted;
    }
    prop_assert!(
        (answered + gone_for_certain..=answered + gone).contains(&ended),
        "{door:?}: {answered} calls answered, {gone_for_certain} to {gone} gone; {ended} are counted as ended"
    );
    // A call of Process without an answer was admitted. Such a call of Enqueue waits for the queue: not admitted or refused yet.
    let received = match door {
        Door::Enqueue => ended,
        Door::Process => ended + open,
    };
    let DoorReading { admitted, refused, .. } = ledger.door(door);
    prop_assert_eq!(received, admitted + refused, "{:?}: received, admitted + refused", door);
    Ok(())
}

/// The messages in the system are those that callers wait for and those on the queue. Each is in exactly one level.
fn check_levels(ledger: &Ledger, settings: &Settings, witness: &Witness) -> Checked {
    let open = |door| {
        let calls = &witness.calls;
        calls
            .iter()
            .filter(move |call| call.door == door && call.end.is_none() && call.whole)
    };
    let [in_line_for_queue, in_process] = Door::ALL.map(|door| open(door).count() as u64);
    let [queued, processing] = Door::ALL.map(|door| ledger.door(door).inside);
    let levels = ledger.levels();
    prop_assert_eq!(
        processing,
        in_process,
        "inside Process, calls of Process without an answer"
    );
    prop_assert_eq!(
        levels.in_system,
        queued + processing + in_line_for_queue,
        "{:?}",
        levels
    );
    prop_assert_eq!(
        levels.in_system,
        levels.queue_depth + levels.waiting + levels.in_service,
        "{:?}",
        levels
    );
    prop_assert!(levels.in_service <= u64::from(witness.most_workers), "{:?}", levels);
    prop_assert!(levels.queue_depth <= queued, "{:?}, {} inside Enqueue", levels, queued);
    prop_assert_eq!(levels.queue_bytes > 0, levels.queue_depth > 0, "{:?}", levels);
    if let Capacity::Bounded { places, .. } = settings.capacity() {
        prop_assert!(levels.queue_depth <= u64::from(places), "{:?}", levels);
    }
    Ok(())
}

/// The metrics page equals the ledger, and each histogram has as many observations as the ledger has messages.
fn check_page(ledger: &Ledger, samples: &BTreeMap<String, String>) -> Checked {
    let check = |series: &str, value: u64| -> Checked {
        prop_assert_eq!(samples.get(series), Some(&value.to_string()), "{}", series);
        Ok(())
    };
    for door in Door::ALL {
        let (reading, label) = (ledger.door(door), door.label());
        for outcome in RequestOutcome::ALL {
            let series = format!("foo_requests_total{{rpc=\"{label}\",outcome=\"{}\"}}", outcome.label());
            check(&series, ledger.requests(door, outcome))?;
        }
        for outcome in JobOutcome::ALL {
            let series = format!("foo_jobs_total{{door=\"{label}\",outcome=\"{}\"}}", outcome.label());
            check(&series, reading.of(outcome))?;
        }
        for histogram in ["service_time", "sojourn_time"] {
            let series = format!("foo_{histogram}_seconds_count{{door=\"{label}\"}}");
            check(&series, reading.of(JobOutcome::Completed))?;
        }
    }
    for rpc in Rpc::ALL {
        let mut refused = 0;
        for reason in Reason::ALL {
            let series = format!(
                "foo_refusals_total{{rpc=\"{}\",reason=\"{}\"}}",
                rpc.label(),
                reason.label()
            );
            check(&series, ledger.refusals(rpc, reason))?;
            refused += ledger.refusals(rpc, reason);
        }
        let not_ok = RequestOutcome::ALL
            .into_iter()
            .filter(|outcome| *outcome != RequestOutcome::Ok);
        let not_ok: u64 = not_ok.map(|outcome| ledger.requests(rpc, outcome)).sum();
        prop_assert_eq!(refused, not_ok, "{:?}: every call without OK has one reason", rpc);
    }
    let levels = ledger.levels();
    check("foo_queue_depth", levels.queue_depth)?;
    check("foo_queue_bytes", levels.queue_bytes)?;
    check("foo_waiting", levels.waiting)?;
    check("foo_in_service", levels.in_service)?;
    check("foo_in_system", levels.in_system)
}

/// A snapshot of Watch equals the ledger.
fn check_snapshot(ledger: &Ledger, snapshot: &Snapshot) -> Checked {
    let [enqueue, process] = Door::ALL.map(|door| Some(counts(&ledger.door(door))));
    prop_assert_eq!(snapshot.enqueue, enqueue);
    prop_assert_eq!(snapshot.process, process);
    let levels = ledger.levels();
    for (shown, now) in [
        (&snapshot.queue_depth, levels.queue_depth),
        (&snapshot.queue_bytes, levels.queue_bytes),
        (&snapshot.waiting, levels.waiting),
        (&snapshot.in_service, levels.in_service),
        (&snapshot.in_system, levels.in_system),
    ] {
        prop_assert_eq!(shown.map(|level| level.now), Some(now), "{:?}", levels);
    }
    Ok(())
}

/// Watch reports the reasons of refused calls of Enqueue and Process as the ledger counts them. (Those of Watch itself are not
/// compared: taking a snapshot is a call of Watch, which changes them.)
fn check_refusals(ledger: &Ledger, snapshot: &Snapshot) -> Checked {
    let mut told = BTreeMap::new();
    for refusals in &snapshot.refusals {
        let twice = told.insert((&*refusals.rpc, &*refusals.reason), refusals.calls);
        prop_assert_eq!(twice, None);
    }
    for door in Door::ALL {
        for reason in Reason::ALL {
            let calls = told.get(&(door.label(), reason.label())).copied();
            prop_assert_eq!(
                calls.unwrap_or(0),
                ledger.refusals(door, reason),
                "{:?} {:?}",
                door,
                reason
            );
        }
    }
    Ok(())
}

fn counts(reading: &DoorReading) -> DoorCounts {
    DoorCounts {
        admitted: reading.admitted,
        completed: reading.of(JobOutcome::Completed),
        dropped: reading.of(JobOutcome::Dropped),
        expired: reading.of(JobOutcome::Expired),
        cancelled: reading.of(JobOutcome::Cancelled),
        abandoned: reading.of(JobOutcome::Abandoned),
        failed: reading.of(JobOutcome::Failed),
        inside: reading.inside,
        refused: reading.refused,
        rejected: reading.of(JobOutcome::Rejected),
        work_failed: reading.of(JobOutcome::WorkFailed),
        recovered: 0,
        dead_lettered: reading.of(JobOutcome::DeadLettered),
        taken: None,
    }
}

/// Watch reported the completion of every queued message exactly once, with the outcome that the ledger counts.
fn check_ends(ledger: &Ledger, ends: &[Completion]) -> Checked {
    let ids: BTreeSet<_> = ends.iter().map(|end| &end.id).collect();
    prop_assert_eq!(ids.len(), ends.len(), "each once: {:?}", ends);
    let reading = ledger.door(Door::Enqueue);
    for outcome in JobOutcome::ALL {
        let name = format!("JOB_OUTCOME_{}", outcome.label().to_uppercase());
        let wire = v1::JobOutcome::from_str_name(&name).expect("every outcome has its name on the wire");
        let told = ends.iter().filter(|end| end.outcome() == wire).count() as u64;
        prop_assert_eq!(told, reading.of(outcome), "{:?}", outcome);
    }
    Ok(())
}
