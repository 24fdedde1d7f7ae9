//! One shard's loop: send what is due, take in what has come back, sleep until the next is due.
//!
//! All clients of the shard share one heap of due sends and one set of calls in flight; no client has a task or a timer
//! of its own. Timers tick at 1 ms, so at high rates each turn sends all that has become due, stamped with the time it
//! was intended at.

use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    pin::pin,
    sync::{Arc, Mutex},
    time::Duration,
};

use futures_util::{StreamExt, stream::FuturesUnordered};
use tokio::{
    sync::oneshot,
    time::{Instant, sleep, sleep_until},
};

use crate::{
    arrival::Intent,
    audit::Audit,
    call::{Call, Fate, Reply},
    client::{Client, Turn},
    live::Live,
    outcome::Outcome,
    recorder::{Ended, Recorded, Recorder},
    scenario::Scenario,
    stop::Stop,
    transport::Transport,
};

/// How long after a stop what is in flight is waited for (arbitrary: a person is waiting).
const STOP_PATIENCE: Duration = Duration::from_secs(1);
/// Sends made before answers are looked at again (arbitrary: keeps both going under overload).
const BATCH: usize = 256;

/// One shard, connected.
pub(super) struct Shard {
    pub(super) index: u32,
    pub(super) count: u32,
    pub(super) clients: Vec<Client>,
    pub(super) call: Call,
    pub(super) recorder: Recorder,
    pub(super) scenario: Arc<Scenario>,
    pub(super) transport: Transport,
    pub(super) run_id: String,
    pub(super) audit: Option<Arc<Mutex<Audit>>>,
    pub(super) live: Arc<Live>,
    pub(super) stop: Stop,
    pub(super) start: Instant,
}

/// A send that was made and has ended; times since the start.
struct Sent {
    client: usize,
    number: u64,
    intended: Duration,
    start_lag: Duration,
    ended: Duration,
    reply: Reply,
}

impl Shard {
    /// Sends until the load is over, says when that was, and waits for what is in flight.
    pub(super) async fn drive(self, load_over: oneshot::Sender<Duration>) -> Recorded {
        let Self {
            index,
            count,
            mut clients,
            call,
            recorder,
            scenario,
            transport,
            run_id,
            audit,
            live,
            mut stop,
            start,
        } = self;
        let mut books = Books {
            recorder,
            audit,
            ok_means_done: call.ok_means_done(),
            warmup: scenario.warmup,
            numbers: vec![0; clients.len()],
            judged_in_flight: 0,
        };
        let end = match (scenario.duration, scenario.schedule.length()) {
            (Some(duration), Some(length)) => Some(duration.min(length)),
            (duration, length) => duration.or(length),
        };
        let in_time = |at: Duration| end.is_none_or(|end| at < end);

        sleep_until(start).await;
        let mut due: BinaryHeap<Reverse<(Duration, usize)>> = clients
            .iter_mut()
            .enumerate()
            .filter_map(|(client, state)| Some(Reverse((state.next_due(Duration::ZERO)?, client))))
            .collect();
        let mut waiting = 0_usize;
        let mut in_flight = FuturesUnordered::new();
        let mut timer = pin!(sleep_until(start));

        let over = loop {
            let now = start.elapsed();
            live.at(now);
            for _ in 0..BATCH {
                let Some(Reverse((at, client))) = due.peek().copied() else {
                    break;
                };
                if at > now || !in_time(at) {
                    break;
                }
                due.pop();
                match clients[client].turn(now, scenario.max_in_flight, scenario.when_blocked) {
                    Some(Turn::Send { intent, possible }) => {
                        let number = books.sending(client, intent);
                        let global = u64::from(index) + client as u64 * u64::from(count);
                        let id = format!("{run_id}/{global}/{number}");
                        let (call, transport) = (&call, &transport);
                        in_flight.push(async move {
                            let start_lag = start.elapsed().saturating_sub(possible);
                            let message = call.encode(id, intent.demand);
                            let answer = transport.unary(client, &call.method, message).await;
                            Sent {
                                client,
                                number,
                                intended: intent.at,
                                start_lag,
                                ended: start.elapsed(),
                                reply: call.interpret(answer),
                            }
                        });
                    }
                    Some(Turn::Withhold(intent)) => books.recorder.withheld(intent.at),
                    Some(Turn::Wait) => {
                        waiting += 1;
                        continue;
                    }
                    None => continue,
                }
                if let Some(at) = clients[client].next_due(now) {
                    due.push(Reverse((at, client)));
                }
            }

            if stop.asked() {
                break end.map_or(now, |end| end.min(now));
            }
            let next = due.peek().map(|Reverse((at, _))| *at).filter(|at| in_time(*at));
            if next.is_none() {
                // Late sends were made first: the generator's own lateness withholds nothing.
                if let Some(end) = end.filter(|end| now >= *end) {
                    break end;
                }
                if due.is_empty() && waiting == 0 {
                    break now;
                }
            }
            // Nothing due, and no end: then an answer comes, or a stop.
            let wake = next.or(end).unwrap_or(now + Duration::from_secs(3600));
            timer.as_mut().reset(start + wake);
            tokio::select! {
                biased;
                () = stop.requested() => {}
                Some(sent) = in_flight.next(), if !in_flight.is_empty() => {
                    let client = sent.client;
                    let answered = sent.ended;
                    books.ended(sent);
                    if clients[client].answered(answered) {
                        waiting -= 1;
                        due.push(Reverse((answered, client)));
                    }
                }
                () = &mut timer => {}
            }
        };

        for client in &mut clients {
            for intent in client.unsent(over) {
                books.recorder.withheld(intent.at);
            }
        }
        // Nobody listens if the run has failed elsewhere.
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
                    live.at(start.elapsed());
                    books.ended(sent);
                }
                () = &mut patience => break,
            }
        }
        drop(in_flight);
        books.finish()
    }
}

