//! Any content of a trace, a flag or a URL is either refused with a reason or accepted, and then it is in range and makes a load
//! that can be run. Property tests with random texts and bytes.

use std::{fmt::Write, time::Duration};

use clap::Parser;
use load_client::{
    arrival::{
        ArrivalPlan,
        trace::{MAX_LENGTH, TraceFormat, read},
    },
    cli::{Cli, Command, Defaults, DrainLimit, RunArgs},
    scenario::{Rpc, Scenario, Schedule, TraceRow, WhenBlocked},
    transport::url::{Url, UrlError},
};
use proptest::{
    collection::vec,
    option,
    prelude::*,
    test_runner::{Config, FileFailurePersistence::WithSource, TestCaseError},
};

const HOUR: Duration = Duration::from_secs(3600);
const YEAR: Duration = Duration::from_secs(366 * 24 * 3600);
/// All flags that take a number, a size, a duration, stages or metadata.
const FLAGS: [&str; 23] = [
    "clients",
    "connections",
    "threads",
    "rps",
    "rps-per-client",
    "duration",
    "requests",
    "stages",
    "trace-demand-unit",
    "speed",
    "max-in-flight",
    "timeout",
    "slo",
    "warmup",
    "drain-limit",
    "connect-timeout",
    "keepalive",
    "max-message-size",
    "payload-size",
    "header",
    "seed",
    "arrival",
    "when-blocked",
];

type Checked = Result<(), TestCaseError>;

fn parse(flags: &[String]) -> Result<RunArgs, String> {
    let args = ["load-client", "run", "http://127.0.0.1:1"].map(str::to_owned);
    match Cli::try_parse_from(args.iter().chain(flags)) {
        Ok(Cli {
            command: Command::Run(args),
        }) => Ok(*args),
        Ok(other) => panic!("{other:?}"),
        Err(error) => Err(error.to_string()),
    }
}

/// The load after parsing one flag, or the text of the error.
fn load(flag: &str, text: &str) -> Result<Scenario, String> {
    let RunArgs { load, .. } = parse(&[format!("--{flag}={text}")])?;
    let defaults = Defaults {
        connections: 1,
        clients: None,
        max_in_flight: None,
        rpc: Rpc::Process,
        duration: Duration::from_secs(10),
        when_blocked: WhenBlocked::Backlog,
        drain_limit: DrainLimit::TwiceTheLoad,
    };
    let schedule = load.schedule().map_err(|error| error.to_string())?;
    let scenario = load.scenario(schedule, defaults);
    load.check(&scenario)?;
    Ok(scenario)
}

/// Random texts. Most of them look like a value.
fn any_value() -> impl Strategy<Value = String> {
    prop_oneof![
        2 => "[ +-]?[0-9_,.]{0,22}[ ]?(|k|m|g|e|K|M|Ki|MiB|GiB|EiB|YB|B|x|e9|e99|e308|e-9)",
        2 => "([0-9.]{1,20} ?(ns|us|ms|s|m|h|d|w|months|years|x|µs)? ?){1,3}",
        2 => "([0-9]{1,12}(ms|s|h|d|y)?:[0-9.]{1,12}(k|m|e9)?(..[0-9]{1,6})?,? ?){1,4}",
        1 => "[a-zA-Z-]{0,12} ?:? ?[ -~]{0,12}",
        1 => Just("NaN".to_owned()),
        1 => Just("inf".to_owned()),
        2 => any::<String>(),
    ]
}

/// Checks the ranges of a load that was made from accepted flags.
fn check_load(load: &Scenario) -> Checked {
    prop_assert!((1..=10_000_000).contains(&load.clients));
    prop_assert!((1..=load.clients).contains(&load.connections));
    prop_assert!((1..=load.connections.min(1024)).contains(&load.threads));
    prop_assert!(load.max_in_flight >= 1);
    prop_assert!(load.requests.is_none_or(|requests| requests >= 1));
    prop_assert!(load.payload_size <= 64 << 20);
    for positive in [load.timeout, load.slo] {
        prop_assert!(positive > Duration::ZERO && positive <= YEAR);
    }
    prop_assert!(load.warmup <= YEAR);
    prop_assert!(
        load.duration
            .is_none_or(|duration| duration > Duration::ZERO && duration <= YEAR)
    );
    for name in load.metadata.keys() {
        prop_assert!(
            !name.as_str().starts_with("grpc-") && !["te", "content-type", "connection"].contains(&name.as_str())
        );
    }
    check_schedule(&load.schedule, load.clients, load.seed)
}

