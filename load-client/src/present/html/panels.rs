//! The charts over time, and the figure that each of them shows.

use super::{
    line::{Fold, Value},
    scale::Unit,
};

/// A chart: its title, its unit and the lines in it.
pub(super) struct Panel {
    /// The name of the chart within the page.
    pub(super) id: &'static str,
    pub(super) title: &'static str,
    /// What is drawn, in a sentence or two; `{step}` stands for the length of a step of the series. What a point of the line is follows
    /// from `fold`.
    pub(super) about: &'static str,
    pub(super) unit: Unit,
    pub(super) value: Value,
    pub(super) fold: Fold,
    /// The reasons why a run may have no figures.
    pub(super) missing: &'static str,
    pub(super) place: Place,
}

/// The place of a chart on the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// The chart is among the first charts.
    First,
    /// The chart is among the first charts if no run uses Enqueue: then every answer means done.
    FirstWithoutQueue,
    /// The chart is in the section with more charts.
    Further,
}

/// All charts over time, from top to bottom.
pub(super) const PANELS: [Panel; 8] = [
    Panel {
        id: "time-to-done-p99",
        title: "How long a message took until it was done",
        about: "Time to done: from the scheduled send until the message was processed.",
        unit: Unit::Seconds,
        value: |point| point.time_to_done_p99,
        fold: Fold::Highest,
        missing: "no message was done, or the service was not watched",
        place: Place::First,
    },
    Panel {
        id: "response-time-p99",
        title: "How long an answer took",
        about: "From the scheduled send to the ok answer: the response time, and with Enqueue the acknowledgement time.",
        unit: Unit::Seconds,
        value: |point| point.response_time_p99,
        fold: Fold::Highest,
        missing: "no ok answers, or an older report",
        place: Place::FirstWithoutQueue,
    },
    Panel {
        id: "in-system",
        title: "How many messages were in the service",
        about: "In system: messages that waited or were being processed, sampled every {step}.",
        unit: Unit::Count,
        value: |point| point.in_system.map(|count| count as f64),
        fold: Fold::Each,
        missing: "the service was not watched",
        place: Place::First,
    },
    Panel {
        id: "goodput",
        title: "How many messages were done in time",
        about: "Goodput: messages done in time, per second. In time means within the SLO (--slo) after the scheduled send. The \
                grey area is the offered load: requests scheduled per second. The figure at the end of a row is all messages done in \
                time, also those done after the load, divided by the length of the load.",
        unit: Unit::Rate,
        value: |point| point.goodput_rps,
        fold: Fold::Mean,
        missing: "the service was not watched, so it is not known when messages were done",
        place: Place::First,
    },
    Panel {
        id: "queue-depth",
        title: "How many messages were in the queue",
        about: "Queue depth: messages in the queue behind Enqueue, sampled every {step}.",
        unit: Unit::Count,
        value: |point| point.queue_depth.map(|count| count as f64),
        fold: Fold::Each,
        missing: "the service was not watched",
        place: Place::Further,
    },
    Panel {
        id: "concurrency-limit",
        title: "Concurrency limit",
        about: "The most messages that the service may process at once, sampled every {step}. The limit changes if the service searches for \
                the best one, or if it follows the number of workers.",
        unit: Unit::Count,
        value: |point| point.concurrency_limit.map(|count| count as f64),
        fold: Fold::Each,
        missing: "the service was not watched, or is an older one",
        place: Place::Further,
    },
    Panel {
        id: "response-time-p50",
        title: "How long an answer took, median",
        about: "From the scheduled send to the ok answer: the response time, and with Enqueue the acknowledgement time.",
        unit: Unit::Seconds,
        value: |point| point.response_time_p50,
        fold: Fold::Middle,
        missing: "no ok answers, or an older report",
        place: Place::Further,
    },
    Panel {
        id: "memory",
        title: "How much memory the service used",
        about: "Memory: the resident memory of the service's process, sampled every {step}.",
        unit: Unit::Bytes,
        value: |point| point.resident_bytes.map(|bytes| bytes as f64),
        fold: Fold::Each,
        missing: "the service was not watched, or shares its process with the load client",
        place: Place::Further,
    },
];
