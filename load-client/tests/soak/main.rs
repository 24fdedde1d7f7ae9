//! A load of a hundred times the capacity, from clients that give up at their deadline and then send their next request. After
//! it, a strategy with a bounded line must have as many tasks and as much memory as before the load; the unbounded strategy must
//! have exactly what the arithmetic says. The trials have every policy of the queue, every line, and every limit that searches.
//!
//! The trials run in virtual time, each on a thread of its own. Memory is counted at the allocator for each thread, so it is exact
//! and does not include other trials. A trial lasts ten seconds, or longer with `SOAK_MINUTES` (five minutes in `scripts/nightly`,
//! an hour in `scripts/bench soak`).
//!
//! The test is a binary of its own, because the allocator that counts belongs to the whole binary.
//!
//! Tried, and each made the test fail: callers that left the line and still counted in it; a task left by every connection; 16
//! bytes kept for every rejection. The test has found a task that every run left behind.

#![cfg(feature = "embedded")]

mod outcome;
mod service;
mod trials;

use std::{env, thread, time::Duration};

use outcome::{Soak, soak};
use trials::trials;

/// The worker of the worked example processes four messages per second.
const SERVICE_TIME: Duration = Duration::from_millis(250);
/// Each client sends one request per second, so all together send a hundred times what the worker can process.
const CLIENTS: u32 = 400;
/// A client gives up before its next request is due, so no request is withheld, and the whole load arrives.
const TIMEOUT: Duration = Duration::from_millis(900);
/// How long the load lasts without `SOAK_MINUTES` (arbitrary: each client sends ten requests, and all trials together take less
/// than a minute on two cores).
const LENGTH: Duration = Duration::from_secs(10);

/// How long the load lasts.
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
