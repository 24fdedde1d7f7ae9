//! Reads the completions of all instances into this instance's log. A position in the log is a position on the stream, so a
//! watcher can continue with any instance.

use std::time::Duration;

use async_nats::{
    StatusCode,
    jetstream::consumer::{
        AckPolicy, DeliverPolicy,
        pull::{BatchConfig, Config},
    },
};
use futures_util::StreamExt;
use tokio::time::{sleep, timeout};

use super::{
    ask::{EXPIRES, HEARTBEAT, SILENCE},
    settings::MOST_COMPLETIONS,
    setup::Reached,
    shared::{RETRY, Shared},
    wire,
};
use crate::{enqueue::Completion, job::JobOutcome};

/// How many completions are requested at a time (arbitrary: the next request follows when these have come).
const BATCH: usize = 1000;
/// How long the server keeps a consumer whose reader is gone (arbitrary).
const FORGET: Duration = Duration::from_secs(60);

/// Reads from the server at which positions the log begins and ends. To be called before any completion is read: a watcher that
/// resumes at a position that is not read yet then waits for it.
pub(super) async fn begin(shared: &Shared, reached: &Reached) -> Result<(), String> {
    let info = reached.done.get_info().await.map_err(|error| error.to_string())?;
    let last = info.state.last_sequence;
    let oldest = (last + 1).saturating_sub(MOST_COMPLETIONS.into());
    shared
        .log
        .expect(info.state.first_sequence.max(oldest).saturating_sub(1), last);
    Ok(())
}

/// Reads completions, until the future is dropped.
pub(super) async fn run(shared: &Shared, reached: &Reached) {
    loop {
        if let Err(error) = follow(shared, reached).await {
            tracing::debug!(%error, "the completions are read anew");
        }
        sleep(RETRY).await;
    }
}

/// Reads completions until an error. A new consumer is then needed, because the server may have lost the old one.
async fn follow(shared: &Shared, reached: &Reached) -> Result<(), String> {
    let mut connections = reached.connections.clone();
    connections.mark_unchanged();
    let said = |error: &dyn std::fmt::Display| error.to_string();
    let config = Config {
        deliver_policy: DeliverPolicy::ByStartSequence {
            start_sequence: shared.log.end() + 1,
        },
        ack_policy: AckPolicy::None,
        inactive_threshold: FORGET,
        memory_storage: true,
        num_replicas: 1,
        ..Config::default()
    };
    let reader = reached
        .done
        .create_consumer(config)
        .await
        .map_err(|error| said(&error))?;
    let inbox = reached.client.new_inbox();
    let mut inbound = reached
        .client
        .subscribe(format!("{inbox}.*"))
        .await
        .map_err(|error| said(&error))?;
    for serial in 0_u64.. {
        let batch = BatchConfig {
            batch: BATCH,
            expires: Some(EXPIRES),
            idle_heartbeat: HEARTBEAT,
            ..BatchConfig::default()
        };
        let address = format!("{inbox}.{serial}");
        let asked = reader.request_batch(batch, address.as_str().into()).await;
        asked.map_err(|error| said(&error))?;
        let mut outstanding = BATCH;
        while outstanding > 0 {
            let next = tokio::select! {
                biased;
                next = timeout(SILENCE, inbound.next()) => next,
                _ = connections.changed() => return Err("the connection is a new one".to_owned()),
            };
            let message = next
                .map_err(|_| "the server is silent")?
                .ok_or("the subscription has ended")?;
            match message.status {
                None => {
                    outstanding -= 1;
                    take_in(shared, reached, message);
                }
                Some(StatusCode::TIMEOUT) if *message.subject == *address => break,
                // A heartbeat, or the end of an earlier request.
                Some(StatusCode::IDLE_HEARTBEAT | StatusCode::TIMEOUT) => {}
                Some(status) => return Err(format!("status {status}")),
            }
        }
    }
    Ok(())
}

fn take_in(shared: &Shared, reached: &Reached, message: async_nats::Message) {
    let message = async_nats::jetstream::Message {
        message,
        context: reached.context.clone(),
    };
    let Ok(info) = message.info() else { return };
    let (sequence, end) = (info.stream_sequence, shared.log.end());
    if sequence <= end {
        return;
    }
    if sequence > end + 1 {
        // Entries in between were overwritten on the server before they were read.
        shared.log.expect(sequence - 1, sequence);
    }
    // A completion that cannot be read still takes its position, with an id that belongs to no run.
    let unknown = || Completion {
        id: "".into(),
        queue_wait: Duration::ZERO,
        service_time: None,
        outcome: JobOutcome::Failed,
        deliveries: None,
    };
    shared
        .log
        .push(wire::decode_end(&message.message.payload).unwrap_or_else(unknown));
    shared.log_position.send_replace(sequence);
}
