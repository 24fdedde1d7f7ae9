//! Compares the parts of a shared queue on its server with the settings of this instance.

use async_nats::jetstream::{
    consumer::{self, AckPolicy},
    stream::{Config, DiscardPolicy},
};

use super::{connect::Unreached, settings::NatsSettings};

/// Compares a stream with what is `wanted`.
///
/// # Errors
///
/// If it has other settings.
pub(super) fn compare_stream(wanted: &Config, found: &Config) -> Result<(), Unreached> {
    let window = |config: &Config| format!("{:?}", config.duplicate_window);
    // With a window of zero no ids are sent, so the window does not matter.
    let windows = (!wanted.duplicate_window.is_zero()).then(|| {
        (
            "the time for which ids are remembered (--queue-dedupe)",
            window(wanted),
            window(found),
        )
    });
    // Where a full stream refuses messages, nothing may be removed before it has ended, and the bound counts messages alone.
    let keeps_all = (wanted.discard == DiscardPolicy::New).then(|| {
        [
            ("the time for which messages are kept", age(wanted), age(found)),
            ("the most bytes", bytes(wanted), bytes(found)),
        ]
    });
    let limits = [
        (
            "the retention",
            format!("{:?}", wanted.retention),
            format!("{:?}", found.retention),
        ),
        (
            "what is discarded when it is full",
            format!("{:?}", wanted.discard),
            format!("{:?}", found.discard),
        ),
        (
            "the storage",
            format!("{:?}", wanted.storage),
            format!("{:?}", found.storage),
        ),
        (
            "the most messages (--queue-capacity)",
            wanted.max_messages.to_string(),
            found.max_messages.to_string(),
        ),
        (
            "the number of replicas (--queue-replicas)",
            wanted.num_replicas.to_string(),
            found.num_replicas.to_string(),
        ),
    ];
    let subjects = ("the subjects", wanted.subjects.join(" "), found.subjects.join(" "));
    let other = limits
        .into_iter()
        .chain(windows)
        .chain(keeps_all.into_iter().flatten())
        .chain([subjects])
        .find(|(_, wanted, found)| wanted != found);
    other.map_or(Ok(()), |(what, wanted, there)| {
        Err(other_settings(&found.name, what, &wanted, &there))
    })
}

fn other_settings(name: &str, what: &str, wanted: &str, there: &str) -> Unreached {
    Unreached::Unfit(format!(
        "the queue's server has {name} with other settings: {what} is {there} there, and {wanted} here; give the same flags to all \
         instances, choose another --queue-name, or change the queue on the server"
    ))
}

fn age(config: &Config) -> String {
    if config.max_age.is_zero() {
        "unlimited".to_owned()
    } else {
        format!("{:?}", config.max_age)
    }
}

fn bytes(config: &Config) -> String {
    limit(config.max_bytes)
}

/// A limit in words: the server has 0 or -1 for none.
fn limit(limit: i64) -> String {
    if limit > 0 {
        limit.to_string()
    } else {
        "unlimited".to_owned()
    }
}

/// Compares the consumer of the stream of messages with the settings.
///
/// # Errors
///
/// If it has other settings.
pub(super) fn compare_consumer(settings: &NatsSettings, found: &consumer::Config) -> Result<(), Unreached> {
    let lease = |lease| format!("{lease:?}");
    let policy = |policy: AckPolicy| format!("{policy:?}");
    let unlimited = || "unlimited".to_owned();
    let other = [
        (
            "the lease (--queue-lease)",
            lease(settings.lease),
            lease(found.ack_wait),
        ),
        ("the most deliveries", unlimited(), limit(found.max_deliver)),
        (
            "how messages are acknowledged",
            policy(AckPolicy::Explicit),
            policy(found.ack_policy),
        ),
        (
            "the most messages that all instances may have at a time (max_ack_pending)",
            unlimited(),
            limit(found.max_ack_pending),
        ),
    ]
    .into_iter()
    .find(|(_, wanted, found)| wanted != found);
    other.map_or(Ok(()), |(what, wanted, there)| {
        let name = format!("the consumer of {}", settings.work_stream());
        Err(other_settings(&name, what, &wanted, &there))
    })
}
