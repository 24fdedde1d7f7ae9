//! `load-client selftest`, as a user runs it: it proves that the measurements are right, or says why it cannot.

use std::{
    io::{BufRead, BufReader},
    process::{Output, Stdio},
    thread,
};

use crate::support::{load_client, signal};
use load_client::selftest::Experiment;
use rustix::process::Signal;

/// The figures of each experiment. The list is complete, so a figure that is no longer judged is noticed.
const FIGURES: [(Experiment, &[&str]); 9] = [
    (
        Experiment::FreezeOpen,
        &[
            "scheduled",
            "ok",
            "response time p99",
            "response time mean",
            "not answered within 100 ms",
            "hole in the series",
            "gate p99>100ms",
            "counts that do not add up",
        ],
    ),
    (
        Experiment::FreezeBacklog,
        &[
            "scheduled",
            "ok",
            "response time p99",
            "service time p99",
            "gate p99>100ms",
            "counts that do not add up",
        ],
    ),
    (
        Experiment::FreezeWithhold,
        &[
            "scheduled",
            "withheld",
            "ok + withheld",
            "gate p99>100ms",
            "counts that do not add up",
        ],
    ),
    (
        Experiment::Delay,
        &[
            "ok",
            "response time, shortest",
            "response time p50",
            "response time p99",
            "service time, shortest",
            "service time p99",
            "counts that do not add up",
        ],
    ),
    (
        Experiment::FewClients,
        &[
            "scheduled",
            "ok + withheld",
            "withheld",
            "limited by",
            "counts that do not add up",
        ],
    ),
    (
        Experiment::Refusals,
        &[
            "scheduled",
            "calls that came in",
            "rejected",
            "ok",
            "goodput",
            "response time (ok), shortest",
            "response time (ok) p50",
            "response time (rejected) p99",
            "counts that do not add up",
        ],
    ),
    (
        Experiment::Losses,
        &[
            "calls that came in",
            "acknowledged",
            "done",
            "lost",
            "done twice",
            "counts that do not add up",
        ],
    ),
    (
        Experiment::Drops,
        &[
            "acknowledged",
            "dropped, says the service",
            "dropped, says the audit",
            "queued",
            "lost",
            "counts that do not add up",
        ],
    ),
    (
        Experiment::Death,
        &[
            "scheduled",
            "unavailable",
            "ok + unavailable",
            "rejected",
            "failed",
            "expired",
            "restarts",
            "goodput of the last second",
            "counts that do not add up",
        ],
    ),
];

/// The cell of a line in the table's column `column`, which ends at the column `next`.
fn cell<'a>(header: &str, line: &'a str, column: &str, next: Option<&str>) -> &'a str {
    let from = header.find(column).unwrap();
    let to = next.map(|next| header.find(next).unwrap());
    // Byte positions are right, because only the column "reported" can have non-ASCII characters, and the last column is taken
    // from the end.
    let cell = match to {
        Some(to) => line.get(from..to),
        None => line.split("  ").last(),
    };
    cell.unwrap_or_default().trim()
}

/// The rows of the table: the experiment, the figure, and the cell "agrees".
fn rows(text: &str) -> Vec<(String, String, String)> {
    let mut lines = text.lines().skip_while(|line| !line.starts_with("experiment"));
    let header = lines.next().unwrap_or_else(|| panic!("no table: {text}"));
    let mut experiment = String::new();
    lines
        .take_while(|line| !line.is_empty())
        .map(|line| {
            let name = cell(header, line, "experiment", Some("figure"));
            if !name.is_empty() {
                name.clone_into(&mut experiment);
            }
            let figure = cell(header, line, "figure", Some("expected"));
            (
                experiment.clone(),
                figure.to_owned(),
                cell(header, line, "agrees", None).to_owned(),
            )
        })
        .collect()
}

fn text(output: &Output) -> (String, String) {
    (
        String::from_utf8_lossy(&output.stdout).into_owned(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    )
}

/// No test asserts how fast the machine is: on a machine that is too busy, the selftest must say only that. Figures that do
/// not depend on the machine's speed must still be right.
#[test]
fn every_figure_is_what_it_must_be() {
    let output = load_client(["selftest", "-q"]).env("COLUMNS", "200").output().unwrap();
    let (said, errors) = text(&output);
    assert_eq!(errors, "", "quiet is quiet");
    let rows = rows(&said);
    let expected: Vec<(&str, &str)> = FIGURES
        .iter()
        .flat_map(|(experiment, figures)| figures.iter().map(|figure| (experiment.name(), *figure)))
        .collect();
    let found: Vec<(&str, &str)> = rows.iter().map(|row| (row.0.as_str(), row.1.as_str())).collect();
    assert_eq!(found, expected, "{said}");
    assert!(!rows.iter().any(|row| row.2 == "NO"), "{said}");
    if rows.iter().all(|row| row.2 == "yes") {
        assert_eq!(output.status.code(), Some(0), "{said}");
        assert!(
            said.contains("The measuring is right: all 61 figures are what they must be."),
            "{said}"
        );
    } else {
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains("this machine was too busy ("), "{said}");
        assert!(said.contains("Nothing is proved: "), "{said}");
    }
}

#[test]
fn a_stop_ends_it_and_says_what_was_not_done() {
    let mut command = load_client(["selftest"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // After its first line of progress the program handles signals.
    let mut progress = BufReader::new(child.stderr.take().unwrap());
    progress.read_line(&mut String::new()).unwrap();
    signal(&child, Signal::INT);
    // The rest is read too, so that the pipe never becomes full.
    let reading = thread::spawn(move || progress.lines().for_each(drop));
    let output = child.wait_with_output().unwrap();
    reading.join().unwrap();
    let (said, _) = text(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    let last = said.trim_end().lines().last().unwrap();
    assert!(
        last.starts_with("Stopped, so nothing is proved. Not done: freeze-open, "),
        "{said}"
    );
}

#[test]
fn the_help_says_what_it_proves_and_how_it_exits() {
    let output = load_client(["selftest", "--help"]).output().unwrap();
    let (said, _) = text(&output);
    for part in ["Test the measurements themselves", "It exits with 0 if all", "--quiet"] {
        assert!(said.contains(part), "{said}");
    }
    let (all, _) = text(&load_client(["--help"]).output().unwrap());
    assert!(all.contains("selftest  "), "{all}");
}
