//! `AdmissionLayer` around a tower service, in paused time.

use std::{
    future::poll_fn,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use tokio::{
    task::yield_now,
    time::{Instant, sleep},
};
use tower::{Layer, Service, ServiceExt, service_fn};
use tower_admission::{
    layer::{AdmissionLayer, Error},
    limit::Outcome,
    line::{self, Class, Reason},
    observe::Observe,
    room::{Admission, Ticket},
};

use crate::{
    resource::Resource,
    seen::{Event, Seen, ms},
};

/// Answers `Ok` after `millis` milliseconds; 13 fails.
async fn work(millis: u64) -> Result<u64, &'static str> {
    sleep(ms(millis)).await;
    if millis == 13 { Err("unlucky") } else { Ok(millis) }
}

fn admission(workers: u32) -> (Admission, Seen) {
    let seen = Seen::default();
    (Admission::builder().workers(workers).observed(seen.clone()), seen)
}

#[tokio::test(start_paused = true)]
async fn a_call_waits_in_its_future_until_a_permit_is_free() {
    let (admission, seen) = admission(1);
    let service = AdmissionLayer::new(admission.clone()).layer(service_fn(work));
    let start = Instant::now();
    let first = tokio::spawn(service.clone().oneshot(20));
    yield_now().await;
    let mut second = service.clone();
    poll_fn(|cx| second.poll_ready(cx)).await.unwrap();
    assert_eq!(
        start.elapsed(),
        ms(0),
        "the service is ready although no permit is free"
    );
    assert_eq!(second.call(20).await, Ok(20));
    assert_eq!(start.elapsed(), ms(40));
    assert_eq!(first.await.unwrap(), Ok(20));
    let expected = [
        Event::Admitted(3, ms(0)),
        Event::Ended(3, Outcome::Success, ms(20)),
        Event::Admitted(3, ms(20)),
        Event::Ended(3, Outcome::Success, ms(20)),
    ];
    assert_eq!(seen.events(), expected);
}

#[tokio::test(start_paused = true)]
async fn a_call_is_rejected_as_soon_as_it_cannot_be_answered_in_time() {
    let (admission, seen) = admission(1);
    let ticket = |_: &u64| Ticket::new().deadline(Instant::now() + ms(50));
    let service = AdmissionLayer::with_tickets(admission.clone(), ticket).layer(service_fn(work));
    service.clone().oneshot(20).await.unwrap();
    let start = Instant::now();
    let long = tokio::spawn(service.clone().oneshot(1000));
    yield_now().await;
    let Err(Error::Rejected(rejected)) = service.oneshot(20).await else {
        panic!("the other call takes 1000 ms");
    };
    assert_eq!(rejected.reason, Reason::Deadline);
    assert!(rejected.retry_after >= ms(20), "{:?}", rejected.retry_after);
    assert_eq!(start.elapsed(), ms(30), "a call takes 20 ms, so 30 ms are of use");
    assert!(seen.events().contains(&Event::Rejected(3, Reason::Deadline, ms(30))));
    long.await.unwrap().unwrap();
    assert_eq!(admission.status().in_flight, 0);
}

#[tokio::test(start_paused = true)]
async fn a_failure_of_the_service_comes_through_and_ends_its_permit() {
    let (admission, seen) = admission(1);
    let service = AdmissionLayer::new(admission.clone()).layer(service_fn(work));
    assert_eq!(service.oneshot(13).await, Err(Error::Inner("unlucky")));
    assert_eq!(seen.outcomes(), [Outcome::Failure]);
    assert_eq!(admission.status().in_flight, 0);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_dropped_counts_as_cancelled_or_leaves_the_line() {
    let (admission, seen) = admission(1);
    let service = AdmissionLayer::new(admission.clone()).layer(service_fn(work));
    let running = tokio::spawn(service.clone().oneshot(1000));
    yield_now().await;
    let waiting = tokio::spawn(service.clone().oneshot(20));
    sleep(ms(5)).await;
    assert_eq!(admission.status().waiting, 1);
    waiting.abort();
    assert!(waiting.await.unwrap_err().is_cancelled());
    assert_eq!(admission.status().waiting, 0);
    running.abort();
    assert!(running.await.unwrap_err().is_cancelled());
    assert_eq!(admission.status().in_flight, 0);
    let expected = [
        Event::Admitted(3, ms(0)),
        Event::Left(3, ms(5)),
        Event::Ended(3, Outcome::Cancelled, ms(5)),
    ];
    assert_eq!(seen.events(), expected);
}

#[tokio::test(start_paused = true)]
async fn a_permit_is_held_while_the_service_inside_is_not_ready() {
    let (admission, seen) = admission(1);
    // The inner service takes one call at a time, but the limit admits two.
    admission.set_limit(2);
    let inner = tower::limit::ConcurrencyLimit::new(service_fn(work), 1);
    let service = AdmissionLayer::new(admission.clone()).layer(inner);
    let start = Instant::now();
    let (first, second) = tokio::join!(service.clone().oneshot(20), service.clone().oneshot(20));
    assert_eq!((first, second), (Ok(20), Ok(20)));
    assert_eq!(start.elapsed(), ms(40));
    let expected = [
        Event::Admitted(3, ms(0)),
        Event::Admitted(3, ms(0)),
        Event::Ended(3, Outcome::Success, ms(20)),
        Event::Ended(3, Outcome::Success, ms(40)),
    ];
    assert_eq!(seen.events(), expected);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_dropped_keeps_its_place_until_it_has_let_go_of_what_it_used() {
    let (admission, _) = admission(1);
    let (resource, in_flight) = Resource::of(&admission);
    let inner = service_fn(|resource: Resource| async move {
        sleep(ms(1000)).await;
        drop(resource);
        Ok::<(), &str>(())
    });
    let call = tokio::spawn(AdmissionLayer::new(admission.clone()).layer(inner).oneshot(resource));
    sleep(ms(5)).await;
    call.abort();
    assert!(call.await.unwrap_err().is_cancelled());
    assert_eq!(
        in_flight.load(Ordering::SeqCst),
        1,
        "the place is taken while the resource is there"
    );
    assert_eq!(admission.status().in_flight, 0);
}

struct PanicsAtFirst(AtomicBool);

impl Observe for PanicsAtFirst {
    fn admitted(&self, _: Class, _: Duration) {
        assert!(self.0.swap(true, Ordering::SeqCst), "the first");
    }
}

#[tokio::test(start_paused = true)]
async fn an_observer_that_panics_loses_no_place() {
    let observer = PanicsAtFirst(AtomicBool::new(false));
    let admission = Admission::builder().workers(1).observed(observer);
    let first = tokio::spawn(admission.enter(Ticket::new()));
    assert!(first.await.unwrap_err().is_panic());
    assert_eq!(admission.status().in_flight, 0);
    drop(admission.enter(Ticket::new()).await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_target_wait_longer_than_any_clock_shows_is_no_limit() {
    for kind in &line::LINES {
        let admission = Admission::builder()
            .workers(1)
            .line(kind)
            .target_wait(Duration::MAX)
            .build();
        let permit = admission.enter(Ticket::new()).await.unwrap();
        let waiting = tokio::spawn(admission.enter(Ticket::new()));
        sleep(ms(100)).await;
        permit.finish(Outcome::Success);
        // With the line `shed` no request waits.
        let ended = waiting.await.unwrap();
        assert!(ended.is_ok() || kind.name == "shed", "{}", kind.name);
        drop(ended);
        assert_eq!(admission.status().in_flight, 0, "{}", kind.name);
    }
}
