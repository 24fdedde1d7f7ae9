//! The numbers add up: after everything that can happen to a message has happened, every call has one outcome, every
//! admitted message has one outcome, and nothing is left inside.

use std::{collections::BTreeMap, sync::Arc};

use crate::support::{TestBed, demanding, message, ms, watch_request};
use foo_service::{
    config::Settings,
    enqueue::WhenFull,
    job::{Door, JobOutcome, RequestOutcome},
    ledger::{Ledger, Levels},
};
use tokio::task::JoinSet;

const CALLS: u64 = 600;

/// Sends calls of every kind, one every 7 ms, to a service that can do about half of them, and drains it in the middle of
/// what is left. Returns its counts and the ends of queued messages that a watcher was told.
async fn run(when_full: WhenFull) -> (Arc<Ledger>, BTreeMap<String, u64>) {
    let bed = TestBed::start(Settings {
        workers: 2,
        service_time: ms(25),
        queue_capacity: 3,
        when_full,
        max_waiting: 1,
        drain_timeout: ms(60),
        ..Settings::default()
    });
    let ledger = bed.ledger.clone();
    let caller = bed.caller().await;
    let mut watch = bed.caller().await.watch(watch_request("run", ms(50))).await.unwrap();
    let told = tokio::spawn(async move {
        let mut told = BTreeMap::new();
        while let Some(snapshot) = watch.message().await.unwrap() {
            assert_eq!(snapshot.missed, 0);
            for completion in snapshot.completions {
                *told.entry(completion.id).or_default() += 1;
            }
        }
        told
    });
    let mut calls = JoinSet::new();
    for number in 0..CALLS {
        bed.at(number * 7).await;
        let demand = ms(number * 37 % 50);
        let message = match number % 29 {
            28 => message(&"x".repeat(200)),
            _ => demanding(&format!("run/{number}"), demand),
        };
        let (enqueue, process) = (caller.clone(), caller.clone());
        let call = match number % 5 {
            0 | 1 => calls.spawn(async move { enqueue.enqueue(message).await.map(drop) }),
            2 => calls.spawn(async move { enqueue.enqueue_within(message, ms(30)).await.map(drop) }),
            3 => calls.spawn(async move { process.process(message).await.map(drop) }),
            _ => calls.spawn(async move { process.process_within(message, ms(30)).await.map(drop) }),
        };
        if number % 11 == 0 {
            bed.at(number * 7 + 5).await;
            call.abort();
        }
        if number == CALLS - 10 {
            bed.trigger.drain();
        }
        if number == CALLS - 5 {
            break;
        }
    }
    bed.ended().await;
    while calls.join_next().await.is_some() {}
    (ledger, told.await.unwrap())
}

fn assert_balanced(ledger: &Ledger) {
    assert_eq!(ledger.levels(), Levels::default());
    for door in Door::ALL {
        let reading = ledger.door(door);
        assert!(reading.balances(), "{door:?}: {reading:?}");
        assert_eq!(reading.inside, 0, "{door:?}");
        let received: u64 = RequestOutcome::ALL
            .map(|outcome| ledger.requests(door, outcome))
            .iter()
            .sum();
        assert_eq!(received, reading.admitted + reading.refused, "{door:?}: {reading:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn every_call_and_every_message_has_one_outcome_whatever_the_queue_does_when_full() {
    for when_full in [WhenFull::Reject, WhenFull::DropOldest, WhenFull::Wait] {
        let (ledger, told) = run(when_full).await;
        assert_balanced(&ledger);
        // The scenario is only worth something if it has them all.
        let process = ledger.door(Door::Process);
        for outcome in [JobOutcome::Completed, JobOutcome::Expired, JobOutcome::Cancelled] {
            assert!(process.of(outcome) > 0, "{when_full:?}: no call {outcome:?}");
        }
        for outcome in [
            RequestOutcome::Rejected,
            RequestOutcome::Unavailable,
            RequestOutcome::Invalid,
        ] {
            let calls: u64 = Door::ALL.iter().map(|door| ledger.requests(*door, outcome)).sum();
            assert!(calls > 0, "{when_full:?}: no call {outcome:?}");
        }
        let enqueue = ledger.door(Door::Enqueue);
        assert_eq!(enqueue.of(JobOutcome::Dropped) > 0, when_full == WhenFull::DropOldest);
        assert_eq!(ledger.ended(JobOutcome::Failed), 0);
        // Watchers were told every end of a queued message exactly once.
        assert_eq!(told.len() as u64, enqueue.admitted, "{when_full:?}");
        assert!(told.values().all(|times| *times == 1), "{when_full:?}");
    }
}
