//! How the loads and the targets of runs differ: figures of different loads do not compare.

use super::words::method;
use crate::report::{ConfigurationReport, Run};

/// How the loads and the targets of the runs differ; empty if they do not.
pub(super) fn differences(first: &[&Run], second: &Run) -> String {
    let unlike = |what: &str, of: &dyn Fn(&Run) -> Vec<String>| {
        let mut differences: Vec<String> = first.iter().flat_map(|first| of(first)).collect();
        differences.dedup();
        (!differences.is_empty()).then(|| format!("The {what} differ: {}.", differences.join("; ")))
    };
    let loads = unlike("loads", &|first| unlike_loads(first, second));
    let targets = unlike("targets", &|first| unlike_targets(first, second).into_iter().collect());
    loads.into_iter().chain(targets).collect::<Vec<_>>().join(" ")
}

/// The targets of the two, if they differ.
fn unlike_targets(first: &Run, second: &Run) -> Option<String> {
    let target = |run: &Run| run.configuration.as_ref()?.target.clone();
    let (one, other) = (target(first)?, target(second)?);
    (one != other).then(|| format!("{one} and {other}"))
}

/// The length of the load: as it was asked for, or else as it was measured.
fn load_seconds(run: &Run) -> f64 {
    let asked_for = run.configuration.as_ref().and_then(|made| made.duration_seconds);
    asked_for.unwrap_or(run.load.duration_seconds)
}

/// Whether two lengths of a load differ by more than a measured length varies between runs (arbitrary: 5 %).
fn lengths_differ(one: f64, other: f64) -> bool {
    (one - other).abs() > 0.05 * one.max(other)
}

/// How the loads of the two differ; figures of different loads do not compare.
fn unlike_loads(first: &Run, second: &Run) -> Vec<String> {
    let lengths_unlike = lengths_differ(load_seconds(first), load_seconds(second));
    let load = |run: &Run| {
        let made = run.configuration.as_ref();
        let load = &run.load;
        let seconds = lengths_unlike.then(|| (100.0 * load_seconds(run)).round() / 100.0);
        // What only one of two runs has is a difference too. A report without a configuration says nothing of it.
        let or_none = |value: Option<String>| made.map(|_| value.unwrap_or_else(|| "none".to_owned()));
        let of = |value: fn(&ConfigurationReport) -> Option<String>| or_none(made.and_then(value));
        [
            ("RPC", Some(method(run))),
            (
                "clock",
                Some(if run.virtual_time { "virtual" } else { "real" }.to_owned()),
            ),
            ("clients", Some(load.clients.to_string())),
            ("requests per second", of(|made| made.rps.map(|rps| rps.to_string()))),
            ("arrivals", Some(load.arrival.clone())),
            (
                "stages",
                of(|made| made.stages.as_ref().map(|stages| format!("{stages:?}"))),
            ),
            (
                "requests of a trace",
                of(|made| made.trace_sends.map(|sends| sends.to_string())),
            ),
            (
                "bytes of payload",
                of(|made| made.payload_bytes.map(|bytes| bytes.to_string())),
            ),
            (
                "seconds until the deadline",
                of(|made| Some(made.timeout_seconds.to_string())),
            ),
            ("seconds of the SLO", of(|made| Some(made.slo_seconds.to_string()))),
            ("policies", of(|made| made.policies.clone())),
            ("in flight per client", made.map(|made| made.max_in_flight.to_string())),
            ("seconds of load", seconds.map(|seconds| seconds.to_string())),
            ("seconds of warm-up", Some(load.warmup_seconds.to_string())),
        ]
    };
    let pairs = load(first).into_iter().zip(load(second));
    let unlike =
        pairs.filter_map(|((what, one), (_, other))| Some((what, one?, other?)).filter(|(_, one, other)| one != other));
    unlike
        .map(|(what, one, other)| {
            if what == "stages" {
                "stages".to_owned()
            } else {
                format!("{what} {one} and {other}")
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
