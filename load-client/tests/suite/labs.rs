//! Lab files, with the real program: an error names the line of the file, a lab written with `--print-lab` gives the same figures,
//! and an event has the effect that arithmetic predicts.

use std::{collections::BTreeSet, fs, path::Path};

use crate::support::{assert_balanced, load_client, named, report};
use load_client::{
    lab::{Lab, schema::schema},
    report::{Report, Run},
};

fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// Runs `compare` on a lab. Returns the exit code and stderr, in which `FILE` replaces the file's name.
fn refused(lab: &str, flags: &[&str]) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("lab.toml");
    fs::write(&file, lab).unwrap();
    let output = load_client(["compare".as_ref(), file.as_os_str()])
        .args(flags)
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    (output.status.code(), said.replace(file.to_str().unwrap(), "FILE"))
}

const STRATEGY: &str = "[[strategy]]\nname = \"s\"\nmode = \"process\"\n";

#[test]
#[expect(clippy::too_many_lines, reason = "a table of errors, each with its whole text")]
fn what_is_wrong_in_a_lab_is_said_in_one_line_with_its_place() {
    let strategy = |rest: &str| format!("{STRATEGY}{rest}");
    let queued = |rest: &str| strategy(rest).replace("process", "enqueue");
    let event = |rest: &str| format!("[load]\nduration = \"10s\"\n{STRATEGY}[[event]]\n{rest}");
    for (lab, says) in [
        (
            "titel = \"x\"".to_owned(),
            "1: a lab has no key \"titel\"; the nearest is \"title\"",
        ),
        ("title = 3".to_owned(), "1: title must be a text in quotes"),
        (
            "\n[load]\ndurration = \"3s\"".to_owned(),
            "3: [load] has no key \"durration\"; the nearest is \"duration\"",
        ),
        ("[load]\nclients = 0".to_owned(), "2: clients = 0: must be at least 1"),
        (
            "[load]\narrival = \"posson\"".to_owned(),
            "2: arrival = \"posson\" is none of its values; the nearest is \"poisson\"",
        ),
        (
            "[load]\nrps = 3\nstages = \"1s:2\"".to_owned(),
            "2: rps cannot be used with stages",
        ),
        (
            "[load]\nrepeat = \"yes\"".to_owned(),
            "2: repeat is a switch: write repeat = true or repeat = false",
        ),
        (
            "[load]\nclients = [1, 2]".to_owned(),
            "2: clients takes one value, not a list",
        ),
        (
            "[load]\nmode = \"process\"".to_owned(),
            "2: mode belongs into each [[strategy]]: mode = \"process\" or \"enqueue\"",
        ),
        (
            "[service]\nworker = 2".to_owned(),
            "2: [service] has no key \"worker\"; the nearest is \"workers\"",
        ),
        (
            "[service]\nworkers = 70000".to_owned(),
            "2: workers = 70000: must be at most 65536",
        ),
        (
            "[[strategy]]\nmode = \"process\"".to_owned(),
            "1: a strategy needs name, like name = \"codel\"",
        ),
        (
            "[[strategy]]\nname = \"A b\"\nmode = \"process\"".to_owned(),
            "2: the name \"A b\" must be made of a to z, 0 to 9 and -",
        ),
        (
            "[[strategy]]\nname = \"s\"\nmode = \"queue\"".to_owned(),
            "3: mode = \"queue\" is none of its values; there are process, enqueue",
        ),
        (
            strategy(STRATEGY),
            "4: there are two strategies \"s\"; each needs a name of its own",
        ),
        (
            strategy("instances = 0"),
            "4: instances must be a whole number from 1 to 100",
        ),
        (
            strategy("instances = 3"),
            "1: s: instances = 3 is for mode = \"enqueue\": the service that has a call of Process also answers it",
        ),
        (
            queued("instances = 2"),
            "1: s: instances = 2 needs a queue that the services share: add queue = \"nats://HOST:PORT\", or give --nats \
             nats://HOST:PORT",
        ),
        (
            queued("instances = 2\nqueue = \"nats://localhost\""),
            "1: s: instances = 2 share the workers, and workers = 1 is too few: each instance needs one at least",
        ),
        (
            queued("instances = 2\nqueue = \"nats://localhost\"\nservice = { workers = 2, accept = \"none\" }"),
            "1: s: instances = 2 and accept contradict each other: one service accepts, and the others work; leave accept out",
        ),
        (
            queued(
                "instances = 2\nqueue = \"nats://localhost\"\nservice = { workers = 2 }\n[[event]]\nat = \"1s\"\nservice = { \
                 workers = 1 }",
            ),
            "7: instances = 2 share the workers, and workers = 1 is too few: each instance needs one at least",
        ),
        (
            queued("queue = \"bounded\"\nservice = { queue = \"unbounded\" }"),
            "4: queue stands here and in service; leave one of them out",
        ),
        (
            queued("queue = \"http://localhost\""),
            "4: queue = \"http://localhost\": must begin with nats:// or tls://",
        ),
        (
            strategy("service = { zebra = \"codel\", workers = 2 }"),
            "4: service has no key \"zebra\"; there are",
        ),
        (
            strategy("service = { line = \"shed\" }\n[service]\nworkers = 2\nclasses = \"strict\""),
            "7: s: line and classes contradict each other: with the line shed no call waits, so none comes first; leave one of \
             them out",
        ),
        (
            strategy("[strategy.service]\nline = \"lifo\"\ntarget-wait = \"1s\""),
            "6: s: line and target-wait contradict each other: this line does not look at how long calls wait; leave one of them \
             out",
        ),
        (
            event("at = \"10s\"\nservice = { workers = 2 }"),
            "6: at = \"10s\" is not before the end of the load, which lasts 10.0 s",
        ),
        (
            event("at = \"soon\"\nservice = { workers = 2 }"),
            "7: at = \"soon\": expected number at 0; write it as 250ms or 2s",
        ),
        (
            event("at = \"5s\"\nstrategies = [\"t\"]\nservice = { workers = 2 }"),
            "8: there is no strategy \"t\"; there are s",
        ),
        (
            event("at = \"5s\"\nservice = { queue = \"unbounded\" }"),
            "8: queue cannot change while a service runs; an event can change workers, service-time, fail-rate, fail-time",
        ),
        (
            event("at = \"5s\"\nservice = { workrs = 2 }"),
            "8: service has no key \"workrs\"; an event can change workers, service-time, fail-rate, fail-time",
        ),
        (
            event("at = \"5s\""),
            "6: an event needs to say what changes, like service = { workers = 2 }",
        ),
        (
            strategy("service = { fail-time = \"10ms\" }"),
            "4: s: fail-time has no effect, because no message fails: give --fail-rate too, or leave fail-time out",
        ),
        ("a = ".to_owned(), "1: this is no TOML: "),
        (
            "[load]\nclients = 1\nclients = 2".to_owned(),
            "3: this is no TOML: duplicate key",
        ),
    ] {
        let (code, said) = refused(&lab, &["--virtual-time", "-q"]);
        let line = format!("load-client: FILE:{says}");
        assert_eq!((code, said.lines().count()), (Some(2), 1), "{lab}\n{said}");
        let whole = ["there are", "TOML: ", "duplicate key"]
            .iter()
            .any(|open| says.ends_with(open));
        assert!(
            said.starts_with(&line) && (whole || said.trim_end() == line),
            "{lab}\n{said}\n{line}"
        );
    }
}

