//! `--fail-if` and `--abort-if` with real processes: a frozen service, a service that rejects a share of requests, and errors
//! about rules that cannot be parsed.

use std::{
    fs,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use crate::support::{
    Running, Service, assert_balanced, load_client,
    own_server::{Behaviour, serve},
    report,
    scrape::Page,
};
use load_client::{
    ledger::{AuditCounts, Ledger, Part},
    outcome::Outcome,
    report::{Report, Run},
};
use rustix::process::Signal;

/// How long the service is frozen.
const FREEZE: Duration = Duration::from_secs(2);

fn run_of(file: &Path) -> Run {
    let report: Report = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
    report.runs.into_iter().next().unwrap()
}

/// Freezes a service for two seconds in the middle of a run of 10 s at 200/s. Returns the run, the exit code, and for how many
/// seconds the service was really frozen.
fn frozen(flags: &[&str]) -> (Run, Option<i32>, f64) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.json");
    let service = Service::start(["--service-time", "1ms", "--workers", "4"]);
    let fixed = [
        "run",
        &service.url,
        "-r",
        "200",
        "-z",
        "10s",
        "--prometheus-addr",
        "127.0.0.1:0",
    ];
    let mut command = load_client(fixed.iter().chain(flags));
    command.args(["--fail-if", "p99>100ms", "--json"]).arg(&file);
    let client = Running::start(command);
    let line = client.wait_for_line("metrics at http://");
    let address = line.split("http://").nth(1).unwrap().split('/').next().unwrap();
    Page::wait_for(address, "the middle of the run", |page| {
        page.count("load_intended_total") > 600
    });
    let from = Instant::now();
    service.signal(Signal::STOP);
    thread::sleep(FREEZE);
    service.signal(Signal::CONT);
    let frozen = from.elapsed().as_secs_f64();
    let (status, _) = client.wait();
    let run = run_of(&file);
    assert_balanced(&run);
    assert_eq!(run.ledger.intended, 2000);
    assert_hole(&run, frozen);
    (run, status.code(), frozen)
}

/// Asserts that the time series has a hole without goodput as long as the freeze, and that requests were still scheduled in it.
fn assert_hole(run: &Run, frozen: f64) {
    let (mut longest, mut current, mut from) = (0, 0, 0.0);
    for point in &run.series {
        let silent = point.goodput_rps == Some(0.0);
        current = if silent { current + 1 } else { 0 };
        if current > longest && point.t < 10.0 {
            (longest, from) = (current, point.t);
        }
        assert!(point.t >= 10.0 || point.offered_rps > 0.0, "{point:?}");
    }
    let hole = f64::from(longest) * 0.1;
    assert!(
        hole > 0.8 * frozen && from > 2.0 && from < 9.0,
        "a hole of {hole} s until {from} s"
    );
}

#[test]
fn a_frozen_service_shows_in_the_p99_and_fails_its_gate() {
    let (run, code, frozen) = frozen(&["-c", "50"]);
    assert_eq!(code, Some(99));
    // A fifth of the requests are scheduled during the freeze, evenly, so the p99 of all is 0.95 of its length. A busy machine
    // makes it only longer.
    let p99 = run.response_time_seconds["ok"].p99;
    assert!(p99 > 0.85 * frozen, "{p99} s of {frozen} s");
    // Blocked clients send later. On a busy machine some have not sent all their requests when the load ends.
    assert!(run.ledger.withheld < 200, "{:?}", run.ledger);
    let gate = &run.gates[0];
    assert_eq!((gate.rule.as_str(), gate.met), ("p99>100ms", Some(true)));
    // Service time counts from the actual send, so the requests that blocked clients sent later show no long service time.
    assert!(run.service_time_seconds["ok"].mean < run.response_time_seconds["ok"].mean / 2.0);
}

#[test]
fn blocked_clients_cannot_hide_a_freeze() {
    let (run, code, _) = frozen(&["-c", "2", "--when-blocked", "withhold"]);
    assert_eq!(code, Some(99));
    assert!(run.ledger.withheld > 200, "{:?}", run.ledger);
    // The requests that were sent look healthy. Common tools report only these, and pass.
    assert!(run.response_time_seconds["ok"].p90 < 0.1);
    let gate = &run.gates[0];
    assert_eq!((gate.met, gate.seen), (Some(true), None));
    assert!(gate.says.contains("withheld"), "{}", gate.says);
}

#[test]
fn a_rule_that_is_to_abort_stops_the_run_as_soon_as_it_is_met() {
    let service = Service::start(["--service-time", "100ms", "--max-waiting", "0"]);
    let (output, report) = report([
        "run",
        &service.url,
        "-c",
        "8",
        "-r",
        "50",
        "-z",
        "1h",
        "--abort-if",
        "rejected>20%",
        "--abort-if",
        "failed>0",
        "--fail-if",
        "lost>0",
    ]);
    assert_eq!(output.status.code(), Some(99));
    let run = &report.runs[0];
    assert_balanced(run);
    assert!(run.load.duration_seconds < 600.0);
    let stopped: Vec<_> = run
        .gates
        .iter()
        .filter(|gate| gate.stopped_at_seconds.is_some())
        .collect();
    assert_eq!(stopped.len(), 1, "{:?}", run.gates);
    assert_eq!((stopped[0].rule.as_str(), stopped[0].met), ("rejected>20%", Some(true)));
    let table = String::from_utf8_lossy(&output.stdout);
    assert!(
        table.contains("FAIL  rejected")
            && table.contains("stopped the run after")
            && table.contains("pass  lost 0 <= 0"),
        "{table}"
    );
}

