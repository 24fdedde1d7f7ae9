//! Every difference between two runs, read as a whole sentence.

use std::collections::BTreeSet;

use super::{super::words::samples, *};
use crate::report::{CapacityReport, ConfigurationReport, StageReport};

fn names(fields: &[Field]) -> BTreeSet<String> {
    fields.iter().map(|(name, _)| (*name).to_owned()).collect()
}

/// The names of the fields of a JSON object, also of those that are null.
fn keys(value: &Value) -> BTreeSet<String> {
    value.as_object().unwrap().keys().cloned().collect()
}

#[test]
fn every_field_of_the_configuration_is_compared() {
    let made = serde_json::to_value(samples::run("process").configuration.unwrap()).unwrap();
    let all = [LOAD, MAKER, TARGET, SERVICE]
        .map(names)
        .into_iter()
        .flatten()
        .collect();
    assert_eq!(keys(&made), all);
    let capacity = CapacityReport {
        workers: 1,
        service_time_seconds: 1.0,
    };
    let [(_, Parts(parts))] = SERVICE else {
        panic!("{SERVICE:?}")
    };
    assert_eq!(keys(&serde_json::to_value(capacity).unwrap()), names(parts));
}

/// The process run with one field of its configuration as this JSON.
fn with(field: &str, value: &str) -> Run {
    let mut run = samples::run("process");
    let mut made = serde_json::to_value(run.configuration.unwrap()).unwrap();
    made[field] = serde_json::from_str(value).unwrap();
    run.configuration = Some(serde_json::from_value(made).unwrap());
    run
}

#[test]
fn every_difference_of_the_configuration_is_told_in_words() {
    let capacities = [
        r#"{"workers": 1, "service_time_seconds": 0.25}"#,
        r#"{"workers": 2, "service_time_seconds": 0.1}"#,
    ];
    let classes = r#""u=0:20%,u=3:80%""#;
    for (field, one, other, what, told) in [
        ("rps", "5.0", "10.5", "loads", "requests per second 5 and 10.5"),
        ("rps", "5.0", "null", "loads", "requests per second 5 and none"),
        (
            "repeat",
            "false",
            "true",
            "loads",
            "repetition of the stages off and on",
        ),
        ("trace_sends", "null", "7", "loads", "requests of a trace none and 7"),
        ("requests", "null", "100", "loads", "most requests none and 100"),
        ("payload_bytes", "64", "128", "loads", "bytes of payload 64 and 128"),
        ("metadata", "[]", r#"["a", "b"]"#, "loads", "metadata none and a, b"),
        (
            "priorities",
            "null",
            classes,
            "loads",
            "priorities none and u=0:20%,u=3:80%",
        ),
        (
            "timeout_seconds",
            "1.0",
            "10.0",
            "loads",
            "seconds until the deadline 1 and 10",
        ),
        ("slo_seconds", "2.0", "10.0", "loads", "seconds of the SLO 2 and 10"),
        (
            "policies",
            "null",
            r#""2 retries""#,
            "loads",
            "policies none and 2 retries",
        ),
        ("max_in_flight", "1", "2", "loads", "in flight per client 1 and 2"),
        (
            "when_blocked",
            r#""backlog""#,
            r#""withhold""#,
            "loads",
            "when blocked backlog and withhold",
        ),
        (
            "drain_limit_seconds",
            "60.0",
            "null",
            "loads",
            "seconds of drain at most 60 and none",
        ),
        ("duration_seconds", "10.0", "20.0", "loads", "seconds of load 10 and 20"),
        ("connections", "1", "2", "load clients", "connections 1 and 2"),
        ("threads", "1", "2", "load clients", "threads 1 and 2"),
        (
            "target",
            r#""http://a:1""#,
            r#""http://b:1""#,
            "targets",
            "http://a:1 and http://b:1",
        ),
        (
            "capacity",
            capacities[0],
            capacities[1],
            "services",
            "workers 1 and 2; seconds of service time 0.25 and 0.1",
        ),
    ] {
        let (one, other) = (with(field, one), with(field, other));
        assert_eq!(
            differences(&[&one], &other),
            format!("The {what} differ: {told}."),
            "{field}"
        );
        assert_eq!(differences(&[&other], &other), "", "{field}");
        // A report of the first versions has no configuration.
        let old = Run {
            configuration: None,
            ..one
        };
        assert!(!differences(&[&old], &other).contains("none"), "{field}");
    }
}

#[test]
fn stages_events_warm_ups_and_clocks_that_differ_are_told() {
    let made = |change: &dyn Fn(&mut Run, &mut ConfigurationReport)| {
        let mut run = samples::run("process");
        let mut made = run.configuration.take().unwrap();
        change(&mut run, &mut made);
        run.configuration = Some(made);
        run
    };
    let plain = made(&|_, _| {});
    let stage = StageReport {
        seconds: 1.0,
        rps: 2.0,
        end_rps: None,
    };
    let event = EventReport {
        at_seconds: 5.0,
        says: "2 workers instead of 4".to_owned(),
    };
    for (other, told) in [
        (
            made(&|_, made| made.stages = Some(vec![stage])),
            "The loads differ: stages.",
        ),
        (
            made(&|run, _| run.load.warmup_seconds = 2.0),
            "The loads differ: seconds of warm-up 0 and 2.",
        ),
        (
            made(&|run, _| run.load.clients += 1),
            "The loads differ: clients 4 and 5.",
        ),
        (
            made(&|run, _| run.load.arrival = "poisson".to_owned()),
            "The loads differ: arrivals constant and poisson.",
        ),
        (
            made(&|run, _| run.virtual_time = !run.virtual_time),
            "The loads differ: clock real and virtual.",
        ),
        (
            made(&|run, _| run.events = Some(vec![event.clone()])),
            "The events differ: none and 2 workers instead of 4 after 5 s.",
        ),
        (
            made(&|run, _| run.rpc = "enqueue".to_owned()),
            "The loads differ: RPC Process and Enqueue. An ok of Enqueue is an acknowledgement, and an ok of any other \
             RPC means done: only the times to done can be compared.",
        ),
    ] {
        assert_eq!(differences(&[&plain], &other), told);
    }
}

#[test]
fn lengths_differ_where_more_than_a_measurement_sets_them_apart() {
    for (one, other, differ) in [
        (2.0, 0.65, true),
        (0.65, 1.4, true),
        (10.0, 10.02, false),
        (0.0, 0.0, false),
    ] {
        assert_eq!(lengths_differ(one, other), differ, "{one} and {other}");
        assert_eq!(lengths_differ(other, one), differ, "{other} and {one}");
    }
}