#[test]
fn what_flags_and_lab_say_together_can_be_wrong_too() {
    let halved = "[load]\nduration = \"10s\"\n[[event]]\nat = \"5s\"\nservice = { workers = 2 }";
    for (flags, says) in [
        (
            vec!["-z", "4s"],
            "FILE:3: at = \"5s\" is not before the end of the load, which lasts 4.00 s",
        ),
        (
            vec!["--strategy", "synk"],
            "FILE: there is no strategy \"synk\"; there are async-unbounded, async-scaled, async-bounded, sync, sync-shed; the \
             nearest is \"sync\"",
        ),
        (vec!["--strategy", "sync", "--queue-capacity", "3"], ""),
    ] {
        let (code, said) = refused(halved, &[&flags[..], &["--virtual-time", "-q"]].concat());
        let expected = if says.is_empty() { Some(0) } else { Some(2) };
        assert_eq!(code, expected, "{said}");
        assert!(
            says.is_empty() || said.trim_end() == format!("load-client: {says}"),
            "{said}"
        );
    }
    let (code, said) = refused(halved, &["--target", "a=http://127.0.0.1:1", "--mode", "enqueue"]);
    assert_eq!(code, Some(2));
    assert!(said.contains("a --target cannot be changed from here"), "{said}");
    let classes = format!("[service]\nclasses = \"strict\"\n{STRATEGY}");
    let contradict = "and classes contradict each other: with the line shed no call waits, so none comes first; leave one of them out";
    let (code, said) = refused(&classes, &["--line", "shed", "--virtual-time"]);
    assert_eq!(code, Some(2));
    assert_eq!(said.trim_end(), format!("load-client: FILE:2: s: line {contradict}"));
    let flags = ["--line", "shed", "--max-waiting", "3", "--virtual-time"];
    let (code, said) = refused(STRATEGY, &flags);
    assert_eq!(code, Some(2));
    assert!(
        said.starts_with("load-client: FILE: s: line and max-waiting contradict each other"),
        "{said}"
    );
    let missing = load_client(["compare", "/nowhere/lab.toml"]).output().unwrap();
    let said = String::from_utf8_lossy(&missing.stderr).into_owned();
    assert_eq!(missing.status.code(), Some(2));
    assert_eq!(
        said.trim_end(),
        "load-client: cannot read /nowhere/lab.toml: No such file or directory (os error 2)"
    );
}

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

