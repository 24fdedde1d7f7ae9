//! Tests under loom: in every order of threads that it tries, no permit is lost and none is given twice.

use std::{
    future::Future,
    pin::pin,
    task::{Context, Poll, Waker},
};

use loom::{future::block_on, thread};

use super::{Admission, Ticket};
use crate::{
    limit::{LimitSettings, Outcome},
    line,
};

fn admission(limit: u32, line: &str) -> Admission {
    let settings = LimitSettings::workers(limit);
    let line = line::by_name(line).expect("it is in the list");
    Admission::builder()
        .limit(crate::limit::by_name("fixed").expect("it is in the list"), settings)
        .line(line)
        .build()
}

/// Asserts that all permits are back: no request is in flight or waits, and `limit` requests can enter.
fn whole(admission: &Admission, limit: u32) {
    let status = admission.status();
    assert_eq!((status.limit, status.in_flight, status.waiting), (limit, 0, 0));
    assert!(admission.0.lock().waiters.is_empty());
    let free: Vec<_> = (0..limit).map(|_| take(admission)).collect();
    assert!(free.iter().all(Option::is_some));
}

fn take(admission: &Admission) -> Option<super::Permit> {
    match pin!(admission.enter(Ticket::new())).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(entered) => entered.ok(),
        Poll::Pending => None,
    }
}

/// Polls for a permit at most `polls` times, then drops the future, whether it waits or has the permit.
fn enter_and_go(admission: &Admission, polls: usize) {
    let mut entering = pin!(admission.enter(Ticket::new()));
    for _ in 0..polls {
        if let Poll::Ready(entered) = entering.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            drop(entered);
            return;
        }
    }
}

/// Runs `test` in every order of threads with at most three preemptions.
fn model(test: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(test);
}

#[test]
fn a_caller_that_waits_gets_the_permit_that_comes_back() {
    for line in ["fifo", "lifo", "auto"] {
        model(move || {
            let admission = admission(1, line);
            let permit = take(&admission).expect("the only permit");
            let waiting = thread::spawn({
                let admission = admission.clone();
                move || {
                    let permit = block_on(admission.enter(Ticket::new()));
                    permit.expect("room in line").finish(Outcome::Success);
                }
            });
            permit.finish(Outcome::Success);
            waiting.join().expect("the thread has not panicked");
            whole(&admission, 1);
        });
    }
}

#[test]
fn a_caller_can_go_away_at_every_await_while_it_is_woken() {
    for polls in 0..4 {
        for line in ["fifo", "lifo"] {
            model(move || {
                let admission = admission(1, line);
                let permit = take(&admission).expect("the only permit");
                let leaving = thread::spawn({
                    let admission = admission.clone();
                    move || enter_and_go(&admission, polls)
                });
                let mut staying = pin!(admission.enter(Ticket::new()));
                let cx = &mut Context::from_waker(Waker::noop());
                assert!(staying.as_mut().poll(cx).is_pending());
                drop(permit);
                leaving.join().expect("the thread has not panicked");
                let Poll::Ready(Ok(permit)) = staying.as_mut().poll(cx) else {
                    panic!("the permit came back, and no other caller is there");
                };
                drop(permit);
                whole(&admission, 1);
            });
        }
    }
}

#[test]
fn the_limit_shrinks_and_grows_while_permits_are_out() {
    model(|| {
        let admission = admission(2, "fifo");
        let permits = [take(&admission), take(&admission)];
        let waiting = thread::spawn({
            let admission = admission.clone();
            move || enter_and_go(&admission, 2)
        });
        let changing = thread::spawn({
            let admission = admission.clone();
            move || {
                admission.set_limit(1);
                admission.set_limit(3);
            }
        });
        drop(permits);
        waiting.join().expect("the thread has not panicked");
        changing.join().expect("the thread has not panicked");
        whole(&admission, 3);
    });
}

#[test]
fn fewer_permits_are_out_than_a_lower_limit_allows_as_soon_as_those_in_use_are_back() {
    model(|| {
        let admission = admission(2, "fifo");
        let permit = take(&admission).expect("one of two");
        let shrinking = thread::spawn({
            let admission = admission.clone();
            move || admission.set_limit(1)
        });
        let other = take(&admission);
        shrinking.join().expect("the thread has not panicked");
        drop(permit);
        let third = take(&admission);
        assert_eq!(u32::from(other.is_some()) + u32::from(third.is_some()), 1);
        drop((other, third));
        whole(&admission, 1);
    });
}
