//! The scripts of docs/overload.md with the real service and load client in virtual time: scenarios in which a known overload
//! control fails. Each is a lab file with a figure and a bound on it; the policy comes from flags.
//!
//! The tests hold the limit and the line `auto` to each script; `table` has every policy by every script.

mod table;

use std::{
    fmt,
    path::{Path, PathBuf},
};

use crate::support::{assert_balanced, long_tests, named, report};
use load_client::report::Run;

/// How many messages sixteen workers with 200 ms per message can process per second.
const CAPACITY: f64 = 80.0;

/// The bound of a figure.
enum Bound {
    AtLeast(f64),
    AtMost(f64),
}

/// A script: its lab file, its figure, and the bound of the figure.
struct Script {
    lab: &'static str,
    /// Flags that make the load shorter. The tests use them unless `LONG_TESTS=1` is set; the table does not.
    short: &'static [&'static str],
    figure: fn(&Run) -> f64,
    bound: Bound,
}

const SCRIPTS: [Script; 15] = [
    at_least("a", |run| goodput(run) / CAPACITY, 0.93),
    at_least("a-spike", ok, 0.96),
    // The figure is the mean limit in the last minute, divided by that in the second minute.
    at_most("b", |run| last(run, 60.0) / limit(run, 60.0, 120.0), 1.5).shorter(&["-z", "180s"]),
    // The figure is the mean limit in the last sixth of the load, divided by the number of workers.
    at_most("c", |run| last(run, load(run) / 6.0) / 16.0, 2.5).shorter(&["-z", "180s"]),
    at_least("d", |run| lower_of(run, (50.0, 0.5), (150.0, 1.0)), 0.93),
    at_least("e", |run| between(run, 60.0, 260.0) / CAPACITY, 0.9),
    at_most("f", |run| last(run, 10.0) / most_inside(run, 60.0), 5.0).shorter(&["-z", "120s"]),
    // The last limit is divided by the highest one before: `auto` alternates between two, and keeps one when the load falls.
    at_most("g", |run| last(run, 10.0) / highest(run, 30.0, 60.0), 1.25).shorter(&["--stages", "60s:160,120s:8"]),
    at_least("h", ok, 0.98),
    at_least("i", |run| goodput(run) / CAPACITY, 0.93),
    at_least("k", |run| goodput(run) / 5.0, 0.95),
    at_least("k-healthy", ok, 0.94),
    at_least("l", urgent, 0.99),
    at_least("o", |run| goodput(run) / CAPACITY, 0.9),
    at_least("p", ok, 0.93),
];

/// The policies, by name and by flags.
pub(crate) const POLICIES: [(&str, &[&str]); 11] = [
    ("auto · auto", &[]),
    ("auto from 20 · auto", &["--concurrency-limit", "20"]),
    ("auto · shed", &["--line", "shed"]),
    ("auto · fifo", &["--line", "fifo"]),
    ("auto · lifo", &["--line", "lifo"]),
    ("auto · codel", &["--line", "codel"]),
    ("auto · adaptive-lifo", &["--line", "adaptive-lifo"]),
    ("auto · deadline", &["--line", "deadline"]),
    ("aimd from 20 · auto", &["--limit", "aimd", "--concurrency-limit", "20"]),
    (
        "vegas from 20 · auto",
        &["--limit", "vegas", "--concurrency-limit", "20"],
    ),
    (
        "gradient2 from 20 · auto",
        &["--limit", "gradient2", "--concurrency-limit", "20"],
    ),
];

const fn at_least(lab: &'static str, figure: fn(&Run) -> f64, least: f64) -> Script {
    script(lab, figure, Bound::AtLeast(least))
}

const fn at_most(lab: &'static str, figure: fn(&Run) -> f64, most: f64) -> Script {
    script(lab, figure, Bound::AtMost(most))
}

const fn script(lab: &'static str, figure: fn(&Run) -> f64, bound: Bound) -> Script {
    Script {
        lab,
        short: &[],
        figure,
        bound,
    }
}

fn goodput(run: &Run) -> f64 {
    run.goodput_rps.unwrap()
}

/// The share of the scheduled requests that got an OK answer.
fn ok(run: &Run) -> f64 {
    run.ledger.ok as f64 / run.ledger.intended as f64
}

/// The share of the scheduled requests of the most urgent class that got an OK answer.
fn urgent(run: &Run) -> f64 {
    let ledger = &run.classes.as_ref().unwrap()[0].ledger;
    ledger.ok as f64 / ledger.intended as f64
}

/// The goodput per second between two times in seconds.
fn between(run: &Run, from: f64, to: f64) -> f64 {
    let steps = run.series.iter().filter(|point| point.t >= from && point.t < to);
    let done: Vec<f64> = steps.map(|point| point.goodput_rps.unwrap()).collect();
    done.iter().sum::<f64>() / done.len() as f64
}

/// The length of the load, in seconds.
fn load(run: &Run) -> f64 {
    run.load.duration_seconds
}

/// The limit at each step of the series between two times in seconds.
fn limits(run: &Run, from: f64, to: f64) -> Vec<f64> {
    let steps = run.series.iter().filter(|point| point.t >= from && point.t < to);
    let limits: Vec<f64> = steps
        .filter_map(|point| point.concurrency_limit.map(|limit| limit as f64))
        .collect();
    assert!(!limits.is_empty(), "the service says its limit");
    limits
}