/// The rates of labs/halved-workers.toml, for 16 s. Ten times as many workers take ten times as long for a message, so the time
/// that a busy machine adds to each message matters only a tenth as much.
const HALVED: &str = r#"
[load]
clients = 100
rps = 100
duration = "16s"
[service]
workers = 100
service-time = "800ms"
max-waiting = 1000
[[strategy]]
name = "queue"
mode = "enqueue"
service = { queue = "unbounded" }
[[strategy]]
name = "sync"
mode = "process"
[[event]]
at = "8s"
service = { workers = 50 }
"#;

fn queue_at_end(run: &Run) -> f64 {
    run.service.as_ref().unwrap().queue_depth_end.unwrap() as f64
}

/// The largest queue depth that the series shows before a time.
fn deepest_before(run: &Run, seconds: f64) -> u64 {
    let before = run.series.iter().filter(|point| point.t < seconds);
    before.filter_map(|point| point.queue_depth).max().unwrap()
}

#[test]
fn half_of_the_workers_do_half_of_the_work_to_the_message() {
    let folder = tempfile::tempdir().unwrap();
    let lab = workspace().join("labs/halved-workers.toml");
    let write = |name: &str| {
        let file = folder.path().join(name);
        let mut command = load_client(["compare", lab.to_str().unwrap(), "--virtual-time", "-q", "--json"]);
        assert!(command.arg(&file).status().unwrap().success());
        fs::read(file).unwrap()
    };
    let bytes = write("first.json");
    assert!(bytes == write("second.json"), "the same lab gives the same bytes");
    let report: Report = serde_json::from_slice(&bytes).unwrap();
    report.runs.iter().for_each(assert_balanced);
    for run in &report.runs {
        let events = run.events.as_ref().unwrap();
        assert_eq!((events.len(), events[0].says.as_str()), (1, "5 workers instead of 10"));
        assert!((events[0].at_seconds - 30.0).abs() < f64::EPSILON);
        assert_eq!(run.ledger.intended, 6000);
    }
    let queue = named(&report, "async-unbounded");
    // Ten workers process 125 messages per second, so at 100 no queue forms. Five process 62.5, so the queue grows by 37.5 per
    // second for 30 s. For each of the five workers the result can differ by one message.
    assert!(deepest_before(queue, 29.0) <= 10, "{}", deepest_before(queue, 29.0));
    let left = queue_at_end(queue);
    assert!((left - 37.5 * 30.0).abs() <= 5.0, "{left}");
    let drain = queue.service.as_ref().unwrap().drain_seconds.unwrap();
    assert!((drain - (left + 5.0) / 62.5).abs() < 0.2, "{drain}");
    assert_eq!(queue.audit.as_ref().unwrap().done, 6000);

    // With twenty clients that wait: all of the 100 per second for 30 s, then as many as five workers can process.
    let sync = named(&report, "sync");
    let done = sync.ledger.ok as f64;
    assert!((done - (3000.0 + 62.5 * 30.0)).abs() <= 10.0, "{done}");
    assert_eq!(sync.ledger.withheld, 6000 - sync.ledger.ok);
    assert!(sync.service.as_ref().unwrap().in_system_max <= 20);
}

