//! The load client makes the requested load: its rate, number of requests and length are right, and so is its goodput. In
//! virtual time, where every figure is exact, and over sockets.

use crate::support::{
    Service, assert_balanced, load_client,
    own_server::{Behaviour, serve},
    report,
};
use load_client::report::Run;

/// Runs one strategy of the worked example in virtual time.
fn virtual_run(strategy: &str, flags: &str) -> Run {
    let fixed = ["compare", "--virtual-time", "-q", "--strategy", strategy];
    let (output, report) = report(fixed.into_iter().chain(flags.split(' ')));
    assert!(
        output.status.success(),
        "{flags}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let run = report.runs.into_iter().next().unwrap();
    assert_balanced(&run);
    run
}

fn near(what: &str, found: f64, right: f64, by: f64) {
    assert!((found - right).abs() <= by, "{what}: {found}, not {right}");
}

#[test]
fn fewer_requests_than_clients_keep_the_rate() {
    // The last number is the tolerance for the end of the load, in seconds, because the phases of the clients are random.
    for (flags, requests, seconds, by) in [
        ("-n 20 -r 10 -c 100", 20, 2.0, 0.5),
        ("-n 150 -r 100 -c 100", 150, 1.5, 0.1),
        ("-n 10 -r 5 -c 50 --arrival poisson", 10, 2.0, 1.5),
        ("-n 100 -r 100 -c 100", 100, 1.0, 1e-6),
        ("-n 1 -r 8 -c 4", 1, 0.125, 0.25),
        ("-n 7 --rps-per-client 2 -c 4", 7, 0.875, 0.25),
        ("-n 80 -c 100 --stages 10s:8,60s:0", 80, 10.0, 1.2),
        ("-n 120 -c 4 --stages 10s:8,10s:0 --repeat", 120, 25.0, 1e-6),
    ] {
        let run = virtual_run("async-scaled", flags);
        assert_eq!(run.ledger.intended, requests, "{flags}");
        let duration = run.load.duration_seconds;
        near(flags, duration, seconds, by);
        near(flags, run.load.offered_rps.unwrap(), requests as f64 / duration, 1e-6);
    }
}

#[test]
fn a_number_of_requests_is_made_even_if_clients_wait() {
    // Two clients with answers after 50 ms can send only 40 requests a second, not 200. All requests are still sent, later.
    let url = serve(Behaviour {
        refused_of_ten: 0,
        takes: std::time::Duration::from_millis(50),
        streams: None,
    });
    let (output, report) = report(["run", &url, "-n", "20", "-r", "200", "-c", "2", "-q"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let run = &report.runs[0];
    assert_balanced(run);
    assert_eq!((run.ledger.intended, run.ledger.ok), (20, 20));
    near("the load", run.load.duration_seconds, 0.1, 1e-6);
}

#[test]
fn a_load_lasts_as_long_as_was_asked_for() {
    for (flags, seconds, intended, last_point) in [
        ("--stages 10s:8,60s:0", 70.0, 80, 69.8),
        ("--stages 10s:8,60s:0 -z 70s", 70.0, 80, 69.8),
        ("--stages 10s:8 -z 70s", 70.0, 80, 69.8),
        ("--stages 10s:8,60s:0 -z 20s", 20.0, 80, 19.9),
        ("--stages 10s:4", 10.0, 40, 9.9),
        ("--stages 1s:8", 1.0, 8, 0.9),
    ] {
        let run = virtual_run("async-unbounded", flags);
        near(flags, run.load.duration_seconds, seconds, 1e-9);
        assert_eq!(run.ledger.intended, intended, "{flags}");
        near(flags, run.load.offered_rps.unwrap(), intended as f64 / seconds, 1e-9);
        let last = run.series.last().unwrap().t;
        assert!(last >= last_point - 1e-6, "{flags}: the series ends at {last}");
    }
    // The waiting messages were processed during the pause at the end of the load.
    let paused = virtual_run("async-unbounded", "--stages 10s:8,60s:0").service.unwrap();
    assert_eq!(paused.queue_depth_end, Some(0));
    near("the drain", paused.drain_seconds.unwrap(), 0.0, 1e-9);
    assert!(paused.queue_depth_max >= 38);
}

#[test]
fn a_stage_without_sends_lasts_over_sockets_too() {
    let service = Service::start(["--service-time", "0s"]);
    let run = |flags: &str, url: &str| {
        let words = ["run", url, "-q"].into_iter().chain(flags.split(' '));
        let (output, report) = report(words);
        assert!(
            output.status.success(),
            "{flags}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        report.runs.into_iter().next().unwrap()
    };
    for (flags, seconds, intended) in [
        ("--stages 1s:1 -c 1", 1.0, 1),
        ("--stages 200ms:50,800ms:0 -c 5", 1.0, 10),
        ("--stages 200ms:50 -z 1s -c 5", 1.0, 10),
    ] {
        let run = run(flags, &service.url);
        assert_balanced(&run);
        near(flags, run.load.duration_seconds, seconds, 1e-9);
        near(flags, run.load.offered_rps.unwrap(), run.ledger.intended as f64, 1e-9);
        assert_eq!(run.ledger.intended, intended, "{flags}");
        assert!(run.series.last().unwrap().t >= 0.9, "{flags}");
    }
    // The series has the same length if the service has no Watch.
    let unwatched = serve(Behaviour {
        refused_of_ten: 0,
        takes: std::time::Duration::ZERO,
        streams: None,
    });
    let last = *run("--stages 200ms:50,800ms:0", &unwatched).series.last().unwrap();
    assert_eq!((last.t, last.offered_rps, last.goodput_rps), (0.9, 0.0, Some(0.0)));
}

#[test]
fn a_ramp_sends_its_integral() {
    let up = virtual_run("async-scaled", "--stages 10s:0..100 --slo 1s");
    assert_eq!(up.ledger.intended, 500);
    near("offered", up.load.offered_rps.unwrap(), 50.0, 1e-9);
    let step = up.series[1].t;
    for second in 0..10 {
        let within = f64::from(second)..f64::from(second + 1);
        let within = up.series.iter().filter(|point| within.contains(&point.t));
        let offered: f64 = within.map(|point| point.offered_rps * step).sum();
        // The expected number is the integral of 10 t; each of the four clients can be off by less than one request.
        near("offered in a second", offered, 5.0 + 10.0 * f64::from(second), 4.0);
    }
    let stages = up.configuration.unwrap().stages.unwrap();
    assert_eq!((stages[0].rps, stages[0].end_rps), (0.0, Some(100.0)));

    let twice = virtual_run("async-scaled", "--stages 5s:20..0,5s:4 --repeat -z 20s");
    assert_eq!(twice.ledger.intended, 2 * (50 + 20));
    assert_eq!(twice.configuration.unwrap().stages.unwrap()[1].end_rps, None);
    let random = virtual_run("async-scaled", "--stages 10s:0..100 --arrival poisson");
    assert!(random.ledger.intended.abs_diff(500) < 5 * 23, "{:?}", random.ledger);
}

#[test]
fn a_run_in_which_all_is_done_in_time_has_a_goodput_of_all() {
    let url = serve(Behaviour {
        refused_of_ten: 0,
        takes: std::time::Duration::from_millis(50),
        streams: None,
    });
    for flags in [
        "-n 1 --fail-if goodput<50%",
        "-n 1 --fail-if goodput<100%",
        "-n 50 -r 100 -c 50 --fail-if goodput<99.5%",
        "-r 100 -z 500ms -c 100 --fail-if goodput<99.5%",
        "--stages 500ms:100 -c 100 --fail-if goodput<99.5%",
    ] {
        let (output, report) = report(["run", &url, "-q"].into_iter().chain(flags.split(' ')));
        assert_eq!(
            output.status.code(),
            Some(0),
            "{flags}: {}",
            String::from_utf8_lossy(&output.stdout)
        );
        let run = &report.runs[0];
        assert_eq!(run.goodput_rps, run.load.offered_rps, "{flags}");
    }
    // Requests that miss the SLO do not count as goodput, even if they are done.
    let late = virtual_run("async-unbounded", "-r 8 -z 20s --slo 2s");
    let good = late.goodput_rps.unwrap() * 20.0;
    assert!((4.0..=20.0).contains(&good), "{good} of {:?}", late.ledger);
}

#[test]
fn a_rule_on_the_way_judges_goodput_by_what_is_known() {
    // Answers take 700 ms, so after a second more than half of the requests are in flight, and all will be good.
    let url = serve(Behaviour {
        refused_of_ten: 0,
        takes: std::time::Duration::from_millis(700),
        streams: None,
    });
    let rules = ["--abort-if", "goodput<60%", "--abort-if", "goodput<30/s"];
    let load = ["run", &url, "-r", "50", "-z", "2500ms", "-c", "50", "-q"];
    let (output, report) = report(load.iter().chain(&rules));
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
    assert_eq!(report.runs[0].ledger.ok, report.runs[0].ledger.intended);
}

#[test]
fn a_warm_up_that_leaves_nothing_to_judge_is_refused_before_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("trace.csv");
    std::fs::write(&trace, "at\n0\n1\n2\n").unwrap();
    let trace = format!("--trace {} --trace-time-column at", trace.display());
    for flags in [
        "-z 5s --warmup 5s",
        "--warmup 10s",
        "-n 10 --warmup 5s",
        "-n 10 -r 100 -c 50 --warmup 1s",
        "--stages 1s:20 --warmup 5s",
        "--stages 1s:20 --warmup 1s",
        "--stages 1s:20,1s:40 --repeat -z 3s --warmup 3s",
        "--stages 1s:20,1s:40 --repeat -n 80 --warmup 3s",
        &format!("{trace} --warmup 3s"),
        &format!("{trace} -n 1 --warmup 1s"),
        "-n 10 -r 0 --warmup 1s",
    ] {
        let words = ["run", "http://127.0.0.1:1", "-q"].into_iter().chain(flags.split(' '));
        let output = load_client(words).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{flags}: {said}");
        assert!(said.contains("--warmup"), "{flags}: {said}");
    }
    for flags in [
        "compare --virtual-time --warmup 1h",
        "compare --warmup 20s",
        "compare --warmup 5s -n 8",
    ] {
        let output = load_client(flags.split(' ')).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{flags}: {said}");
    }
    let run = virtual_run("sync", "-r 4 -n 40 --warmup 9s");
    assert!(run.ledger.intended > 0 && run.ledger.intended < 10, "{:?}", run.ledger);
}

#[test]
fn a_first_run_has_clients_enough_for_a_service_that_takes_its_time() {
    let url = serve(Behaviour {
        refused_of_ten: 0,
        takes: std::time::Duration::from_millis(100),
        streams: None,
    });
    for (flags, clients) in [
        ("-r 100 -z 1s", 100),
        ("-r 2 -n 1", 1),
        ("--stages 500ms:10..60 --slo 5s", 17),
        ("--stages 2s:10..60 --slo 5s", 60),
        ("--rps-per-client 5 -z 1s", 4),
        ("-r 100 -z 1s --max-in-flight 20", 5),
        ("-r 100 -z 100ms -c 7", 7),
        ("-r 2 -n 1 --connections 6", 6),
        ("-r 0 -n 10", 4),
    ] {
        let (output, report) = report(["run", &url, "-q"].into_iter().chain(flags.split(' ')));
        assert!(
            output.status.success(),
            "{flags}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        let run = &report.runs[0];
        assert_balanced(run);
        assert_eq!(run.load.clients, clients, "{flags}");
        // A hundred clients send one request each, so none is withheld because of another.
        assert!(run.ledger.withheld == 0 || clients < 100, "{flags}: {:?}", run.ledger);
    }
    assert_eq!(virtual_run("sync", "-r 100 -z 1s").load.clients, 4);
}

#[test]
fn flags_that_cannot_be_had_together_are_refused_and_not_changed() {
    for (flags, said) in [
        (
            "--connections 10 -c 2",
            "--connections 10 is more than the number of clients (2)",
        ),
        (
            "--threads 3 -c 2",
            "--threads 3 is more than the number of connections (2)",
        ),
        (
            "--threads 3 --connections 2",
            "--threads 3 is more than the number of connections (2)",
        ),
        ("-n 2000 -r 0.00001", "longer than a year"),
        ("-n 200m --arrival poisson", "--requests must be at most 100000000"),
        (
            "--rps-per-client 100m -c 10",
            "requests per second of all clients together",
        ),
        ("--stages 10s:5..", "--stages"),
        ("-n 1.5", "--requests"),
    ] {
        let words = ["run", "http://127.0.0.1:1", "-q"].into_iter().chain(flags.split(' '));
        let output = load_client(words).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{flags}: {stderr}");
        assert!(stderr.contains(said), "{flags}: {stderr}");
    }
}
