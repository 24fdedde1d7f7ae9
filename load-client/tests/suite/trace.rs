//! Replays of traces: a generated trace with bursts, and the recorded one if it is available.

use std::{env, fmt::Write, path::PathBuf};

use crate::support::{Service, assert_balanced, load_client, long_tests, report};
use load_client::report::Run;

/// The variable with the folder of the recorded trace. docs/load-client.md says where the trace comes from.
const SHARED: &str = "SHARED_DIR";
const REAL_ROWS: u64 = 8_819;

/// A trace of bursts: 50 messages within 50 ms, then half a second without messages.
fn bursty(bursts: u32) -> String {
    let mut text = "id,seconds,units\n".to_owned();
    for burst in 0..bursts {
        for message in 0..50 {
            let at = f64::from(burst) * 0.55 + f64::from(message) / 1000.0;
            writeln!(text, "x,{at},{}", message % 10).unwrap();
        }
    }
    text
}

fn replay(service: &Service, file: &std::path::Path, columns: [&str; 2], more: &[&str]) -> Run {
    let [time, demand] = columns;
    let mut args = vec!["run", &service.url, "--trace", file.to_str().unwrap(), "-q"];
    args.extend([
        "--trace-time-column",
        time,
        "--trace-demand-column",
        demand,
        "--trace-demand-unit",
        "1ms",
    ]);
    args.extend(more);
    let (output, report) = report(args);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let run = report.runs.into_iter().next().unwrap();
    assert_balanced(&run);
    assert_eq!(run.load.arrival, "trace");
    run
}

#[test]
fn a_bursty_trace_replays_through_both_doors() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bursts.csv");
    std::fs::write(&file, bursty(4)).unwrap();
    let service = Service::start(["--workers", "4", "--service-time", "1h"]);

    let queued = replay(&service, &file, ["seconds", "units"], &["--mode", "enqueue"]);
    assert_eq!((queued.ledger.intended, queued.ledger.ok), (200, 200));
    // Every message took its demand from the trace; with the service's own service time of an hour, none would be done.
    assert_eq!(queued.audit.unwrap().done, 200);
    assert!(queued.load.duration_seconds > 1.69 && queued.load.duration_seconds < 1.71);

    let open = replay(&service, &file, ["seconds", "units"], &["--max-in-flight", "200"]);
    assert_eq!((open.ledger.intended, open.ledger.ok), (200, 200));

    let closed = replay(&service, &file, ["seconds", "units"], &["-c", "1"]);
    assert_eq!(closed.ledger.intended, 200);
    assert!(
        closed.ledger.withheld > 0,
        "one client that waits cannot send a message each millisecond"
    );
    assert_eq!(closed.ledger.ok + closed.ledger.withheld, 200);
}

#[test]
fn speed_scales_the_times() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bursts.csv");
    std::fs::write(&file, bursty(4)).unwrap();
    let service = Service::start(["--workers", "16", "--service-time", "0s"]);
    let run = replay(
        &service,
        &file,
        ["seconds", "units"],
        &["--mode", "enqueue", "--speed", "2x"],
    );
    assert!(run.load.duration_seconds > 0.84 && run.load.duration_seconds < 0.86);
}

#[test]
fn a_malformed_row_is_an_error_that_names_file_line_and_column() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("broken.csv");
    std::fs::write(&file, "seconds,units\n1,1\n2,many\n").unwrap();
    let mut command = load_client(["run", "http://127.0.0.1:1", "--trace-time-column", "seconds"]);
    let output = command
        .args(["--trace-demand-column", "units", "--trace"])
        .arg(&file)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("broken.csv: line 3, column units: \"many\""), "{said}");
}

#[test]
fn a_flag_without_effect_on_a_trace_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("short.csv");
    std::fs::write(&file, "at,work\n1,1\n2,1\n").unwrap();
    let refused = |flags: &str| {
        let trace = ["--trace", file.to_str().unwrap(), "--trace-time-column", "at"];
        let words = ["run", "http://127.0.0.1:1", "-q"].into_iter().chain(trace);
        let output = load_client(words.chain(flags.split(' '))).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{flags}: {said}");
        said
    };
    for (flags, said) in [
        (
            "--repeat",
            "--repeat repeats the stages of --stages, and a trace is replayed once; leave one of them out",
        ),
        (
            "--arrival poisson",
            "--arrival poisson spaces the requests of a rate, and a trace says when its requests are sent; leave one of them out",
        ),
        (
            "--trace-demand-unit 5ms",
            "--trace-demand-unit has no effect without --trace-demand-column: give both",
        ),
    ] {
        assert!(refused(flags).contains(said), "{flags}: {}", refused(flags));
    }
    // The error about a value from the environment names the variable.
    let mut command = load_client(["run", "http://127.0.0.1:1", "-q"]);
    let output = command.env("LOAD_TRACE_SEPARATOR", ";").output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        said.contains("LOAD_TRACE_SEPARATOR is for a trace, and there is no trace"),
        "{said}"
    );
}

/// A trace of 41 rows at intervals of 25 ms, so one second. `row` writes the row of a time in milliseconds.
fn every_25_ms(header: &str, row: impl Fn(u64) -> String) -> String {
    let rows: Vec<String> = (0..=40).map(|index| row(25 * index)).collect();
    format!("{header}\n{}\n", rows.join("\n"))
}

