//! Takes messages from the server, when `ask` says so, and passes them to the workers through `hand`.

use std::{pin::pin, sync::Arc};

use async_nats::{
    Message, StatusCode, Subscriber,
    jetstream::{self, consumer::pull::BatchConfig},
};
use futures_util::StreamExt;
use tokio::{
    task::JoinSet,
    time::{Instant, sleep, sleep_until},
};

use super::{
    ask::{Asking, EXPIRES, HEARTBEAT, Request},
    dead::{Dead, store_dead_letter},
    hand::Delivery,
    setup::Reached,
    shared::{RETRY, Shared},
    wire,
};
use crate::{enqueue::Completion, job::JobOutcome, lifecycle::Phase, turns::Turns};

/// Takes messages for the workers of `turns` until the service drains. Then gives back those that no worker has taken.
pub(super) async fn run(shared: &Arc<Shared>, reached: &Reached, turns: &Turns) {
    let mut draining = pin!(shared.lifecycle.reached(Phase::Draining));
    let mut aside = JoinSet::new();
    let mut connections = reached.connections.clone();
    let inbox = reached.client.new_inbox();
    let mut inbound = loop {
        match reached.client.subscribe(format!("{inbox}.*")).await {
            Ok(inbound) => break inbound,
            Err(error) => tracing::error!(%error, "cannot take messages from the queue"),
        }
        sleep(RETRY).await;
    };
    // The connection of the subscription is not a new one: it would give up the first request, which the server still has.
    connections.mark_unchanged();
    let mut asking = Asking::new(Instant::now());
    loop {
        while aside.try_join_next().is_some() {}
        let (free, held) = (turns.workers().free(), shared.hand.count());
        let connected = shared.connected().is_some();
        if connected && let Some(request) = asking.request(Instant::now(), free, held) {
            let sent = reached
                .workers
                .request_batch(batch(request), format!("{inbox}.{}", request.serial).into());
            if let Err(error) = sent.await {
                tracing::debug!(%error, "messages cannot be asked for");
                asking.lost();
                sleep(RETRY).await;
            }
        }
        let paused = asking.paused_until(Instant::now());
        let idle = !asking.is_open() && held == 0 && paused.is_none();
        tokio::select! {
            biased;
            () = &mut draining => break,
            message = inbound.next() => match message {
                Some(message) => received(shared, &mut asking, message, &mut aside),
                None => break,
            },
            // With a new connection, the request over the old one is lost.
            _ = connections.changed() => asking.lost(),
            () = at(asking.lost_at()) => asking.lost(),
            () = at(paused) => {}
            () = shared.hand.taken(), if held > 0 => {}
            () = turns.workers().vacancy(), if idle && connected => {}
            () = sleep(RETRY), if !connected => {}
        }
    }
    for delivery in shared.hand.close() {
        shared.give_back(delivery.number, delivery.reply).await;
    }
    tokio::select! {
        () = drain(inbound, |message| received(shared, &mut asking, message, &mut aside)) => {}
        () = shared.disconnected() => {}
    }
    while aside.join_next().await.is_some() {}
    shared.returned.send_replace(true);
}

/// Ends the subscription. An open request may bring messages until the server has read that, so it goes on until the server has
/// answered, and passes those messages to `received`.
///
/// This is as far as the client library goes: it drops a message that comes after it has sent something else meanwhile.
async fn drain(mut inbound: Subscriber, mut received: impl FnMut(Message)) {
    if inbound.drain().await.is_ok() {
        while let Some(message) = inbound.next().await {
            received(message);
        }
    }
}

async fn at(instant: Option<Instant>) {
    match instant {
        Some(instant) => sleep_until(instant).await,
        None => std::future::pending().await,
    }
}

fn batch(request: Request) -> BatchConfig {
    if request.waits {
        BatchConfig {
            batch: request.most,
            expires: Some(EXPIRES),
            idle_heartbeat: HEARTBEAT,
            ..BatchConfig::default()
        }
    } else {
        BatchConfig {
            batch: request.most,
            no_wait: true,
            ..BatchConfig::default()
        }
    }
}