/// Checks that a schedule has requests in order, for the first and the last client.
fn check_schedule(schedule: &Schedule, clients: u32, seed: u64) -> Checked {
    match schedule {
        Schedule::Rate { rps, .. } => prop_assert!(rps.is_finite() && *rps > 0.0),
        Schedule::Stages { stages, .. } => {
            prop_assert!(stages.iter().any(|stage| stage.rps > 0.0));
            for stage in stages.iter() {
                prop_assert!(stage.length > Duration::ZERO && stage.length <= YEAR);
                for rps in [stage.rps, stage.end_rps] {
                    prop_assert!(rps == 0.0 || (1e-6..=100e6).contains(&rps));
                }
            }
        }
        Schedule::Trace(rows) => prop_assert!(!rows.is_empty()),
        Schedule::AsFastAsPossible => {}
    }
    let plan = ArrivalPlan::new(schedule, clients, seed);
    for client in [0, clients - 1] {
        let mut arrivals = plan.client(client);
        let mut last = Duration::ZERO;
        for _ in 0..20 {
            let Some(scheduled) = arrivals.next(last) else { break };
            prop_assert!(scheduled.at >= last, "{:?} comes after {last:?}", scheduled.at);
            last = scheduled.at;
        }
    }
    Ok(())
}

/// A random text that is nearly a CSV file with a time and a demand.
fn any_csv() -> impl Strategy<Value = Vec<u8>> {
    let time = prop_oneof![
        4 => "-?[0-9]{1,18}(\\.[0-9]{0,12})?",
        2 => any::<f64>().prop_map(|time| time.to_string()),
        2 => "[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{0,10})?(Z|[+-][0-9]{2}:[0-9]{2})?",
        2 => "(-00|00|20|99)[0-9]{2}-(0[1-9]|1[0-2])-[0-2][0-9][ T][01][0-9]:[0-5][0-9]:[0-6][0-9]Z?",
        1 => any::<String>(),
    ];
    let demand = prop_oneof![
        4 => "[0-9]{1,9}(\\.[0-9]{0,3})?",
        1 => any::<f64>().prop_map(|demand| demand.to_string()),
        1 => "[ -~]{0,8}",
    ];
    let row = (time, demand).prop_map(|(time, demand)| format!("{time},{demand}\n"));
    let file = vec(row, 0..6).prop_map(|rows| format!("when,work\n{}", rows.concat()).into_bytes());
    let bytes = vec(any::<u8>(), 0..64);
    prop_oneof![
        6 => file,
        1 => bytes.clone().prop_map(|bytes| [b"when,work\n", &bytes[..]].concat()),
        1 => bytes,
    ]
}

fn format(unit: Duration, speed: f64) -> TraceFormat {
    TraceFormat {
        demand: Some(("work".to_owned(), unit)),
        speed,
        ..TraceFormat::new("when")
    }
}