#[test]
fn a_rule_of_queued_messages_is_judged_in_virtual_time_too() {
    let (output, report) = report([
        "compare",
        "--virtual-time",
        "-z",
        "60s",
        "--slo",
        "1s",
        "--strategy",
        "async-bounded,sync",
        "--fail-if",
        "dropped>200",
        "--fail-if",
        "goodput>90%",
        "--abort-if",
        "p50(time-to-done)>10s",
        "-q",
    ]);
    assert_eq!(output.status.code(), Some(99));
    let met = |name| {
        let run = crate::support::named(&report, name);
        run.gates.iter().map(|gate| gate.met.unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(met("async-bounded"), [true, false, false]);
    // Half of the requests were withheld, so half are never done.
    assert_eq!(met("sync"), [false, false, false]);
}

#[test]
fn a_message_that_is_not_done_when_the_run_ends_was_never_done() {
    let args = ["compare", "--virtual-time", "-z", "60s", "--drain-limit", "1s", "-q"];
    let strategies = ["--strategy", "async-unbounded,async-bounded,async-scaled"];
    let rules = ["p40>1h", "p75>1h", "p75(time-to-done)<1h", "max(acknowledgement)>1h"];
    let rules = rules.iter().flat_map(|rule| ["--fail-if", rule]);
    let (output, report) = report(args.into_iter().chain(strategies).chain(rules));
    assert_eq!(output.status.code(), Some(99));
    // The service processes half of the messages. The other half is still queued, or was dropped.
    for (name, reason) in [("async-unbounded", "queued"), ("async-bounded", "discarded")] {
        let run = crate::support::named(&report, name);
        assert_balanced(run);
        let audit = run.audit.unwrap();
        let undone = audit.queued + audit.discarded;
        assert!(2 * undone > audit.done, "{audit:?}");
        let met: Vec<_> = run.gates.iter().map(|gate| gate.met).collect();
        assert_eq!(met, [Some(false), Some(true), Some(false), Some(false)], "{name}");
        let (gate, says) = (&run.gates[1], format!("{undone} of {} requests", run.ledger.intended));
        assert_eq!(gate.seen, None);
        assert!(
            gate.says.starts_with(&says) && gate.says.contains(reason),
            "{}",
            gate.says
        );
    }
    let other = crate::support::named(&report, "async-scaled");
    assert!(other.gates.iter().all(|gate| gate.seen.is_some()), "{:?}", other.gates);
}

#[test]
fn an_endless_backlog_is_aborted_in_virtual_time() {
    let (output, report) = report([
        "compare",
        "--virtual-time",
        "--strategy",
        "async-unbounded,async-scaled",
        "--abort-if",
        "p90(time-to-done)>10s",
        "-q",
    ]);
    assert_eq!(output.status.code(), Some(99));
    let aborted = crate::support::named(&report, "async-unbounded");
    // Of the messages done by the time t, the last tenth waited almost t/2, so the rule is met soon after 20 s.
    let at = aborted.gates[0].stopped_at_seconds.unwrap();
    assert!((20.0..30.0).contains(&at), "{at}");
    assert!(aborted.audit.as_ref().unwrap().queued > 0);
    let other = crate::support::named(&report, "async-scaled");
    assert_eq!(other.gates[0].met, Some(false));
    assert!(other.load.duration_seconds > 3599.0, "a rule stops its own run only");
}

#[test]
fn a_rule_that_cannot_be_read_is_a_usage_error_that_names_the_flag() {
    for (flag, rule, hint) in [
        ("--fail-if", "p99>250", "250ms"),
        ("--fail-if", "latency>1s", "p99>250ms"),
        ("--fail-if", "speed>1s", "goodput"),
        ("--fail-if", "error>1%", "errors are `failed`"),
        ("--fail-if", "rejected>0.05", "write 5%"),
        ("--abort-if", "rejected>20ms", "5%"),
    ] {
        let output = load_client(["run", "http://127.0.0.1:1", flag, rule]).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            said.contains(flag) && said.contains(rule) && said.contains(hint),
            "{said}"
        );
    }
}

#[test]
fn refusals_on_purpose_are_not_mixed_with_answers_and_fail_no_run() {
    let url = serve(Behaviour {
        refused_of_ten: 3,
        takes: Duration::from_millis(50),
        streams: None,
    });
    let load = ["run", &url, "-c", "50", "-r", "100", "-n", "500", "--slo", "5s"];
    let rules = [
        "--fail-if",
        "goodput<60%",
        "--fail-if",
        "p99(rejected)>5s",
        "--fail-if",
        "rejected>30%",
    ];
    let (output, report) = report(load.iter().chain(&rules));
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
    let run = &report.runs[0];
    assert_balanced(run);
    assert_eq!((run.ledger.ok, run.ledger.rejected), (350, 150));
    // Every accepted call takes at least 50 ms. At least half of the rejections are faster, also on a busy machine.
    assert!(run.response_time_seconds["ok"].p50 >= 0.05);
    assert!(run.response_time_seconds["rejected"].p50 < run.response_time_seconds["ok"].p50);
    let offered = run.load.offered_rps.unwrap();
    let share = run.goodput_rps.unwrap() / offered;
    assert!(share > 0.6 && share <= 0.7, "goodput {share}");

    let (output, report) = crate::support::report(load.iter().chain(&["--fail-if", "rejected>29%"]));
    assert_eq!(output.status.code(), Some(99));
    assert_eq!(report.runs[0].gates[0].met, Some(true));
    let table = String::from_utf8_lossy(&output.stdout);
    assert!(
        table.contains("FAIL  rejected 30.00 % (150 of 500) > 29 %\n\n1 gate: 1 failed"),
        "{table}"
    );
}

#[test]
fn the_help_and_its_page_name_every_count_and_every_outcome_that_a_rule_can_judge() {
    let help = load_client(["run", "--help"]).output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/gates.md")).unwrap();
    let ledger = Ledger::COLUMNS.iter().filter(|column| column.part != Part::Total);
    let audit = AuditCounts::COLUMNS.iter();
    let audit = audit.filter(|column| matches!(column.part, Part::Bad | Part::Beside));
    let counts = ledger.map(|column| column.name).chain(audit.map(|column| column.name));
    for name in counts.map(|name| name.replace('_', "-")) {
        assert!(help.contains(&name), "--help does not name {name}");
        assert!(
            page.contains(&format!("`{name}`")),
            "docs/gates.md does not name {name}"
        );
        // A rule can name it, and if it is an outcome, a rule can also name a percentile of its times.
        let rules = Outcome::ALL.iter().filter(|outcome| outcome.label() == name);
        let rules = rules.map(|outcome| format!("p99({})>1s", outcome.label()));
        for rule in rules.chain([format!("{name}>0")]) {
            rule.parse::<load_client::gates::Rule>()
                .unwrap_or_else(|error| panic!("{rule}: {error}"));
        }
    }
}

#[test]
fn a_bare_percentile_is_the_time_to_done_where_messages_are_queued() {
    let rules = [
        "p99>1s",
        "p99(time-to-done)>1s",
        "p99(acknowledgement)>1s",
        "p99(ok)>1s",
    ];
    let rules = rules.iter().flat_map(|rule| ["--fail-if", rule]);
    let args = [
        "compare",
        "--virtual-time",
        "-z",
        "10s",
        "-q",
        "--strategy",
        "async-unbounded,async-scaled",
    ];
    let (output, report) = report(args.into_iter().chain(rules));
    assert_eq!(output.status.code(), Some(99));
    let met = |name| {
        let run = crate::support::named(&report, name);
        run.gates.iter().map(|gate| gate.met).collect::<Vec<_>>()
    };
    let [fails, passes] = [Some(true), Some(false)];
    assert_eq!(met("async-unbounded"), [fails, fails, passes, passes]);
    assert_eq!(met("async-scaled"), [passes; 4]);
    let table = String::from_utf8_lossy(&output.stdout);
    assert!(
        table.contains("async-unbounded  FAIL  p99(time-to-done) 10.") && table.ends_with("8 gates: 2 failed\n\n"),
        "{table}"
    );
    // The synchronous call is faster, and a gate for this target uses its figures.
    let args = [
        "compare",
        "--virtual-time",
        "-z",
        "10s",
        "-q",
        "--strategy",
        "sync",
        "--fail-if",
        "p50(ok)>1s",
    ];
    let (output, _) = crate::support::report(args.into_iter().chain(["--fail-if", "p99(acknowledgement)>1s"]));
    let table = String::from_utf8_lossy(&output.stdout);
    let table = table.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        table.contains("FAIL (unknown) p99(acknowledgement)>1s: only Enqueue acknowledges; p99(ok) is the time"),
        "{table}"
    );
}

#[test]
fn a_time_to_done_that_is_not_known_is_no_pass_and_names_the_gate_to_write() {
    // With two URLs, which may be two instances, the load client watches neither, so the time to done is unknown.
    let service = Service::start(["--service-time", "1ms"]);
    let urls = format!("{0},{0}", service.url);
    let args = [
        "run", &urls, "--mode", "enqueue", "-c", "4", "-r", "40", "-n", "20", "-q",
    ];
    let rules = ["--fail-if", "p99>1s", "--fail-if", "p99(acknowledgement)>10s"];
    let (output, report) = report(args.into_iter().chain(rules));
    assert_eq!(output.status.code(), Some(99));
    let gates = &report.runs[0].gates;
    assert_eq!((gates[0].met, gates[1].met), (None, Some(false)));
    assert!(gates[0].says.contains("p99(acknowledgement)"), "{}", gates[0].says);
}
