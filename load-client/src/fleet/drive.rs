//! One shard's loop: send what is due, take in what has come back, sleep until the next is due.
//!
//! All clients of the shard share one heap of due sends and one set of calls in flight; no client has a task or a timer
//! of its own. Timers tick at 1 ms, so at high rates each turn sends all that has become due, stamped with the time it
//! was intended at.

use std::{pin::pin, sync::Arc, time::Duration};

use futures_util::{FutureExt, StreamExt, stream::FuturesUnordered};
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, sleep, sleep_until},
};

use super::{
    pacer::{Next, Pacer, Send},
    place::Place,
    results::{Sent, ShardResults},
};
use crate::{
    call::{Call, Ticket},
    effort::{CpuClock, Effort},
    live::{Live, Look},
    recorder::{Figures, Recorded},
    stop::Stop,
    transport::{RequestHeaders, Transport},
};

/// How long after a stop what is in flight is waited for (arbitrary: a person is waiting).
const STOP_PATIENCE: Duration = Duration::from_secs(1);
/// A sleep for as long as nothing is due (arbitrary: the awaited event ends it).
const LONG: Duration = Duration::from_secs(3600);

/// How a shard makes a call.
pub(super) struct RequestSender {
    pub(super) call: Arc<Call>,
    pub(super) transport: Transport,
    pub(super) heads: RequestHeaders,
    pub(super) run_id: String,
    /// The shard's place among all, by which its clients are numbered.
    pub(super) index: u32,
    pub(super) count: u32,
    pub(super) start: Instant,
    pub(super) place: Place,
}

impl RequestSender {
    async fn send(&self, send: Send) -> Sent {
        let started = self.start.elapsed();
        let client = u64::from(self.index) + send.client as u64 * u64::from(self.count);
        let message = || {
            self.call.encode(Ticket {
                run_id: &self.run_id,
                client,
                number: send.number,
                demand: send.intent.demand,
            })
        };
        let answer = self.transport.unary(send.client, &self.heads, message).await;
        Sent {
            client: send.client,
            number: send.number,
            intended: send.intent.at,
            started,
            start_lag: started.saturating_sub(send.possible),
            crowd: send.crowd,
            ended: self.start.elapsed(),
            reply: self.call.interpret(answer),
        }
    }
}

/// What the generator has to put up from here on.
struct EffortMeter {
    clock: Option<CpuClock>,
}

impl EffortMeter {
    /// On the thread that sends.
    fn start(place: Place) -> Self {
        // A thread that is not only the load's own says nothing.
        let own = place == Place::Threads;
        Self {
            clock: own.then(CpuClock::start),
        }
    }

    fn read(&self, transport: &Transport) -> Effort {
        Effort {
            cpu_share: self.clock.and_then(|clock| clock.share()),
            stream_waits: transport.stream_waits(),
        }
    }
}

/// Sends until the load is over, says when that was, and waits for what is in flight.
pub(super) async fn drive(
    sender: RequestSender,
    mut pacer: Pacer,
    mut results: ShardResults,
    live: Arc<Live>,
    mut stop: Stop,
    mut looks: mpsc::Receiver<Look>,
    load_over: oneshot::Sender<Duration>,
) -> Recorded {
    let start = sender.start;
    sleep_until(start).await;
    let meter = EffortMeter::start(sender.place);
    let mut in_flight = FuturesUnordered::new();
    let mut timer = pin!(sleep_until(start));

    let over = loop {
        // Answers that are there first: a client that has one is not blocked.
        while let Some(Some(sent)) = in_flight.next().now_or_never() {
            results.ended(&sent);
            pacer.answered(sent.client, sent.ended);
        }
        let now = start.elapsed();
        live.at(now);
        pacer.send_due(now, &mut results, |send| in_flight.push(sender.send(send)));
        results.publish(now, in_flight.len(), pacer.blocked());
        if stop.asked() {
            break now;
        }
        let wake = match pacer.next(now) {
            Next::Over(at) => break at,
            Next::At(at) => at,
            Next::Answer => now + LONG,
        };
        timer.as_mut().reset(start + wake);
        tokio::select! {
            biased;
            () = stop.requested() => {}
            Some(sent) = in_flight.next(), if !in_flight.is_empty() => {
                results.ended(&sent);
                pacer.answered(sent.client, sent.ended);
            }
            () = &mut timer => sender.place.settle().await,
            Some(look) = looks.recv() => {
                let effort = meter.read(&sender.transport);
                // The receiver may be gone.
                let _ = look.send(Figures { effort, ..results.figures() });
            }
        }
    };
    let effort = meter.read(&sender.transport);
    let connected = sender.transport.connected();
    let over = pacer.close(over, &mut results);
    results.publish(start.elapsed(), in_flight.len(), 0);
    // The receiver is gone if the run has failed elsewhere.
    let _ = load_over.send(over);

    let patience = async {
        stop.requested().await;
        tokio::select! {
            () = sleep(STOP_PATIENCE) => {}
            () = stop.hurried() => {}
        }
    };
    let mut patience = pin!(patience);
    while !in_flight.is_empty() {
        tokio::select! {
            biased;
            Some(sent) = in_flight.next() => {
                let now = start.elapsed();
                live.at(now);
                results.ended(&sent);
                results.publish(now, in_flight.len(), 0);
            }
            () = &mut patience => break,
        }
    }
    results.finish(effort, &connected)
}