/// Handles what the server sends: a message, a heartbeat, or the end of a request.
fn received(shared: &Arc<Shared>, asking: &mut Asking, message: Message, aside: &mut JoinSet<()>) {
    let now = Instant::now();
    match message.status {
        Some(StatusCode::IDLE_HEARTBEAT) => asking.heartbeat(now),
        Some(status) => {
            let serial = message.subject.rsplit('.').next();
            let serial = serial.and_then(|serial| serial.parse().ok()).unwrap_or_default();
            if [StatusCode::NOT_FOUND, StatusCode::TIMEOUT].contains(&status) {
                asking.ended(now, serial);
            } else {
                tracing::debug!(%status, description = ?message.description, "the server refuses a request for messages");
                asking.refused(now, serial);
            }
        }
        None => delivered(shared, asking, now, message, aside),
    }
}

/// How often a message was delivered, as its completion tells it.
fn as_reported(deliveries: u64) -> u32 {
    u32::try_from(deliveries).unwrap_or(u32::MAX)
}

fn delivered(shared: &Arc<Shared>, asking: &mut Asking, now: Instant, message: Message, aside: &mut JoinSet<()>) {
    let Some(reached) = shared.reached.get() else { return };
    let message = jetstream::Message {
        message,
        context: reached.context.clone(),
    };
    let (Ok(info), Some(reply)) = (message.info(), message.message.reply.clone()) else {
        tracing::error!("the queue's server has sent something that is no message of the queue");
        return;
    };
    asking.message(now, info.pending);
    let (sequence, published) = (info.stream_sequence, info.published.unix_timestamp_nanos());
    let deliveries = u64::try_from(info.delivered).unwrap_or_default();
    let number = shared.next_delivery();
    shared.leases.begin(number, reply.clone());
    if deliveries > 1 {
        shared.metrics.queue.redelivered();
    }
    let job = wire::decode(&message.message.payload, published);
    let reason = match &job {
        None => Some("it is no message of foo-service"),
        Some(_) if deliveries > shared.settings.max_deliveries => Some("it was delivered as often as is allowed"),
        Some(_) => None,
    };
    if let Some(reason) = reason {
        let completion = job.map(|job| Completion {
            queue_wait: job.since.elapsed(),
            service_time: None,
            outcome: JobOutcome::DeadLettered,
            deliveries: Some(as_reported(deliveries)),
            id: job.id,
        });
        let dead = Dead {
            number,
            sequence,
            deliveries: deliveries.saturating_sub(1),
            reply,
            bytes: message.message.payload.clone(),
            reason,
            completion,
        };
        aside.spawn(store_dead_letter(Arc::clone(shared), dead));
    } else if let Some(job) = job {
        let delivery = Delivery {
            number,
            sequence,
            deliveries: as_reported(deliveries),
            reply,
            job,
        };
        if let Err(delivery) = shared.hand.put(delivery) {
            let shared = Arc::clone(shared);
            aside.spawn(async move { shared.give_back(delivery.number, delivery.reply).await });
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
        net::{TcpListener, TcpStream},
    };

    use super::*;

    /// A server that sends one more message after it was told that the subscription ends, and then answers the ping.
    async fn serve(stream: TcpStream) {
        let mut lines = BufReader::new(stream);
        let info =
            "INFO {\"server_id\":\"x\",\"version\":\"2.10.0\",\"max_payload\":1000,\"headers\":true,\"proto\":1}\r\n";
        lines.write_all(info.as_bytes()).await.unwrap();
        let mut line = String::new();
        while lines.read_line(&mut line).await.unwrap() > 0 {
            let answer = match line.split_whitespace().collect::<Vec<_>>()[..] {
                ["PING"] => "PONG\r\n".to_owned(),
                ["UNSUB", sid] => format!("MSG inbox.1 {sid} 4\r\nlate\r\n"),
                _ => String::new(),
            };
            lines.write_all(answer.as_bytes()).await.unwrap();
            line.clear();
        }
    }

    #[tokio::test]
    async fn a_message_on_its_way_when_the_subscription_ends_is_received() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = tokio::spawn(async move { serve(listener.accept().await.unwrap().0).await });
        let client = async_nats::connect(address.to_string()).await.unwrap();
        let inbound = client.subscribe("inbox.*").await.unwrap();
        client.flush().await.unwrap();
        let mut came = Vec::new();
        drain(inbound, |message| came.push(message.payload)).await;
        assert_eq!(came, ["late"]);
        server.abort();
    }
}