#[test]
fn units_separators_and_zones_are_given_or_follow_from_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let service = Service::start(["--workers", "4", "--service-time", "0s"]);
    let (epoch, noon) = (1_700_000_000_000, "2023-11-16 12:00:0");
    let stamp = |at: u64| format!("{noon}{}.{:03}", at / 1000, at % 1000);
    for (name, text, flags) in [
        (
            "ms",
            every_25_ms("at,x", |at| format!("{},1", epoch + at)),
            "--trace-time-unit ms",
        ),
        (
            "us",
            every_25_ms("at;x", |at| format!("{};1", (epoch + at) * 1000)),
            "--trace-time-unit us",
        ),
        (
            "ns",
            every_25_ms("x\tat", |at| format!("1\t{}", (epoch + at) * 1_000_000)),
            "--trace-time-unit ns",
        ),
        (
            "s",
            every_25_ms("at|x", |at| format!("{}|1", at as f64 / 1000.0)),
            "--trace-time-unit s",
        ),
        (
            "bigquery",
            every_25_ms("\u{feff}at,x", |at| format!("{} UTC,1", stamp(at))),
            "",
        ),
        ("offset", every_25_ms("at,x", |at| format!("{} +0000,1", stamp(at))), ""),
        (
            "local",
            every_25_ms("at,x", |at| format!("{},1", stamp(at))),
            "--trace-time-zone +02:00",
        ),
        (
            "colon",
            every_25_ms("at:x", |at| format!("{}:1", at as f64 / 1000.0)),
            "--trace-separator :",
        ),
    ] {
        let file = folder.path().join(name);
        std::fs::write(&file, text).unwrap();
        let words = [
            "run",
            &service.url,
            "-q",
            "--trace",
            file.to_str().unwrap(),
            "--trace-time-column",
            "at",
        ];
        let (output, report) = report(words.into_iter().chain(flags.split_whitespace()));
        assert!(
            output.status.success(),
            "{name}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        let run = &report.runs[0];
        assert_eq!((run.ledger.intended, run.load.clients), (41, 40), "{name}");
        assert!((run.load.duration_seconds - 1.0).abs() < 1e-6, "{name}: {:?}", run.load);
    }
}

#[test]
fn what_a_trace_leaves_in_doubt_is_refused_with_the_flag_that_says_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("doubtful.csv");
    for (text, flags, said) in [
        (
            "at,x\n1700000000000,1\n",
            "",
            "--trace-time-unit says which unit it has, such as ms",
        ),
        ("at,x\n1700000000000000,1\n", "", "such as us"),
        ("at,x\n1700000000000000000,1\n", "", "such as ns"),
        (
            "at_ms,x\n250,1\n",
            "--trace-time-column at_ms",
            "suggests --trace-time-unit ms",
        ),
        ("at;x,y\n1;2,3\n", "", "--trace-separator says"),
        (
            "at\n2023-11-16 12:00:00Z\n2023-11-16 12:00:00\n",
            "",
            "--trace-time-zone says",
        ),
        (
            "at\n2023-11-16 12:00:00 EST\n",
            "",
            "is neither a number of seconds nor a timestamp",
        ),
        ("at\n1\n", "--trace-separator ab", "--trace-separator"),
        ("at\n1\n", "--trace-time-unit m", "--trace-time-unit"),
        ("at\n1\n", "--trace-time-zone Nowhere/Else", "--trace-time-zone"),
    ] {
        std::fs::write(&file, text).unwrap();
        let column = if flags.contains("--trace-time-column") {
            ""
        } else {
            "--trace-time-column at"
        };
        let mut command = load_client(["run", "http://127.0.0.1:1", "-q", "--trace", file.to_str().unwrap()]);
        let output = command
            .args(flags.split_whitespace().chain(column.split_whitespace()))
            .output()
            .unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{text:?} {flags}: {stderr}");
        assert!(stderr.contains(said), "{text:?} {flags}: {stderr}");
    }
}

/// The path of the recorded trace. If it does not exist, this prints a message and returns `None`, or panics if `CI=true`.
fn real_trace() -> Option<PathBuf> {
    let shared = env::var_os(SHARED).map_or_else(|| PathBuf::from("../../shared"), PathBuf::from);
    let file = shared.join("traces/azure-llm-2023-code.csv");
    if file.exists() {
        return Some(file);
    }
    assert!(
        env::var("CI").as_deref() != Ok("true"),
        "{} is missing; set {SHARED}",
        file.display()
    );
    eprintln!(
        "SKIPPED: {} is not there, so the real trace was NOT replayed; set {SHARED}",
        file.display()
    );
    None
}

#[test]
fn the_real_trace_replays_through_both_doors() {
    let Some(file) = real_trace() else { return };
    let columns = ["TIMESTAMP", "GeneratedTokens"];
    let replay_real = |more: &[&str]| {
        let service = Service::start(["--workers", "64", "--service-time", "1h", "--queue", "unbounded"]);
        // The hour of traffic is replayed in a minute or in 15 s.
        let speed = if long_tests() { "60x" } else { "240x" };
        let more = [&["--speed", speed, "-c", "8"], more].concat();
        replay(&service, &file, columns, &more)
    };
    std::thread::scope(|scope| {
        let queued = scope.spawn(|| replay_real(&["--mode", "enqueue"]));
        let synchronous = scope.spawn(|| replay_real(&["--mode", "process"]));
        let queued = queued.join().unwrap();
        assert_eq!((queued.ledger.intended, queued.ledger.ok), (REAL_ROWS, REAL_ROWS));
        assert_eq!(queued.audit.unwrap().done, REAL_ROWS);
        let synchronous = synchronous.join().unwrap();
        assert_eq!(synchronous.ledger.intended, REAL_ROWS);
        assert_eq!(synchronous.ledger.ok + synchronous.ledger.withheld, REAL_ROWS);
        assert!(
            synchronous.ledger.withheld > 0,
            "eight clients that wait cannot send the bursts"
        );
    });
}
