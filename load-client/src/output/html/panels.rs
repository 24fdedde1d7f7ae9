//! Which charts there are over time, and which figure each of them shows.

use super::{
    line::{Fold, Value},
    scale::Unit,
};

/// What a chart shows.
pub(super) struct Panel {
    /// Its name within the page.
    pub(super) id: &'static str,
    pub(super) title: &'static str,
    pub(super) about: &'static str,
    pub(super) unit: Unit,
    pub(super) value: Value,
    pub(super) fold: Fold,
    pub(super) log: bool,
    /// Why a run may have nothing to show.
    pub(super) missing: &'static str,
}

/// All of them, from top to bottom.
pub(super) const PANELS: [Panel; 7] = [
    Panel {
        id: "goodput",
        title: "Offered load and goodput",
        about: "Per second: sends intended (offered), and messages done within the SLO (goodput).",
        unit: Unit::Rate,
        value: |point| point.goodput_rps,
        fold: Fold::Mean,
        log: false,
        missing: "nobody says when its messages were done",
    },
    Panel {
        id: "in-system",
        title: "In system",
        about: "Messages waiting or in service, as the service was last seen in each step.",
        unit: Unit::Count,
        value: |point| point.in_system.map(|count| count as f64),
        fold: Fold::Each,
        log: false,
        missing: "the service does not say",
    },
    Panel {
        id: "queue-depth",
        title: "Queue depth",
        about: "Messages on the queue behind Enqueue, likewise.",
        unit: Unit::Count,
        value: |point| point.queue_depth.map(|count| count as f64),
        fold: Fold::Each,
        log: false,
        missing: "the service does not say",
    },
    Panel {
        id: "response-time-p50",
        title: "Response time, p50",
        about: "From the intended send to the end of the call: of the ok answers that came in each step. Log scale.",
        unit: Unit::Seconds,
        value: |point| point.response_time_p50,
        fold: Fold::Middle,
        log: true,
        missing: "no ok answers, or the report does not have them",
    },
    Panel {
        id: "response-time-p99",
        title: "Response time, p99",
        about: "The same, the 99th percentile. Log scale.",
        unit: Unit::Seconds,
        value: |point| point.response_time_p99,
        fold: Fold::Highest,
        log: true,
        missing: "no ok answers, or the report does not have them",
    },
    Panel {
        id: "time-to-done-p99",
        title: "Time to done, p99",
        about: "From the intended send until the message was processed: of what was done in each step. Log scale.",
        unit: Unit::Seconds,
        value: |point| point.time_to_done_p99,
        fold: Fold::Highest,
        log: true,
        missing: "nothing was done, or nobody says when",
    },
    Panel {
        id: "memory",
        title: "Memory of the service",
        about: "Resident memory of its process, as last seen in each step.",
        unit: Unit::Bytes,
        value: |point| point.resident_bytes.map(|bytes| bytes as f64),
        fold: Fold::Each,
        log: false,
        missing: "not the service's own, or the service does not say",
    },
];