/// Where a shard writes down what happens.
struct Books {
    recorder: Recorder,
    audit: Option<Arc<Mutex<Audit>>>,
    ok_means_done: bool,
    warmup: Duration,
    /// The next number of each client, where no audit gives them.
    numbers: Vec<u64>,
    /// Sends in flight that were intended after the warm-up.
    judged_in_flight: u64,
}

impl Books {
    /// A send is about to be made; returns the number of its message.
    fn sending(&mut self, client: usize, intent: Intent) -> u64 {
        self.recorder.sending(intent.at);
        self.judged_in_flight += u64::from(intent.at >= self.warmup);
        match &self.audit {
            Some(audit) => lock(audit).sent(client, intent.at),
            None => {
                let number = self.numbers[client];
                self.numbers[client] += 1;
                number
            }
        }
    }

    fn ended(&mut self, sent: Sent) {
        self.judged_in_flight -= u64::from(sent.intended >= self.warmup);
        if let Some(audit) = &self.audit {
            let mut audit = lock(audit);
            match sent.reply.fate {
                Fate::Accepted => audit.acknowledged(sent.client, sent.number, sent.ended),
                Fate::NotThere => audit.not_there(sent.client, sent.number),
                Fate::Unknown => audit.unacknowledged(sent.client, sent.number),
            }
        }
        self.recorder.ended(Ended {
            intended: sent.intended,
            start_lag: sent.start_lag,
            ended: sent.ended,
            outcome: sent.reply.outcome,
            done: self.ok_means_done && sent.reply.outcome == Outcome::Ok,
            queue_wait: sent.reply.queue_wait,
        });
    }

    fn finish(mut self) -> Recorded {
        self.recorder.left_in_flight(self.judged_in_flight);
        self.recorder.finish()
    }
}

fn lock(audit: &Mutex<Audit>) -> std::sync::MutexGuard<'_, Audit> {
    audit.lock().expect("no code panics with an audit locked")
}
