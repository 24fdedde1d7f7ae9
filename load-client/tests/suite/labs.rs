//! Lab files, with the real program: a lab written with `--print-lab` gives the same figures, the flags of the service reach the
//! strategies, and the schema is the committed one.

use std::fs;

use crate::support::{load_client, report, workspace};
use load_client::{lab::schema::schema, report::Report};

fn print_lab(args: &[&str]) -> String {
    let output = load_client(["compare", "--print-lab"]).args(args).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn figures(args: &[&str]) -> Report {
    let (output, report) = report([&["compare", "--virtual-time", "-q"], args].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Report {
        command: None,
        ..report
    }
}

#[test]
fn a_lab_that_was_written_down_gives_the_same_figures() {
    let folder = tempfile::tempdir().unwrap();
    let bursts = workspace().join("labs/bursts.toml");
    let halved = workspace().join("labs/halved-workers.toml");
    let stages = [
        "-c",
        "7",
        "--stages",
        "4s:2,2s:30,4s:2",
        "--workers",
        "3",
        "--service-time",
        "90ms",
    ];
    let shed = [
        "-z",
        "20s",
        "--strategy",
        "sync-shed,async-bounded",
        "--max-waiting",
        "2",
        "--queue-capacity",
        "5",
    ];
    let poisson = [
        "-z",
        "20s",
        "--arrival",
        "poisson",
        "--service-time-distribution",
        "exponential",
        "--seed",
        "5",
    ];
    for (number, args) in [
        vec!["-z", "30s"],
        stages.to_vec(),
        shed.to_vec(),
        poisson.to_vec(),
        vec![bursts.to_str().unwrap(), "--speed", "100x"],
        vec![halved.to_str().unwrap(), "--workers", "4"],
    ]
    .iter()
    .enumerate()
    {
        let file = folder.path().join(format!("{number}.toml"));
        let lab = print_lab(args);
        fs::write(&file, &lab).unwrap();
        assert_eq!(figures(&[file.to_str().unwrap()]), figures(args), "{args:?}\n{lab}");
        // Writing that lab again gives the same text.
        assert_eq!(print_lab(&[file.to_str().unwrap()]), lab);
    }
}

#[test]
fn what_reads_a_trace_goes_with_the_trace_of_a_lab_and_comes_to_it_from_the_command_line() {
    let folder = tempfile::tempdir().unwrap();
    let csv = folder.path().join("t.csv");
    fs::write(&csv, "at;work\n0;1\n1;2\n").unwrap();
    let file = folder.path().join("lab.toml");
    let strategy = "[[strategy]]\nname = \"a\"\nmode = \"process\"\nload = { speed = 2 }\n";
    let load = "trace = \"t.csv\"\ntrace-time-column = \"at\"\ntrace-demand-column = \"work\"";
    fs::write(
        &file,
        format!("[load]\n{load}\ntrace-demand-unit = \"2ms\"\n{strategy}"),
    )
    .unwrap();
    let file = file.to_str().unwrap();
    let more = ["--trace-separator", ";", "--trace-time-unit", "s", "--speed", "3x"];
    let lab = print_lab(&[&[file][..], &more].concat());
    for key in [
        "trace-separator",
        "trace-time-unit",
        "trace-demand-unit",
        "speed = \"3x\"",
    ] {
        assert!(lab.contains(key), "{key}: {lab}");
    }
    for over in [
        &["--rps", "5"][..],
        &["--stages", "1s:5", "--repeat"],
        &["--rps-per-client", "1"],
    ] {
        let lab = print_lab(&[&[file, "-z", "2s"][..], over].concat());
        assert!(!lab.contains("trace") && !lab.contains("speed"), "{over:?}: {lab}");
    }
    // Another trace is read as the lab says, where no flag says otherwise.
    let other = folder.path().join("other.csv");
    fs::write(&other, "at;work\n0;1\n3;2\n").unwrap();
    let other = other.to_str().unwrap();
    let lab = print_lab(&[file, "--trace", other, "--trace-separator", ";"]);
    for key in [other, "trace-time-column = \"at\"", "trace-demand-column = \"work\""] {
        assert!(lab.contains(key) && !lab.contains("t.csv"), "{key}: {lab}");
    }
    // A lab without a trace names no column.
    let nameless = load_client(["compare", "--virtual-time", "--trace", other])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&nameless.stderr).into_owned();
    assert_eq!(nameless.status.code(), Some(2), "{said}");
    assert!(said.contains("give --trace-time-column"), "{said}");
    // The example has a rate: what repeats stages, or reads a trace, has no effect on it.
    for alone in [&["--repeat"][..], &["--speed", "2x"], &["--trace-demand-unit", "2ms"]] {
        let output = load_client(["compare", "--virtual-time"].iter().chain(alone))
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2), "{alone:?}");
    }
}

#[test]
fn the_flags_of_the_service_reach_the_strategies_they_are_for() {
    let lab = print_lab(&[
        "--workers",
        "3",
        "--service-time",
        "80ms",
        "--queue-capacity",
        "5",
        "--max-waiting",
        "2",
        "--stages",
        "1s:2",
    ]);
    for line in [
        "stages = \"1s:2\"",
        "workers = 3",
        "service-time = \"80ms\"",
        "max-waiting = 2147483647",
        "service = { workers = 6, queue = \"unbounded\" }",
        "service = { queue = \"bounded\", queue-capacity = 5, when-full = \"drop-oldest\" }",
        "service = { max-waiting = 2 }",
    ] {
        assert!(lab.lines().any(|found| found == line), "{line}\n{lab}");
    }
    assert!(!lab.contains("rps"), "{lab}");
}

#[test]
fn the_schema_of_lab_files_is_as_committed() {
    let file = workspace().join("docs/lab.schema.json");
    let now = format!("{}\n", serde_json::to_string_pretty(&schema()).unwrap());
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        fs::write(&file, &now).unwrap();
    }
    let committed = fs::read_to_string(&file).unwrap_or_default();
    assert!(
        committed == now,
        "docs/lab.schema.json differs: UPDATE_SCHEMA=1 cargo test --workspace --test suite schema"
    );
}
