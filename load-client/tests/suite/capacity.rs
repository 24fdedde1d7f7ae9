//! `load-client capacity` with services of known capacity, in virtual time and over sockets.

use std::{path::Path, sync::Arc, time::Duration};

use clap::Parser;
use load_client::{
    cli::{Cli, Command},
    report::{FoundReport, Limit, ProbeReport, ProbeResult, Report},
};
use rustix::process::Signal;

use crate::support::{
    Running, Service, assert_balanced, load_client,
    markup::parse,
    own_server::{Behaviour, serve},
    report, signal,
};

/// Flags for tests that are as short as possible.
const SHORT: [&str; 8] = [
    "--settle",
    "500ms",
    "--test",
    "2s",
    "--last-test",
    "4s",
    "--first-rps",
    "40",
];

fn found(report: &Report) -> &FoundReport {
    report.capacity.as_ref().unwrap()
}

/// Asserts that every test of the search has a run, and that its counts add up.
fn assert_tests(report: &Report) {
    let found = found(report);
    assert_eq!(found.probes.len(), report.runs.len());
    for probe in &found.probes {
        assert_balanced(report.run(&probe.run).unwrap());
    }
}

#[cfg(feature = "embedded")]
#[derive(Parser)]
struct Flags {
    #[command(flatten)]
    settings: foo_service::config::Settings,
}

#[cfg(feature = "embedded")]
/// Searches for the capacity of a service in this process, in virtual time. `flags` are those of the service, and `change`
/// changes the defaults of the command.
async fn in_virtual_time(
    flags: &[&str],
    change: impl FnOnce(&mut load_client::capacity::Setting),
) -> load_client::capacity::Found {
    use load_client::{
        call::Call,
        capacity::{Lengths, Setting, find},
        embedded::Embedded,
        scenario::Rpc,
        stop::Stopper,
        ui::progress::ProgressStyle,
    };

    let flags = Flags::parse_from(["foo-service"].iter().chain(flags));
    let service = Embedded::in_memory(flags.settings, "capacity".to_owned());
    let words = ["load-client", "capacity", "http://localhost:1", "-c", "16"];
    let Command::Capacity(args) = Cli::parse_from(words).command else {
        panic!("it is a search")
    };
    let load = (**args.load).clone();
    let schedule = load.schedule().unwrap();
    let scenario = load.scenario(schedule, load_client::compare::REAL);
    let mut setting = Setting {
        load,
        rpc: Rpc::Process,
        services: 1,
        call: Arc::new(Call::foo(&scenario)),
        dial: service.dial(),
        target: None,
        virtual_time: true,
        rules: args.fail_if.clone(),
        search: args.search.settings(),
        lengths: Lengths {
            settle: args.search.settle,
            test: args.search.test,
            last_test: args.search.last_test,
        },
        style: ProgressStyle::Nothing,
    };
    change(&mut setting);
    let found = find(&setting, &Arc::new(Stopper::default())).await.unwrap();
    service.stop().await;
    found
}

#[cfg(feature = "embedded")]
#[tokio::test(start_paused = true)]
async fn in_virtual_time_the_bracket_is_within_2_percent_of_workers_over_service_time() {
    for (workers, millis, line) in [(4, 25, "auto"), (2, 50, "fifo")] {
        // At too high a rate, one line rejects requests, and the other makes response times grow. The search must notice both.
        let (count, time) = (workers.to_string(), format!("{millis}ms"));
        let flags = [
            "--workers",
            &count,
            "--service-time",
            &time,
            "--line",
            line,
            "--max-waiting",
            "100000",
        ];
        let found = in_virtual_time(&flags, |setting| {
            (setting.search.first, setting.search.precision) = (30.0, 0.01);
            setting.lengths.settle = Duration::from_secs(1);
            setting.lengths.test = Duration::from_secs(4);
            setting.lengths.last_test = Duration::from_secs(10);
        })
        .await;
        let capacity = f64::from(workers) * 1000.0 / f64::from(millis);
        let report = &found.report;
        let (holds, fails) = (report.holds_rps.unwrap(), report.fails_rps.unwrap());
        println!(
            "{workers} workers, {time}, {line}: {capacity}/s, found {holds} to {fails}: {}",
            report.says
        );
        assert!(report.found && report.limited_by == Some(Limit::Service), "{report:#?}");
        for rate in [holds, fails] {
            assert!((rate / capacity - 1.0).abs() <= 0.02, "{capacity}: {holds} to {fails}");
        }
        for measured in &found.measured {
            assert_eq!(measured.imbalances, Vec::<String>::new(), "{}", measured.report.name);
        }
    }
}

