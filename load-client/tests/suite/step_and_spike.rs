//! A step from half of the capacity to 1.4 times, and a spike of ten times the capacity for 5 s, over the whole stack in
//! virtual time: every call is answered before its deadline or rejected, and after the spike the line is soon as calm as
//! before.
//!
//! Four workers that take 20 ms each (labs/defaults.toml). The deadline of every call is 200 ms after its scheduled send.

use std::path::Path;

use load_client::report::Run;

use crate::{
    scripts::POLICIES,
    support::{assert_balanced, long_tests, named, report},
};

/// Half of the capacity, then 1.4 times. Judged are the calls scheduled after the step.
const STEP: [&str; 6] = ["--stages", "5s:100,10s:280", "-z", "15s", "--warmup", "5s"];
/// Half of the capacity, then ten times. Judged are the calls scheduled in the spike.
const SPIKE: [&str; 6] = ["--stages", "5s:100,5s:2000", "-z", "10s", "--warmup", "5s"];
/// Judged are the calls scheduled within ten service times, from two service times after the end of the spike on.
const AFTER: [&str; 4] = ["--stages", "5s:100,5s:2000,240ms:100", "--warmup", "10040ms"];
/// About twenty calls are judged after a spike, so several spikes are looked at.
const SEEDS: [&str; 3] = ["1", "2", "3"];

/// What the workers can do, per second.
const CAPACITY: f64 = 200.0;
const SERVICE_TIME: f64 = 0.02;
const DEADLINE: f64 = 0.2;

fn run(policy: &[&str], load: &[&str], seed: &str) -> Run {
    let lab = Path::new(env!("CARGO_MANIFEST_DIR")).join("../labs/defaults.toml");
    let lab = ["compare", lab.to_str().unwrap(), "--virtual-time", "-q"];
    let words = [&lab, &["--strategy", "defaults", "--seed", seed][..], load, policy].concat();
    let (output, report) = report(words);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let run = named(&report, "defaults");
    assert_balanced(run);
    assert_eq!(run.ledger.withheld, 0, "the loop is open");
    run.clone()
}

/// The longest time, in seconds, that an answered call waited in line.
fn longest_wait(run: &Run) -> f64 {
    run.queue_wait_seconds.as_ref().unwrap().max
}

/// The sum of the waits of answered calls, in seconds, and the number of these calls.
fn waits(run: &Run) -> (f64, f64) {
    let waits = run.queue_wait_seconds.as_ref().unwrap();
    (waits.mean * waits.count as f64, waits.count as f64)
}

/// The mean wait after the spike, in service times.
fn wait_after(policy: &[&str]) -> f64 {
    let (sum, count) = SEEDS
        .map(|seed| waits(&run(policy, &AFTER, seed)))
        .into_iter()
        .fold((0.0, 0.0), |all, one| (all.0 + one.0, all.1 + one.1));
    sum / count / SERVICE_TIME
}

/// Every call was answered before its deadline or rejected: no caller waited in vain.
fn assert_keeps_deadlines(name: &str, run: &Run) {
    let answered = &run.response_time_seconds["ok"];
    assert!(answered.max <= DEADLINE, "{name}: answered after {} s", answered.max);
    // What has less than its service time left is not begun.
    let longest = longest_wait(run);
    assert!(
        longest <= DEADLINE - SERVICE_TIME,
        "{name}: begun after a wait of {longest} s"
    );
    let ledger = &run.ledger;
    assert_eq!(ledger.ok + ledger.rejected, ledger.intended, "{name}: {ledger:?}");
}

/// A row of the table in docs/overload.md.
fn row((name, policy): (&str, &[&str])) -> String {
    let cells = |run: &Run| {
        format!(
            "{:.1} % | {:.0} ms | {:.1} %",
            100.0 * run.goodput_rps.unwrap() / CAPACITY,
            1000.0 * longest_wait(run),
            100.0 * run.ledger.expired as f64 / run.ledger.intended as f64
        )
    };
    let (step, spike) = (run(policy, &STEP, "1"), run(policy, &SPIKE, "1"));
    format!(
        "| {name} | {} | {} | {:.2} |",
        cells(&step),
        cells(&spike),
        wait_after(policy)
    )
}

#[test]
fn in_a_step_every_line_answers_before_the_deadline_or_rejects_and_fifo_lets_calls_expire() {
    for (name, policy) in &POLICIES {
        if policy.first().is_some_and(|flag| *flag != "--line") {
            continue;
        }
        let run = run(policy, &STEP, "1");
        if policy.contains(&"fifo") {
            assert!(run.ledger.expired > run.ledger.ok, "{name}: {:?}", run.ledger);
        } else {
            assert_keeps_deadlines(name, &run);
        }
    }
}

#[test]
fn in_a_spike_the_lines_that_look_at_deadlines_keep_them() {
    for policy in [&["--line", "auto"], &["--line", "deadline"]] {
        let run = run(policy, &SPIKE, "1");
        assert_keeps_deadlines(policy[1], &run);
        let goodput = run.goodput_rps.unwrap() / CAPACITY;
        assert!(goodput > 0.97, "{policy:?}: {goodput:.3} of the capacity");
    }
}

#[test]
fn two_service_times_after_a_spike_a_call_waits_only_for_the_next_free_worker() {
    // While calls of the spike are still in line, all workers are busy. A new call that goes before them waits for the next
    // free worker, and for other new calls. With exponential service times that is S / c / (1 - load), as in a queue with
    // priorities without preemption (Cobham 1954): 0.5 S here. With constant ones it is less.
    let wait = wait_after(&[]);
    assert!(wait < 0.5, "{wait:.2} service times");
}

#[test]
fn the_table_is_as_measured() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/overload.md");
    let page = std::fs::read_to_string(page).unwrap();
    // The row of the defaults, and all with LONG_TESTS=1.
    let measured = if long_tests() { &POLICIES[..] } else { &POLICIES[..1] };
    let rows: Vec<String> = measured.iter().copied().map(row).collect();
    println!("{}", rows.join("\n"));
    let wrong = rows.iter().find(|row| !page.lines().any(|line| line == **row));
    assert_eq!(wrong, None, "docs/overload.md has other figures");
}
