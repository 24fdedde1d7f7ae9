//! The scripts of docs/overload.md over the whole stack in virtual time: stories in which a known overload control fails. Each is a
//! lab file with a figure and the least that the figure must be; the policy comes from flags.
//!
//! `scripts/bench scripts` prints every policy by every script.

use std::{
    path::{Path, PathBuf},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use crate::support::{assert_balanced, named, report};
use load_client::report::Run;

/// What sixteen workers can do with 200 ms for a message, per second.
const CAPACITY: f64 = 80.0;

/// A script: its lab file, its figure, and the least that is right.
struct Script {
    lab: &'static str,
    figure: fn(&Run) -> f64,
    least: f64,
}

const SCRIPTS: [Script; 11] = [
    script("a", |run| goodput(run) / CAPACITY, 0.93),
    script("a-spike", ok, 0.96),
    script("d", |run| lower_of(run, (50.0, 0.5), (150.0, 1.0)), 0.93),
    script("e", |run| between(run, 60.0, 260.0) / CAPACITY, 0.9),
    script("h", ok, 0.98),
    script("i", |run| goodput(run) / CAPACITY, 0.93),
    script("k", |run| goodput(run) / 5.0, 0.95),
    script("k-healthy", ok, 0.94),
    script("l", urgent, 0.99),
    script("o", |run| goodput(run) / CAPACITY, 0.9),
    script("p", ok, 0.93),
];

/// The policies, by name and by flags.
const POLICIES: [(&str, &[&str]); 11] = [
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

const fn script(lab: &'static str, figure: fn(&Run) -> f64, least: f64) -> Script {
    Script { lab, figure, least }
}

fn goodput(run: &Run) -> f64 {
    run.goodput_rps.unwrap()
}

/// The share of scheduled requests that was answered.
fn ok(run: &Run) -> f64 {
    run.ledger.ok as f64 / run.ledger.intended as f64
}

/// The same of the urgent class.
fn urgent(run: &Run) -> f64 {
    let ledger = &run.classes.as_ref().unwrap()[0].ledger;
    ledger.ok as f64 / ledger.intended as f64
}

/// Messages done in time per second, between two times in seconds.
fn between(run: &Run, from: f64, to: f64) -> f64 {
    let steps = run.series.iter().filter(|point| point.t >= from && point.t < to);
    let done: Vec<f64> = steps.map(|point| point.goodput_rps.unwrap()).collect();
    done.iter().sum::<f64>() / done.len() as f64
}

/// The lower goodput of two phases of 100 s, each with its beginning and its share of the capacity.
fn lower_of(run: &Run, one: (f64, f64), other: (f64, f64)) -> f64 {
    let share = |(from, share): (f64, f64)| between(run, from, from + 100.0) / CAPACITY / share;
    share(one).min(share(other))
}

impl Script {
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

    fn holds(&self, figure: f64) -> bool {
        figure >= self.least
    }
}

fn by_name(lab: &str) -> &'static Script {
    SCRIPTS.iter().find(|script| script.lab == lab).unwrap()
}

fn assert_holds(labs: &[&str]) {
    for lab in labs {
        for (name, flags) in &POLICIES[..2] {
            let script = by_name(lab);
            let figure = script.of(flags);
            println!("{lab}: {figure:.3} with {name}");
            assert!(
                script.holds(figure),
                "{lab}: {figure:.3} with {name}, at least {}",
                script.least
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
fn policies_with_known_faults_fail() {
    for (lab, flags) in [
        ("a", &["--line", "shed"][..]),
        ("a", &["--limit", "vegas", "--concurrency-limit", "20"]),
        ("l", &["--limit", "aimd", "--concurrency-limit", "20"]),
    ] {
        let script = by_name(lab);
        let figure = script.of(flags);
        assert!(!script.holds(figure), "{lab} {flags:?}: {figure:.3}");
    }
}

#[test]
#[ignore = "takes minutes: scripts/bench scripts"]
fn every_policy_by_every_script() {
    let cells: Vec<(usize, usize)> = (0..POLICIES.len())
        .flat_map(|policy| (0..SCRIPTS.len()).map(move |script| (policy, script)))
        .collect();
    let (next, figures) = (AtomicUsize::new(0), Mutex::new(vec![0.0; cells.len()]));
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some((place, (policy, script))) =
                    cells.iter().enumerate().nth(next.fetch_add(1, Ordering::Relaxed))
                {
                    let figure = SCRIPTS[*script].of(POLICIES[*policy].1);
                    figures.lock().unwrap()[place] = figure;
                }
            });
        }
    });
    let figures = figures.into_inner().unwrap();
    let heads = SCRIPTS.map(|script| format!("{} (≥ {})", script.lab, script.least));
    println!("| limit · line | {} |", heads.join(" | "));
    println!("|---|{}", "--:|".repeat(SCRIPTS.len()));
    for ((name, _), row) in POLICIES.iter().zip(figures.chunks(SCRIPTS.len())) {
        let cell = |(script, figure): (&Script, &f64)| {
            if script.holds(*figure) {
                format!("{figure:.2}")
            } else {
                format!("**{figure:.2}**")
            }
        };
        let cells: Vec<String> = SCRIPTS.iter().zip(row).map(cell).collect();
        println!("| {name} | {} |", cells.join(" | "));
    }
    let of_auto = figures[..2 * SCRIPTS.len()].iter().zip(SCRIPTS.iter().cycle());
    let failed: Vec<&str> = of_auto
        .filter(|(figure, script)| !script.holds(**figure))
        .map(|(_, script)| script.lab)
        .collect();
    assert_eq!(failed, [""; 0], "auto passes every script");
}
