//! The differences between the loads and the targets of runs: figures of different loads cannot be compared.

use serde_json::Value;

use super::words::method;
use crate::report::{EventReport, Run};

/// How the loads and the targets of the runs differ, in sentences; empty if they do not.
pub(super) fn differences(first: &[&Run], second: &Run) -> String {
    let unlike = |what: &str, of: &dyn Fn(&Run) -> Vec<String>| {
        let mut differences: Vec<String> = first.iter().flat_map(|first| of(first)).collect();
        differences.dedup();
        (!differences.is_empty()).then(|| format!("The {what} differ: {}.", differences.join("; ")))
    };
    let sentences = [
        unlike("loads", &|first| unlike_loads(first, second)),
        unlike("load clients", &|first| unlike_in(MAKER, first, second)),
        unlike("targets", &|first| unlike_in(TARGET, first, second)),
        unlike("services", &|first| unlike_in(SERVICE, first, second)),
        unlike("events", &|first| unlike_events(first, second)),
        first
            .iter()
            .any(|first| first.is_queued() != second.is_queued())
            .then(|| QUEUED_AND_NOT.to_owned()),
    ];
    sentences.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// Said if one run uses Enqueue and the other another RPC.
const QUEUED_AND_NOT: &str = "An ok of Enqueue is an acknowledgement, and an ok of any other RPC means done: only the times to done can be compared.";

/// A field of the configuration: its name in the JSON, and how a difference of it is written.
type Field = (&'static str, Told);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    /// These words, then the two values.
    As(&'static str),
    /// The two values, if both are known. If one is missing, it is not known whether they differ.
    Known,
    /// These words only: the values are too long.
    Only(&'static str),
    /// The differences of its own fields, if both values are known.
    Parts(&'static [Field]),
    /// Nothing: `unlike_loads` compares it, also for reports without a configuration.
    Elsewhere,
}
use Told::{As, Elsewhere, Known, Only, Parts};

/// The fields of the configuration that make the load. With those of [`MAKER`], [`TARGET`] and [`SERVICE`] these are all its
/// fields: a test checks that.
const LOAD: &[Field] = &[
    ("clients", Elsewhere),
    ("rps", As("requests per second")),
    ("arrival", Elsewhere),
    ("stages", Only("stages")),
    ("repeat", As("repetition of the stages")),
    ("trace_sends", As("requests of a trace")),
    ("requests", As("most requests")),
    ("payload_bytes", As("bytes of payload")),
    ("metadata", As("metadata")),
    ("priorities", As("priorities")),
    ("timeout_seconds", As("seconds until the deadline")),
    ("slo_seconds", As("seconds of the SLO")),
    ("policies", As("policies")),
    ("max_in_flight", As("in flight per client")),
    ("when_blocked", As("when blocked")),
    ("duration_seconds", Elsewhere),
    ("warmup_seconds", Elsewhere),
    ("drain_limit_seconds", As("seconds of drain at most")),
];
/// The fields that say how the load client makes the load. Some depend on the machine.
const MAKER: &[Field] = &[("connections", As("connections")), ("threads", As("threads"))];
const TARGET: &[Field] = &[("target", Known)];
const SERVICE: &[Field] = &[(
    "capacity",
    Parts(&[
        ("workers", As("workers")),
        ("service_time_seconds", As("seconds of service time")),
    ]),
)];

/// The length of the load: as it was asked for, or else as it was measured.
fn load_seconds(run: &Run) -> f64 {
    let asked_for = run.configuration.as_ref().and_then(|made| made.duration_seconds);
    asked_for.unwrap_or(run.load.duration_seconds)
}

/// Whether two lengths of a load differ by more than a measured length varies between runs (arbitrary: 5 %).
fn lengths_differ(one: f64, other: f64) -> bool {
    (one - other).abs() > 0.05 * one.max(other)
}

/// The differences between the loads of two runs. A report without a configuration says little about its load.
fn unlike_loads(first: &Run, second: &Run) -> Vec<String> {
    let lengths_unlike = lengths_differ(load_seconds(first), load_seconds(second));
    let always = |run: &Run| {
        let load = &run.load;
        let seconds = (100.0 * load_seconds(run)).round() / 100.0;
        let clock = if run.virtual_time { "virtual" } else { "real" };
        [
            ("RPC", method(run)),
            ("clock", clock.to_owned()),
            ("clients", load.clients.to_string()),
            ("arrivals", load.arrival.clone()),
            (
                "seconds of load",
                if lengths_unlike {
                    seconds.to_string()
                } else {
                    String::new()
                },
            ),
            ("seconds of warm-up", load.warmup_seconds.to_string()),
        ]
    };
    let pairs = always(first).into_iter().zip(always(second));
    let mut unlike: Vec<String> = pairs
        .filter(|((_, one), (_, other))| one != other)
        .map(|((what, one), (_, other))| format!("{what} {one} and {other}"))
        .collect();
    unlike.extend(unlike_in(LOAD, first, second));
    unlike
}

/// The differences between the configurations of two runs in these fields; none if a run has no configuration.
fn unlike_in(fields: &[Field], first: &Run, second: &Run) -> Vec<String> {
    let made = |run: &Run| Some(serde_json::to_value(run.configuration.as_ref()?).expect("a report is JSON"));
    match (made(first), made(second)) {
        (Some(one), Some(other)) => unlike_values(fields, &one, &other),
        _ => Vec::new(),
    }
}

fn unlike_values(fields: &[Field], one: &Value, other: &Value) -> Vec<String> {
    let mut unlike = Vec::new();
    for (name, told) in fields {
        let (one, other) = (&one[name], &other[name]);
        match told {
            _ if one == other => {}
            Elsewhere => {}
            Only(what) => unlike.push((*what).to_owned()),
            Known | Parts(_) if one.is_null() || other.is_null() => {}
            As(what) => unlike.push(format!("{what} {} and {}", shown(one), shown(other))),
            Known => unlike.push(format!("{} and {}", shown(one), shown(other))),
            Parts(parts) => unlike.extend(unlike_values(parts, one, other)),
        }
    }
    unlike
}

/// A value of a field in words. A missing value is `none`: if only one run has a value, that is a difference too.
fn shown(value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        Value::Bool(given) => if *given { "on" } else { "off" }.to_owned(),
        Value::Number(number) => number
            .as_f64()
            .map_or_else(|| number.to_string(), |number| number.to_string()),
        Value::String(text) => text.clone(),
        Value::Array(list) if list.is_empty() => "none".to_owned(),
        Value::Array(list) => list.iter().map(shown).collect::<Vec<_>>().join(", "),
        Value::Object(_) => value.to_string(),
    }
}

/// The differences between the events of two runs.
fn unlike_events(first: &Run, second: &Run) -> Vec<String> {
    let events = |run: &Run| {
        let said = |event: &EventReport| format!("{} after {} s", event.says, event.at_seconds);
        let all: Vec<String> = run.events.iter().flatten().map(said).collect();
        if all.is_empty() {
            "none".to_owned()
        } else {
            all.join(", ")
        }
    };
    let (one, other) = (events(first), events(second));
    if one == other {
        Vec::new()
    } else {
        vec![format!("{one} and {other}")]
    }
}

#[cfg(test)]
mod tests;
