//! Samples the state of the queue on its server once a second, for the gauges and for Watch.

use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use super::{
    setup::Reached,
    shared::{Sample, Shared},
    wire,
};

/// How often (measured: the questions about queue and workers together cost the server 0.3 ms of CPU time, however deep the queue is).
const EVERY: Duration = Duration::from_secs(1);

/// Takes samples, until the future is dropped.
pub(super) async fn run(shared: &Shared, reached: &Reached) {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if shared.connected().is_some() {
            take_sample(shared, reached).await;
        }
    }
}

/// A message that has left the queue by the time of a sample is in this instance's log before the sample is shown: a watcher finds each message in
/// one of them.
async fn take_sample(shared: &Shared, reached: &Reached) {
    let at = Instant::now();
    // A sample that fails is left out: the gauge of the age of the sample shows it.
    let (Ok(work), Ok(workers)) = (reached.work.get_info().await, reached.workers.get_info().await) else {
        return;
    };
    let Ok(done) = reached.done.get_info().await else {
        return;
    };
    let mut log_position = shared.log_position.subscribe();
    let read = log_position.wait_for(|_| shared.log.end() >= done.state.last_sequence);
    if timeout(shared.settings.timeout, read).await.is_err() {
        return;
    }
    let leased = workers.num_ack_pending as u64;
    // Not the consumer's own number of messages to come: it lags behind the stream, and a message that was confirmed must not be missing.
    let depth = work.state.messages.saturating_sub(leased);
    let oldest = if work.state.messages > 0 {
        wire::age(work.state.first_timestamp.unix_timestamp_nanos())
    } else {
        Duration::ZERO
    };
    // First the depth, then when it was seen: code that reads them in the other order never takes an old depth for a new one.
    shared.ledger.set_shared_queue(depth, work.state.bytes);
    *shared.sample() = Sample {
        at,
        depth,
        leased,
        oldest,
        added: 0,
    };
}
