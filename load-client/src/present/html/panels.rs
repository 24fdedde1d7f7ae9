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
        about: "Requests scheduled per second (offered), and messages done within the SLO per second (goodput).",
        unit: Unit::Rate,
        value: |point| point.goodput_rps,
        fold: Fold::Mean,
        log: false,
        missing: "the service was not watched, so it is not known when messages were done",
    },
    Panel {
        id: "in-system",
        title: "In system",
        about: "Messages that wait or are being processed, at the last look in each step.",
        unit: Unit::Count,
        value: |point| point.in_system.map(|count| count as f64),
        fold: Fold::Each,
        log: false,
        missing: "the service was not watched",
    },
    Panel {
        id: "queue-depth",
        title: "Queue depth",
        about: "Messages in the queue behind Enqueue, at the last look in each step.",
        unit: Unit::Count,
        value: |point| point.queue_depth.map(|count| count as f64),
        fold: Fold::Each,
        log: false,
        missing: "the service was not watched",
    },
    Panel {
        id: "time-to-done-p99",
        title: "Time to done, p99",
        about: "From the scheduled send until the message was processed, of the messages done in each step. Log scale.",
        unit: Unit::Seconds,
        value: |point| point.time_to_done_p99,
        fold: Fold::Highest,
        log: true,
        missing: "nothing was done, or the service was not watched",
    },
    Panel {
        id: "response-time-p50",
        title: "Response time, p50",
        about: "From the scheduled send to the ok answer, of the answers in each step. Log scale.",
        unit: Unit::Seconds,
        value: |point| point.response_time_p50,
        fold: Fold::Middle,
        log: true,
        missing: "no ok answers, or an older report",
    },
    Panel {
        id: "response-time-p99",
        title: "Response time, p99",
        about: "From the scheduled send to the ok answer, of the answers in each step. Log scale.",
        unit: Unit::Seconds,
        value: |point| point.response_time_p99,
        fold: Fold::Highest,
        log: true,
        missing: "no ok answers, or an older report",
    },
    Panel {
        id: "memory",
        title: "Memory of the service",
        about: "Resident memory of the service's process, at the last look in each step.",
        unit: Unit::Bytes,
        value: |point| point.resident_bytes.map(|bytes| bytes as f64),
        fold: Fold::Each,
        log: false,
        missing: "the service was not watched, or shares its process with the load client",
    },
];
