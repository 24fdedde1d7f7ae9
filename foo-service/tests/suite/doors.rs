//! Enqueue and Process share one pool of workers: what Process answers, and how messages of one RPC delay those of the other.

use crate::support::{TestBed, demanding, fixed_limit, message, ms, times, watch_request};
use foo_service::config::Settings;

#[tokio::test(start_paused = true)]
async fn process_answers_with_queue_wait_and_service_time() {
    let bed = TestBed::start(Settings::default());
    let caller = bed.caller().await;
    let first = tokio::spawn(caller.process(message("first")));
    bed.at(10).await;
    let second = caller.process(message("second")).await.unwrap();
    let first = first.await.unwrap().unwrap();
    assert_eq!((&*first.id, times(&first)), ("first", (0, 250)));
    assert_eq!((&*second.id, times(&second)), ("second", (240, 250)));
    assert_eq!(bed.now(), 500);
}

#[tokio::test(start_paused = true)]
async fn a_message_without_an_id_gets_one_of_its_own() {
    let bed = TestBed::start(Settings::default());
    let caller = bed.caller().await;
    let queued = caller.enqueue(message("")).await.unwrap().id;
    let processed = caller.process(message("")).await.unwrap().id;
    assert_ne!(queued, processed);
    for id in [queued, processed] {
        assert!(id.starts_with(crate::support::INSTANCE), "{id}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_queued_message_delays_a_call() {
    let bed = TestBed::start(Settings::default());
    let caller = bed.caller().await;
    caller.enqueue(message("queued")).await.unwrap();
    bed.at(10).await;
    let answer = caller.process(message("called")).await.unwrap();
    assert_eq!(times(&answer), (240, 250));
}

#[tokio::test(start_paused = true)]
async fn a_call_delays_a_queued_message() {
    let bed = TestBed::start(Settings::default());
    let caller = bed.caller().await;
    let mut watch = caller.watch(watch_request("run", ms(10))).await.unwrap();
    let call = tokio::spawn(caller.process(message("called")));
    bed.at(10).await;
    caller.enqueue(message("run/1")).await.unwrap();
    call.await.unwrap().unwrap();
    let completion = loop {
        let snapshot = watch.message().await.unwrap().unwrap();
        if let Some(completion) = snapshot.completions.into_iter().next() {
            break completion;
        }
    };
    assert_eq!(crate::support::duration(completion.queue_wait), ms(240));
    assert_eq!(crate::support::duration(completion.service_time), ms(250));
}

#[tokio::test(start_paused = true)]
async fn the_doors_are_served_in_the_order_of_arrival() {
    let settings = Settings {
        concurrency_limit: Some(3),
        limit_kind: fixed_limit(),
        ..Settings::default()
    };
    let bed = TestBed::start(settings);
    let caller = bed.caller().await;
    caller.enqueue(message("queued-1")).await.unwrap();
    bed.at(10).await;
    let early = tokio::spawn(caller.process(message("early")));
    bed.at(20).await;
    caller.enqueue(message("queued-2")).await.unwrap();
    bed.at(30).await;
    let late = tokio::spawn(caller.process(message("late")));
    // The worker becomes free at 250, 500 and 750. At 500 the queued message is next.
    assert_eq!(times(&early.await.unwrap().unwrap()), (240, 250));
    assert_eq!(times(&late.await.unwrap().unwrap()), (720, 250));
}

#[tokio::test(start_paused = true)]
async fn two_workers_process_two_messages_at_once_whatever_their_doors() {
    let settings = Settings {
        workers: 2,
        ..Settings::default()
    };
    let bed = TestBed::start(settings);
    let caller = bed.caller().await;
    caller.enqueue(message("queued")).await.unwrap();
    let answer = caller.process(message("called")).await.unwrap();
    assert_eq!(times(&answer), (0, 250));
    assert_eq!(bed.ledger.levels().in_system, 0);
}

#[tokio::test(start_paused = true)]
async fn a_message_may_say_how_long_it_takes() {
    let bed = TestBed::start(Settings::default());
    let caller = bed.caller().await;
    for demand in [0, 40, 1_000] {
        let answer = caller.process(demanding("", ms(demand))).await.unwrap();
        assert_eq!(times(&answer), (0, u128::from(demand)));
    }
    caller.enqueue(demanding("", ms(70))).await.unwrap();
    let answer = caller.process(message("behind it")).await.unwrap();
    assert_eq!(times(&answer), (70, 250));
}

#[tokio::test(start_paused = true)]
async fn the_limit_holds_calls_back_though_a_worker_is_free() {
    // The limit is below the number of workers, as if the guard did not know that number.
    let settings = Settings {
        workers: 2,
        concurrency_limit: Some(1),
        limit_kind: fixed_limit(),
        ..Settings::default()
    };
    let bed = TestBed::start(settings);
    let caller = bed.caller().await;
    let first = tokio::spawn(caller.process(message("first")));
    bed.at(10).await;
    let second = tokio::spawn(caller.process(message("second")));
    bed.at(20).await;
    assert_eq!((bed.ledger.levels().in_service, bed.ledger.levels().waiting), (1, 1));
    first.await.unwrap().unwrap();
    assert_eq!(times(&second.await.unwrap().unwrap()), (240, 250));
}

#[tokio::test(start_paused = true)]
async fn a_call_past_the_limit_still_waits_for_a_worker() {
    let settings = Settings {
        concurrency_limit: Some(2),
        limit_kind: fixed_limit(),
        ..Settings::default()
    };
    let bed = TestBed::start(settings);
    let caller = bed.caller().await;
    let first = tokio::spawn(caller.process(message("first")));
    let second = tokio::spawn(caller.process(message("second")));
    bed.at(10).await;
    assert_eq!((bed.ledger.levels().in_service, bed.ledger.levels().waiting), (1, 1));
    let waits = [first.await, second.await].map(|answer| times(&answer.unwrap().unwrap()).0);
    assert_eq!(waits, [0, 250]);
}