#[cfg(feature = "embedded")]
#[tokio::test(start_paused = true)]
async fn with_the_defaults_the_capacity_of_a_service_of_25_ms_is_found_in_less_than_five_minutes() {
    for workers in [1, 4] {
        let began = tokio::time::Instant::now();
        let flags = ["--workers", &workers.to_string(), "--service-time", "25ms"];
        let report = in_virtual_time(&flags, |_| ()).await.report;
        let took = began.elapsed();
        println!("{workers} workers: {took:?}, {} tests", report.probes.len());
        assert!(report.found, "{report:#?}");
        assert!(took < Duration::from_secs(300), "{took:?}: {report:#?}");
        // At twice the capacity a test of 5 s gets late answers from its start, because requests from before it wait in front.
        let capacity = f64::from(workers) * 40.0;
        let above = |probe: &&ProbeReport| probe.rps > 1.05 * capacity;
        for probe in report.probes.iter().filter(above) {
            assert_eq!(probe.result, ProbeResult::Fails, "{probe:?}");
        }
    }
}

#[test]
fn over_sockets_the_capacity_is_within_5_percent_of_workers_over_measured_service_time() {
    let service = Service::start(["--workers", "4", "--service-time", "25ms"]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("knee.html");
    let args = [
        "capacity",
        &service.url,
        "--precision",
        "3%",
        "--html",
        file.to_str().unwrap(),
    ];
    let search = || report(args.iter().chain(&SHORT));
    // On a busy machine the load client is sometimes the limit, and the search then finds no capacity.
    let refused = |(_, report): &(_, Report)| found(report).limited_by == Some(Limit::Generator);
    let (output, report) = (0..2)
        .map(|_| search())
        .find(|answer| !refused(answer))
        .unwrap_or_else(search);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let found = found(&report);
    assert!(output.status.success() && found.found, "{said}{text}");
    assert_tests(&report);
    // A sleep of 25 ms takes a little longer. The median of the last test shows how long it takes on this machine.
    let last = found.probes.iter().rfind(|probe| probe.long).unwrap();
    let last = report.run(&last.run).unwrap();
    let waited = last.queue_wait_seconds.unwrap().p50;
    let capacity = 4.0 / (last.service_time_seconds["ok"].p50 - waited);
    let (holds, fails) = (found.holds_rps.unwrap(), found.fails_rps.unwrap());
    println!("measured {capacity:.1}/s, found {holds} to {fails}");
    assert!(holds < fails && fails / holds < 1.031, "{holds} to {fails}");
    assert!(
        (holds / capacity - 1.0).abs() < 0.05,
        "{capacity} measured, {holds} to {fails} found: {said}"
    );
    assert!(text.contains(&found.says[..30]) && text.contains("last test"), "{text}");
    assert!(said.contains("last test"), "{said}");
    assert_page(&file, &report);
    // The page and the text can be made from the saved report alone.
    let saved = folder.path().join("saved.json");
    std::fs::write(&saved, serde_json::to_string(&report).unwrap()).unwrap();
    let shown = load_client(["report"]).arg(&saved).output().unwrap();
    assert_eq!(String::from_utf8(shown.stdout).unwrap(), text);
}

/// Asserts that the page has the capacity, for each test a dot in both charts and a row in the table, and the last test in
/// full.
fn assert_page(file: &Path, report: &Report) {
    let found = found(report);
    let page = parse(&std::fs::read_to_string(file).unwrap()).unwrap();
    assert!(
        page.named("h1")[0].text().starts_with("Capacity of http://"),
        "{}",
        page.named("h1")[0].text()
    );
    let answer = page.named("p").into_iter().find(|p| p.text() == found.says).unwrap();
    assert!(answer.is("fine"));
    let chart = |id: &str| {
        page.named("figure")
            .into_iter()
            .find(|chart| chart.get("id") == id)
            .unwrap()
    };
    for (id, ideal) in [("knee-goodput", 1), ("knee-p99", 0)] {
        let paths = chart(id).named("path");
        let of = |class: &str| paths.iter().filter(|path| path.is(class)).collect::<Vec<_>>();
        let dots: usize = of("dots").iter().map(|path| path.get("d").matches('M').count()).sum();
        assert_eq!(dots, found.probes.len(), "{id}");
        assert_eq!(of("look5").len(), ideal, "{id}");
    }
    let tables = page.named("table");
    let rows = tables[0].named("tbody")[0].named("tr");
    assert_eq!(rows.len(), found.probes.len());
    let last = found.probes.iter().rfind(|probe| probe.long).unwrap();
    let results: Vec<String> = tables.iter().map(|table| table.text()).collect();
    assert!(results[1].contains(&last.run), "{}", results[1]);
}

#[test]
fn a_service_that_holds_no_rate_has_no_answer() {
    let url = serve(Behaviour {
        refused_of_ten: 2,
        takes: Duration::from_millis(1),
        streams: None,
    });
    let args = [
        "capacity",
        &url,
        "-q",
        "--first-rps",
        "400",
        "--settle",
        "10ms",
        "--test",
        "100ms",
    ];
    let (output, report) = report(args);
    assert_eq!(output.status.code(), Some(1));
    let found = found(&report);
    assert!(!found.found && found.holds_rps.is_none(), "{found:#?}");
    // On a busy machine the load client is sometimes the limit, and says so.
    let last = found.probes.last().unwrap().result;
    let expected = if last == ProbeResult::Fails {
        Limit::Service
    } else {
        Limit::Generator
    };
    assert_eq!(found.limited_by, Some(expected), "{found:#?}");
    let failed = found
        .probes
        .iter()
        .find(|probe| probe.result == ProbeResult::Fails)
        .unwrap();
    assert!(failed.says.contains("goodput"), "{failed:?}");
    assert_tests(&report);
}

#[test]
fn where_the_load_client_is_the_limit_the_capacity_is_at_least_what_held() {
    // Each of the two connections allows one stream, and each answer takes 50 ms. So the client can send only 40 per second,
    // though the service could process more.
    let url = serve(Behaviour {
        refused_of_ten: 0,
        takes: Duration::from_millis(50),
        streams: Some(1),
    });
    let args = [
        "capacity",
        &url,
        "-c",
        "4",
        "--connections",
        "2",
        "--precision",
        "50%",
        "--first-rps",
        "8",
    ];
    let (output, report) = report(args.iter().chain(&SHORT[..6]));
    assert_eq!(output.status.code(), Some(1));
    let found = found(&report);
    assert!(!found.found && found.says.contains("at least"), "{found:#?}");
    assert!(found.holds_rps.is_some() && found.fails_rps.is_none(), "{found:#?}");
    assert_eq!(found.limited_by, Some(Limit::Generator));
    assert!(found.probes.iter().any(|probe| probe.result == ProbeResult::Limited));
}

#[test]
fn a_rule_that_cannot_be_judged_ends_the_search() {
    let service = Service::start(["--service-time", "1ms"]);
    let args = ["capacity", &service.url, "-q", "--fail-if", "p99(acknowledgement)>1s"];
    let (output, report) = report(args.iter().chain(&SHORT));
    assert_eq!(output.status.code(), Some(1));
    let found = found(&report);
    assert!(
        found.says.contains("cannot be judged") && found.probes.len() == 1,
        "{found:#?}"
    );
}

#[test]
fn a_search_that_is_stopped_reports_the_tests_so_far() {
    let service = Service::start(["--service-time", "5ms"]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.json");
    let mut command = load_client(["capacity", &service.url]);
    command.args(SHORT).arg("--json").arg(&file);
    let client = Running::start(command);
    client.wait_for_line("holds");
    signal(client.child(), Signal::INT);
    let (status, said) = client.wait();
    assert_eq!(status.code(), Some(1), "{said:?}");
    let report: Report = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    let found = found(&report);
    assert!(!found.found && found.says.contains("stopped"), "{found:#?}");
    assert!(
        found.probes.iter().any(|probe| probe.result == ProbeResult::Holds),
        "{found:#?}"
    );
    assert_tests(&report);
}

#[test]
fn what_the_search_decides_cannot_be_given() {
    for flag in [
        ["--rps", "5"],
        ["-z", "5s"],
        ["--max-in-flight", "1"],
        ["--stages", "1s:2"],
    ] {
        let output = load_client(["capacity", "http://localhost:1"])
            .args(flag)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2), "{flag:?}");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            said.contains("cannot be given here") && said.contains("--first-rps"),
            "{said}"
        );
    }
    let help = load_client(["capacity", "--help"]).output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    assert!(
        help.contains("--first-rps") && help.contains("--timeout") && !help.contains("--stages"),
        "{help}"
    );
}
