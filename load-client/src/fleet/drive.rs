//! The loop of one shard: it sends the requests that are due, processes the answers that have come, and sleeps until
//! the next request is due.
//!
//! All clients of the shard share one heap of due requests and one set of calls in flight; no client has a task or a
//! timer of its own. Timers tick at 1 ms, so at high rates each turn of the loop sends all requests that have become
//! due, each with the time at which it was scheduled.

use std::{pin::pin, sync::Arc, time::Duration};

use futures_util::{FutureExt, StreamExt, stream::FuturesUnordered};
use tokio::{
    sync::{mpsc, oneshot},
    time::{sleep, sleep_until},
};

use super::{
    pacer::{Next, Pacer},
    pending::Pending,
    place::Place,
    policies::{again, follows},
    request::Sent,
    results::ShardResults,
    sender::RequestSender,
};
use crate::{
    effort::{CpuClock, Effort},
    live::{FiguresRequest, Live},
    policy::{After, Why},
    recorder::{Figures, Recorded},
    stop::Stop,
    transport::Transport,
};

/// How long a shard waits for requests in flight after a stop (arbitrary: a person is waiting).
const STOP_PATIENCE: Duration = Duration::from_secs(1);
/// The sleep if nothing is due (arbitrary: the next answer ends it).
const LONG: Duration = Duration::from_secs(3600);

impl RequestSender {
    /// Records an attempt that has ended. If the policies want another attempt, the request goes to `pending`;
    /// otherwise it has ended, and its client and the time are returned.
    fn take_in(
        &self,
        sent: Sent,
        results: &mut ShardResults,
        pending: &mut Pending,
        stopping: bool,
    ) -> Option<(usize, Duration)> {
        if let Some(policies) = &self.policies {
            let held_back = sent.tried.as_ref().is_some_and(|tried| tried.held_back);
            let next = if held_back {
                After::Done(Why::Ended)
            } else {
                follows(policies, results.target(sent.client), &sent)
            };
            results.attempted(&sent, next);
            if let After::Again { at, by_service } = next
                && !stopping
            {
                pending.push(at, by_service, sent);
                return None;
            }
        }
        results.ended(&sent);
        Some((sent.client, sent.ended))
    }
}

/// Measures the effort of sending, from its start on.
struct EffortMeter {
    clock: Option<CpuClock>,
}

impl EffortMeter {
    /// Starts to measure; must be called on the thread that sends.
    fn start(place: Place) -> Self {
        // The processor time of a thread is the effort of sending only if the thread does nothing else.
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

/// Sends until the load is over, reports that time through `load_over`, and then waits for the requests in flight.
/// Returns the results of the shard.
pub(super) async fn drive(
    sender: RequestSender,
    mut pacer: Pacer,
    mut results: ShardResults,
    live: Arc<Live>,
    mut stop: Stop,
    mut figures_requests: mpsc::Receiver<FiguresRequest>,
    load_over: oneshot::Sender<Duration>,
) -> Recorded {
    let start = sender.start;
    sleep_until(start).await;
    let meter = EffortMeter::start(sender.place);
    let mut in_flight = FuturesUnordered::new();
    let mut timer = pin!(sleep_until(start));

    let mut pending = Pending::default();
    let over = loop {
        // Answers are processed before sends: a client that has its answer must not count as blocked.
        while let Some(Some(sent)) = in_flight.next().now_or_never() {
            if let Some((client, ended)) = sender.take_in(sent, &mut results, &mut pending, stop.asked()) {
                pacer.answered(client, ended);
            }
        }
        let now = start.elapsed();
        live.at(now);
        while let Some((sent, by_service)) = pending.pop_due(now) {
            in_flight.push(sender.send(results.target(sent.client), again(sent, by_service)));
        }
        pacer.send_due(now, &mut results, |target, send| {
            in_flight.push(sender.send(target, send));
        });
        results.publish(now, in_flight.len() + pending.len(), pacer.blocked());
        if stop.asked() {
            break now;
        }
        let wake = match pacer.next(now) {
            Next::Over(at) => break at,
            Next::At(at) => at,
            Next::Answer => now + LONG,
        };
        let wake = pending.next().map_or(wake, |again| again.min(wake));
        timer.as_mut().reset(start + wake);
        tokio::select! {
            biased;
            () = stop.requested() => {}
            Some(sent) = in_flight.next(), if !in_flight.is_empty() => {
                if let Some((client, ended)) = sender.take_in(sent, &mut results, &mut pending, stop.asked()) {
                    pacer.answered(client, ended);
                }
            }
            () = &mut timer => sender.place.settle().await,
            Some(request) = figures_requests.recv() => {
                let effort = meter.read(&sender.transport);
                // The receiver may be gone; then the figures are not needed.
                let _ = request.send(Figures { effort, ..results.figures() });
            }
        }
    };
    let effort = meter.read(&sender.transport);
    let connected = sender.transport.connected();
    let over = pacer.close(over, &mut results);
    results.publish(start.elapsed(), in_flight.len() + pending.len(), 0);
    // The receiver is gone if the run has already failed.
    let _ = load_over.send(over);

    let mut asked = stop.clone();
    let patience = async {
        stop.requested().await;
        tokio::select! {
            () = sleep(STOP_PATIENCE) => {}
            () = stop.hurried() => {}
        }
    };
    let mut patience = pin!(patience);
    loop {
        if asked.asked() {
            pending.give_up().for_each(|sent| results.broken_off(&sent));
        }
        let now = start.elapsed();
        while let Some((sent, by_service)) = pending.pop_due(now) {
            in_flight.push(sender.send(results.target(sent.client), again(sent, by_service)));
        }
        results.publish(now, in_flight.len() + pending.len(), 0);
        let Some(wake) = pending.next().or((!in_flight.is_empty()).then(|| now + LONG)) else {
            break;
        };
        timer.as_mut().reset(start + wake);
        let stopping = asked.asked();
        tokio::select! {
            biased;
            Some(sent) = in_flight.next(), if !in_flight.is_empty() => {
                live.at(start.elapsed());
                sender.take_in(sent, &mut results, &mut pending, stopping);
            }
            () = &mut timer => sender.place.settle().await,
            () = asked.requested(), if !stopping => {}
            () = &mut patience => break,
        }
    }
    results.finish(effort, &connected)
}