/// The mean limit between two times in seconds.
fn limit(run: &Run, from: f64, to: f64) -> f64 {
    let limits = limits(run, from, to);
    limits.iter().sum::<f64>() / limits.len() as f64
}

/// The mean limit in the last `seconds` of the load.
fn last(run: &Run, seconds: f64) -> f64 {
    limit(run, load(run) - seconds, load(run))
}

/// The highest limit between two times in seconds.
fn highest(run: &Run, from: f64, to: f64) -> f64 {
    limits(run, from, to).into_iter().fold(0.0, f64::max)
}

/// The most requests in the system after a time in seconds. If the limit is higher than that, no request waits.
fn most_inside(run: &Run, from: f64) -> f64 {
    let steps = run.series.iter().filter(|point| point.t >= from);
    steps.filter_map(|point| point.in_system).max().unwrap() as f64
}

/// The lower goodput of two phases of 100 s, as a share of the capacity in the phase. A phase is given as its start in seconds and
/// its capacity as a share of the full one.
fn lower_of(run: &Run, one: (f64, f64), other: (f64, f64)) -> f64 {
    let share = |(from, share): (f64, f64)| between(run, from, from + 100.0) / CAPACITY / share;
    share(one).min(share(other))
}

impl Script {
    const fn shorter(self, short: &'static [&'static str]) -> Self {
        Self { short, ..self }
    }

    fn of(&self, flags: &[&str]) -> f64 {
        let labs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../labs/scripts");
        let lab: PathBuf = labs.join(format!("{}.toml", self.lab));
        let words = ["compare", lab.to_str().unwrap(), "--virtual-time", "-q"];
        let (output, report) = report(words.iter().chain(flags));
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let run = named(&report, "service");
        assert_balanced(run);
        assert_eq!(run.ledger.withheld, 0, "the loop is open");
        (self.figure)(run)
    }

    /// The figure with the shorter load, or with the whole load if `LONG_TESTS=1` is set.
    fn tested(&self, flags: &[&str]) -> f64 {
        let short = if long_tests() { &[] } else { self.short };
        self.of(&[flags, short].concat())
    }

    /// Whether the policy can be asked for: with the line shed no call waits, so no class comes first, and the program refuses
    /// both together.
    fn takes(&self, flags: &[&str]) -> bool {
        self.lab != "l" || !flags.contains(&"shed")
    }

    fn holds(&self, figure: f64) -> bool {
        match self.bound {
            Bound::AtLeast(least) => figure >= least,
            Bound::AtMost(most) => figure <= most,
        }
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtLeast(least) => write!(f, "≥ {least}"),
            Self::AtMost(most) => write!(f, "≤ {most}"),
        }
    }
}

fn by_name(lab: &str) -> &'static Script {
    SCRIPTS.iter().find(|script| script.lab == lab).unwrap()
}

fn assert_holds(labs: &[&str]) {
    assert_holds_with(&POLICIES[..2], labs);
}

fn assert_holds_with(policies: &[(&str, &[&str])], labs: &[&str]) {
    for lab in labs {
        for (name, flags) in policies {
            let script = by_name(lab);
            let figure = script.tested(flags);
            println!("{lab}: {figure:.3} with {name}");
            assert!(
                script.holds(figure),
                "{lab}: {figure:.3} with {name}, not {}",
                script.bound
            );
        }
    }
}

#[test]
fn auto_takes_steps_and_a_cold_start() {
    assert_holds(&["a", "o"]);
}

#[test]
fn auto_forgets_a_spike() {
    assert_holds(&["a-spike"]);
}

#[test]
fn auto_takes_the_loss_of_workers_and_a_time_without_answers() {
    assert_holds(&["d", "e"]);
}

#[test]
fn auto_takes_fast_failures_and_prefers_the_urgent_class() {
    assert_holds(&["i", "l"]);
}

#[test]
fn auto_rejects_little_of_a_load_that_the_service_can_do() {
    assert_holds(&["h", "k"]);
}

#[test]
fn auto_rejects_little_near_the_capacity() {
    assert_holds(&["k-healthy", "p"]);
}

#[test]
fn auto_keeps_its_limit_while_the_service_is_calm_and_where_nothing_limits_it() {
    assert_holds(&["f", "g"]);
}

#[test]
fn auto_does_not_creep_up_in_overload() {
    // Only with --concurrency-limit does `auto` search; without it the limit is the number of workers and cannot creep up.
    assert_holds_with(&POLICIES[1..2], &["b", "c"]);
}

#[test]
fn policies_with_known_faults_fail() {
    for (lab, flags) in [
        ("a", &["--line", "shed"][..]),
        ("a", &["--limit", "vegas", "--concurrency-limit", "20"]),
        ("l", &["--limit", "aimd", "--concurrency-limit", "20"]),
        ("c", &["--limit", "aimd", "--concurrency-limit", "20"]),
    ] {
        let script = by_name(lab);
        let figure = script.tested(flags);
        assert!(!script.holds(figure), "{lab} {flags:?}: {figure:.3}");
    }
}
