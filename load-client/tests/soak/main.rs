//! A hundred times capacity, from clients that give up at their deadline and come back a moment later: a strategy that bounds
//! its line must be afterwards what it was before, to the task and to the byte; the unbounded one must hold exactly what
//! arithmetic says. With every policy of the queue, every line, and every limit that searches.
//!
//! In virtual time, each strategy on a thread of its own. Memory is counted at the allocator, per thread: exact, and without
//! the other strategies. Twenty seconds; `SOAK_MINUTES` makes it longer (`scripts/nightly`, and an hour in `scripts/bench
//! soak`).
//!
//! A binary of its own, because the allocator that counts belongs to the whole binary.
//!
//! Tried, each seen to fail: callers that leave the line still counted in it; a task left over by every connection; 16
//! bytes kept of every refusal. Found by it: a task that every run left behind.

#![cfg(feature = "embedded")]

mod outcome;
mod service;
mod trials;

use std::{env, thread, time::Duration};

use outcome::{Soak, soak};
use trials::trials;

/// The worker of the worked example: four messages a second.
const SERVICE_TIME: Duration = Duration::from_millis(250);
/// One send a second each: a hundred times what the worker can do.
const CLIENTS: u32 = 400;
/// When a client gives up: before its next send is due, so that none is withheld and all of the load arrives.
const TIMEOUT: Duration = Duration::from_millis(900);
/// How long the load lasts where `SOAK_MINUTES` does not say it. Arbitrary: each client comes back twenty times, and all trials
/// together take less than a minute on two cores.
const LENGTH: Duration = Duration::from_secs(20);

/// How long the load lasts: whole seconds.
fn length() -> Duration {
    let minutes = env::var("SOAK_MINUTES").map(|minutes| minutes.parse().expect("SOAK_MINUTES is a whole number"));
    minutes.map_or(LENGTH, |minutes: u64| Duration::from_secs(minutes * 60))
}

#[test]
fn a_hundred_times_capacity_leaves_nothing_behind() {
    let soaks: Vec<Soak> = thread::scope(|scope| {
        let running: Vec<_> = trials().into_iter().map(|trial| scope.spawn(|| soak(trial))).collect();
        running
            .into_iter()
            .map(|soak| soak.join().expect("it does not panic"))
            .collect()
    });
    println!(
        "{} s at a hundred times capacity; memory in KiB\n\n{:<16} {:>8} {:>8} {:>6} {:>8} {:>8} {:>13} {:>10} {:>10} {:>10}\n\
         {:<16} {:>8} {:>8} {:>6} {:>8} {:>8} {:>6} {:>6} {:>10} {:>10} {:>10}",
        length().as_secs(),
        "",
        "",
        "",
        "",
        "most in",
        "left in",
        "tasks",
        "most",
        "memory",
        "expected",
        "",
        "sent",
        "gave up",
        "done",
        "system",
        "system",
        "before",
        "after",
        "memory",
        "kept",
        "at most",
    );
    soaks.iter().for_each(Soak::print);
    soaks.iter().for_each(Soak::check);
}