/// The mean service time of a queued message on this machine, in seconds.
fn service_time(run: &Run) -> f64 {
    run.time_to_done_seconds.unwrap().mean - run.queue_wait_seconds.unwrap().mean
}

#[test]
fn half_of_the_workers_do_half_of_the_work_over_sockets() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("lab.toml");
    fs::write(&file, HALVED).unwrap();
    // On a busy machine messages take longer, and such an attempt proves nothing about this program.
    for attempt in 1..=5 {
        let (output, report) = report(["compare", file.to_str().unwrap(), "-q"]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        report.runs.iter().for_each(assert_balanced);
        assert_eq!(report.runs.len(), 2, "a lab is run once, in real time");
        let (queue, sync) = (named(&report, "queue"), named(&report, "sync"));
        for run in [queue, sync] {
            let events = run.events.as_ref().unwrap();
            assert_eq!(
                (events.len(), events[0].says.as_str()),
                (1, "50 workers instead of 100")
            );
            assert!(!run.virtual_time && run.ledger.intended == 1600);
        }
        assert_eq!(queue.audit.as_ref().unwrap().done, 1600);
        let took = service_time(queue);
        if took > 0.808 {
            eprintln!("attempt {attempt}: a message of 800 ms took {took:.3} s: this machine is too busy to tell");
            continue;
        }
        let share = |seen: f64, expected: f64| (seen / expected - 1.0).abs();
        let left = queue_at_end(queue);
        assert!(share(left, 37.5 * 8.0) <= 0.03, "{left} left, at {took} s a message");
        assert!(deepest_before(queue, 7.0) <= 20, "{}", deepest_before(queue, 7.0));
        let done = sync.ledger.ok as f64;
        // At the end up to 50 clients wait in line, and are answered after it: 25 is the middle.
        let expected = 800.0 + 62.5 * 8.0 + 25.0;
        assert!(share(done, expected) <= 0.03, "{done} done, at {took} s a message");
        return;
    }
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

/// The service of the Docker stack that runs with default settings.
const UNTUNED: &str = "sync-auto";

/// The service of the Docker stack whose instances share a queue.
const SHARED: &str = "async-durable";

/// The names of strategies in a file: each stands between the text `before` and the character `after`.
fn names(file: &str, before: &str, after: char) -> BTreeSet<String> {
    let text = fs::read_to_string(workspace().join(file)).unwrap();
    let parts = text.match_indices(before).map(|(at, _)| &text[at + before.len()..]);
    let names = parts.filter_map(|rest| Some(rest.split_once(after)?.0.trim().to_owned()));
    names
        .filter(|name| !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c == '-'))
        .collect()
}

#[test]
fn stack_and_dashboards_have_the_strategies_of_the_worked_example_and_one_that_is_not_tuned() {
    let lab = Lab::built_in().strategies(load_client::compare::REAL).unwrap();
    let lab: BTreeSet<String> = lab.into_iter().map(|strategy| strategy.name).collect();
    assert_eq!(lab.len(), 5);
    let stack: BTreeSet<String> = lab.iter().cloned().chain([UNTUNED.to_owned()]).collect();
    // The shared queue is in a profile of its own, and Prometheus finds its services by their names.
    let services: BTreeSet<String> = stack.iter().cloned().chain([SHARED.to_owned()]).collect();
    assert_eq!(names("docker-compose.yml", "LOAD_URL: \"http://", ':'), services);
    assert_eq!(names("grafana/boards/strategies.py", "\n    \"", '"'), services);
    assert_eq!(names("prometheus/targets/foo-service.yml", "strategy: ", '}'), stack);
    assert_eq!(names("prometheus/targets/load-client.yml", "strategy: ", '}'), stack);
    let help = load_client(["compare", "--help"]).output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    for name in &lab {
        assert!(help.contains(name), "{name} is not in the help of --strategy");
    }
}
