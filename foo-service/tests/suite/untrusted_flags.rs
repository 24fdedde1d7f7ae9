//! Any text as the value of a flag is either refused with a reason or accepted, and then it is in range and a service can be
//! built with it. Property tests with random texts.

use std::time::Duration;

use clap::{Args, Command, FromArgMatches};
use foo_service::{
    app::{Parts, Service},
    config::Settings,
};
use metrics::NoopRecorder;
use proptest::prelude::*;

const HOUR: Duration = Duration::from_secs(3600);
/// All flags that take a number, a size or a duration.
const FLAGS: [&str; 16] = [
    "workers",
    "service-time",
    "queue-capacity",
    "concurrency-limit",
    "max-waiting",
    "max-payload",
    "max-service-demand",
    "max-connections",
    "drain-delay",
    "drain-timeout",
    "seed",
    "slowdown",
    "fail-rate",
    "fail-time",
    "contention",
    "message-ttl",
];

/// The settings after parsing one flag, or the text of the error.
fn parse(flag: &str, text: &str) -> Result<Settings, String> {
    let command = Settings::augment_args(Command::new("foo-service").no_binary_name(true));
    // The environment of the test must have no effect.
    let command = command.mut_args(|flag| flag.env(None));
    let matches = command.try_get_matches_from([format!("--{flag}={text}")]);
    let matches = matches.map_err(|error| error.to_string())?;
    Ok(Settings::from_arg_matches(&matches).expect("what was parsed is there"))
}

/// Random texts. Most of them look like a value.
fn any_value() -> impl Strategy<Value = String> {
    prop_oneof![
        2 => "[ +-]?[0-9_,.]{0,22}[ ]?(|k|m|g|e|K|M|Ki|MiB|GiB|EiB|YB|B|e9|e99|E-9)",
        2 => "([0-9.]{1,20} ?(ns|us|ms|s|m|h|d|w|months|years|x|µs)? ?){1,3}",
        1 => "([0-9]{1,4}(ms|s|m|h):[0-9.]{1,4}x,?){1,3}",
        1 => "[0-9]{0,3}[.]?[0-9]{0,5}%",
        1 => any::<String>(),
    ]
}

proptest! {
    #[test]
    fn any_text_is_refused_by_the_flags_name_or_is_in_its_range(flag in prop::sample::select(&FLAGS[..]), text in any_value()) {
        match parse(flag, &text) {
            Err(said) => prop_assert!(said.contains(&format!("--{flag}")), "{}", said),
            Ok(settings) => {
                prop_assert!(settings.workers <= 65_536);
                prop_assert!(settings.limit() >= 1 && settings.queue_capacity >= 1 && settings.max_connections >= 1);
                prop_assert!(settings.max_payload <= 64 << 20);
                for time in [settings.service_time, settings.max_service_demand, settings.drain_delay, settings.drain_timeout, settings.fail_time] {
                    prop_assert!(time <= HOUR);
                }
                // An instance without workers needs a queue that outlives it.
                prop_assert_eq!(settings.check().is_ok(), settings.workers > 0);
                // A service can be built with these settings.
                Service::new(Parts {
                    settings,
                    recorder: &NoopRecorder,
                    instance_id: String::new(),
                    time_of_day: Duration::ZERO,
                    owns_process: false,
                }).expect("a queue in memory has no file that could be missing");
            }
        }
    }

    #[test]
    fn a_duration_is_what_was_written(millis in 0..=3_600_000_u64) {
        let time = Duration::from_millis(millis);
        let settings = parse("service-time", &humantime::format_duration(time).to_string());
        prop_assert_eq!(settings.map(|settings| settings.service_time), Ok(time));
    }

    #[test]
    fn a_count_is_what_was_written(count in 1..=u32::MAX, seed in any::<u64>(), payload in 0..=64_u64 << 10) {
        let capacity = parse("queue-capacity", &count.to_string()).map(|settings| settings.queue_capacity);
        prop_assert_eq!(capacity, Ok(count));
        prop_assert_eq!(parse("seed", &seed.to_string()).map(|settings| settings.seed), Ok(seed));
        let size = parse("max-payload", &format!("{payload}KiB")).map(|settings| settings.max_payload);
        prop_assert_eq!(size, Ok(payload << 10));
    }
}
