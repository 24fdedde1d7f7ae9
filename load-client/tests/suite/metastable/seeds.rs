//! The collapse of labs/metastable.toml happens with every seed.

use std::{sync::Mutex, thread};

use super::{lab, run, share};
use crate::support::{long_tests, named};

/// Runs the lab with a seed for `seconds`, and asserts that the strategy `naive` stays collapsed and the others recover. Returns a
/// line with the seed and the share that `naive` has done after the cause.
fn judge(seed: u32, seconds: u32) -> String {
    let file = lab("metastable");
    let (length, drawn) = (format!("{seconds}s"), seed.to_string());
    let flags = "--strategy naive --strategy budget --strategy naive-auto".split_whitespace();
    let report = run(
        file.to_str().unwrap(),
        ["-z", &length, "--seed", &drawn].into_iter().chain(flags),
    );
    let after = |strategy, from, to| share(named(&report, strategy), from..to);
    // The last ten seconds are left out: no new requests follow them, so the load falls.
    let collapsed = after("naive", 30, seconds - 10);
    assert!(collapsed < 0.05, "seed {seed}: {collapsed}");
    for strategy in ["budget", "naive-auto"] {
        let before = after(strategy, 5, 20);
        for (from, to) in [(30, 40), (40, seconds)] {
            let share = after(strategy, from, to);
            assert!(share >= 0.97 * before, "seed {seed}, {strategy}: {share} of {before}");
        }
    }
    format!("seed {seed}: {:.2} %", 100.0 * collapsed)
}

#[test]
fn naive_retries_stay_collapsed_until_the_end_and_a_budget_or_the_line_auto_recover_with_every_seed() {
    let (seeds, seconds) = if long_tests() { (20, 600) } else { (3, 60) };
    // The page shows seed 1.
    let left = Mutex::new((1..=seeds).collect::<Vec<u32>>());
    let next = || left.lock().unwrap().pop();
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(seed) = next() {
                    println!("{}", judge(seed, seconds));
                }
            });
        }
    });
}