proptest! {
    #![proptest_config(Config::with_failure_persistence(WithSource("proptest-regressions")))]

    #[test]
    fn any_trace_is_refused_by_its_name_or_replays_in_order(
        csv in any_csv(),
        unit in prop_oneof![Just(1), Just(1_000_000), any::<u64>()],
        speed in prop_oneof![Just(1.0), Just(60.0), Just(1e-6), Just(1e6), 1e-6..=1e6],
        clients in 1..=5_u32,
    ) {
        let unit = Duration::from_nanos(unit).min(YEAR);
        match read(&csv[..], "t.csv", &format(unit, speed)) {
            Err(error) => prop_assert!(error.to_string().starts_with("t.csv: "), "{}", error),
            Ok(rows) => {
                prop_assert_eq!(rows[0].at, Duration::ZERO);
                prop_assert!(rows.is_sorted_by_key(|row| row.at));
                prop_assert!(rows.iter().all(|row| row.at <= MAX_LENGTH && row.demand.is_some_and(|demand| demand <= HOUR)));
                check_schedule(&Schedule::Trace(rows.into()), clients, 1)?;
            }
        }
    }

    #[test]
    fn a_trace_is_what_was_written(gaps in vec((0..=1_000_000_u64, option::of(0..=3_600_000_u64)), 1..20)) {
        let (mut csv, mut at, mut written) = ("when,work\n".to_owned(), 0, Vec::new());
        for (index, (gap, demand)) in gaps.iter().enumerate() {
            at += if index == 0 { 0 } else { *gap };
            let demand = demand.unwrap_or(0);
            writeln!(csv, "{}.{:03},{demand}", 7 + at / 1000, at % 1000)?;
            written.push(TraceRow { at: Duration::from_millis(at), demand: Some(Duration::from_millis(demand)) });
        }
        let rows = read(csv.as_bytes(), "t.csv", &format(Duration::from_millis(1), 1.0));
        prop_assert_eq!(rows.map_err(|error| error.to_string()), Ok(written));
    }

    #[test]
    fn any_text_in_a_flag_is_refused_by_the_flags_name_or_makes_a_load(
        flag in prop::sample::select(&FLAGS[..]),
        text in any_value(),
    ) {
        match load(flag, &text) {
            // The error must name the flag. (`--trace-demand-unit` is always refused here, because there is no trace.)
            Err(said) => prop_assert!(said.contains(&format!("--{flag}")), "{}", said),
            Ok(load) => check_load(&load)?,
        }
    }

    #[test]
    fn durations_counts_rates_and_sizes_are_what_was_written(
        millis in 1..=31_536_000_000_u64,
        clients in 1..=10_000_000_u32,
        rps in 1e-6..=100e6_f64,
        payload in 0..=64_usize << 10,
    ) {
        let time = Duration::from_millis(millis);
        let text = humantime::format_duration(time).to_string();
        prop_assert_eq!(load("timeout", &text).map(|load| load.timeout), Ok(time));
        prop_assert_eq!(load("duration", &text).map(|load| load.duration), Ok(Some(time)));
        prop_assert_eq!(load("clients", &clients.to_string()).map(|load| load.clients), Ok(clients));
        let size = load("payload-size", &format!("{payload}KiB")).map(|load| load.payload_size);
        prop_assert_eq!(size, Ok(payload << 10));
        match load("rps", &rps.to_string()).map(|load| load.schedule) {
            Ok(Schedule::Rate { rps: read, .. }) => prop_assert_eq!(read.to_bits(), rps.to_bits()),
            other => prop_assert!(false, "{:?}", other),
        }
    }

    #[test]
    fn stages_are_what_was_written(stages in vec((1..=86_400_000_u64, 1..=1_000_000_u32), 1..6)) {
        let text: Vec<_> = stages.iter().map(|(millis, rps)| format!("{millis}ms:{rps}")).collect();
        match load("stages", &text.join(",")).map(|load| load.schedule) {
            Ok(Schedule::Stages { stages: read, .. }) => {
                let read: Vec<_> = read.iter().map(|stage| (stage.length, stage.rps.to_bits())).collect();
                let written = stages.iter().map(|(millis, rps)| (Duration::from_millis(*millis), f64::from(*rps).to_bits()));
                prop_assert_eq!(read, written.collect::<Vec<_>>());
            }
            other => prop_assert!(false, "{:?}", other),
        }
    }

    #[test]
    fn metadata_is_what_was_written(name in "[a-z][a-z0-9_-]{0,20}", value in "[!-~]([ -~]{0,20}[!-~])?") {
        let reserved = name.starts_with("grpc-") || ["te", "content-type", "connection"].contains(&&*name);
        match load("header", &format!("{name}: {value}")) {
            Ok(load) => {
                prop_assert!(!reserved);
                prop_assert_eq!(load.metadata.get(&name).map(http::HeaderValue::as_bytes), Some(value.as_bytes()));
            }
            Err(said) => prop_assert!(reserved, "{}", said),
        }
    }

    #[test]
    fn any_text_is_no_url_or_one_that_can_be_written_again(
        url in prop_oneof![
            3 => "(http|https|ftp)?(://|:/|//)?[a-z0-9.@_%-]{0,12}(:[0-9]{0,6})?/?[a-z?#]{0,3}",
            1 => "http://\\[[0-9a-f:.%]{0,12}\\](:[0-9]{0,6})?",
            1 => any::<String>(),
            1 => "http://\\PC{0,12}",
        ],
    ) {
        match url.parse::<Url>() {
            Err(error) => {
                let shown = foo_flags::without_credentials(&url);
                prop_assert!(error.to_string().starts_with(&format!("{shown:?} ")), "{}", error);
            }
            Ok(parsed) => {
                let (authority, host) = (parsed.authority(), parsed.authority().host());
                prop_assert!(!host.is_empty());
                prop_assert_eq!(authority.as_str() == host, authority.port_u16().is_none(), "{}", authority);
                let again: Url = parsed.to_string().parse().map_err(|error: UrlError| TestCaseError::fail(error.to_string()))?;
                prop_assert_eq!(&again, &parsed);
            }
        }
    }
}
