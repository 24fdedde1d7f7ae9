//! The files of a run: the time series as CSV, and saved reports that are shown and compared later.

use std::{fs, path::Path};

use crate::support::load_client;
use load_client::report::Report;

/// Runs a minute of the worked example with this many clients, in virtual time. Returns the path of the saved report.
fn save(folder: &Path, name: &str, clients: &str) -> String {
    let file = folder.join(name).to_str().unwrap().to_owned();
    let csv = folder.join("series.csv");
    let args = [
        "compare",
        "--virtual-time",
        "-z",
        "60s",
        "-r",
        "8",
        "-q",
        "-c",
        clients,
        "--strategy",
        "sync,sync-shed",
    ];
    let output = load_client(args)
        .args(["--fail-if", "withheld>90%", "--json", &file, "--csv"])
        .arg(&csv)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    file
}

fn shown(files: &[&str]) -> String {
    let output = load_client(["report"].iter().chain(files)).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_series_is_written_line_by_line_as_the_report_has_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = save(folder.path(), "report.json", "4");
    let report: Report = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
    let mut lines = csv::Reader::from_path(folder.path().join("series.csv")).unwrap();
    let columns = [
        "run",
        "t_seconds",
        "queue_depth",
        "in_system",
        "queue_bytes",
        "offered_rps",
        "goodput_rps",
        "time_to_done_p99_seconds",
        "response_time_p50_seconds",
        "response_time_p99_seconds",
        "resident_bytes",
        "concurrency_limit",
    ];
    assert!(lines.headers().unwrap().iter().eq(columns));
    let lines: Vec<csv::StringRecord> = lines.records().map(Result::unwrap).collect();
    let points: Vec<_> = report
        .runs
        .iter()
        .flat_map(|run| run.series.iter().map(move |point| (run, point)))
        .collect();
    assert_eq!(lines.len(), points.len());
    assert!(!lines.is_empty());
    for (line, (run, point)) in lines.iter().zip(points) {
        assert_eq!(&line[0], run.name);
        assert_eq!(line[1].parse(), Ok(point.t));
        assert_eq!(line[3].parse().ok(), point.in_system);
        assert_eq!(line[5].parse(), Ok(point.offered_rps));
        assert_eq!(line[7].parse().ok(), point.time_to_done_p99);
        assert_eq!(line[8].parse().ok(), point.response_time_p50);
        assert_eq!(line[9].parse().ok(), point.response_time_p99);
        assert_eq!(line[10].parse().ok(), point.resident_bytes);
        assert_eq!(line[11].parse().ok(), point.concurrency_limit);
        // Process answers when the message is processed, so the response time is the time to done.
        assert_eq!(point.response_time_p99, point.time_to_done_p99);
    }
}

#[test]
fn a_saved_report_is_shown_as_it_was_and_two_with_what_has_changed() {
    let folder = tempfile::tempdir().unwrap();
    let four = save(folder.path(), "four.json", "4");
    let eight = save(folder.path(), "eight.json", "8");
    let one = shown(&[&four]);
    assert!(
        one.contains("sync-shed")
            && one.contains("backpressure")
            && one.contains("pass  withheld")
            && one.contains("2 gates: all passed"),
        "{one}"
    );

    let changes = shown(&[&four, &eight]);
    // Clients wait for each answer, so the most in the system is the number of clients.
    let most = changes.lines().find(|line| line.starts_with("most in system")).unwrap();
    assert!(most.ends_with("+100.0 %"), "{changes}");
    assert!(changes.contains("four.json") && changes.contains("eight.json"));
    // On a machine with more cores the number of connections differs too.
    assert!(changes.starts_with("The loads differ: clients 4 and 8."), "{changes}");

    let same = shown(&[&four, &four]);
    assert!(
        same.lines().any(|line| line.starts_with("ok") && line.ends_with('=')),
        "{same}"
    );
    assert!(!same.contains("differ"));
}

#[test]
fn a_change_is_held_against_what_several_runs_differ_by() {
    let folder = tempfile::tempdir().unwrap();
    let [three, four, five] = ["3", "4", "5"].map(|clients| save(folder.path(), &format!("{clients}.json"), clients));
    let row = |changes: &str| {
        let row = changes.lines().find(|line| line.starts_with("most in system")).unwrap();
        row.trim_end().to_owned()
    };
    let within = shown(&[&four, "--against", &three, "--against", &five]);
    assert!(row(&within).ends_with("3 to 5"), "{within}");
    let beyond = shown(&[&five, "--against", &three, "--against", &four]);
    assert!(
        row(&beyond).contains("3 to 4") && row(&beyond).ends_with("yes"),
        "{beyond}"
    );
    assert!(beyond.contains("mean of 2"), "{beyond}");
}

#[test]
fn what_is_no_report_is_said_to_be_none() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("other.json");
    fs::write(&file, r#"{"schema": "something else"}"#).unwrap();
    for (file, hint) in [
        (file.as_path(), "--json"),
        (Path::new("/nonexistent.json"), "cannot read"),
    ] {
        let output = load_client(["report"]).arg(file).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains(hint) && said.contains(file.to_str().unwrap()), "{said}");
    }
    assert_eq!(load_client(["report"]).output().unwrap().status.code(), Some(2));
}
