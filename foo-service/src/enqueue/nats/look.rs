//! Looks at the queue on its server once a second, for the gauges and for Watch.

use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use super::{
    setup::Reached,
    shared::{Look, Shared},
    wire,
};

/// How often (measured: the questions about queue and workers together cost the server 0.3 ms of CPU time, however deep the queue is).
const EVERY: Duration = Duration::from_secs(1);

/// Looks, until it is dropped.
pub(super) async fn run(shared: &Shared, reached: &Reached) {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if shared.connected().is_some() {
            look(shared, reached).await;
        }
    }
}

/// A message that has left the queue by the time of a look is in this instance's log before the look is shown: a watcher finds each message in
/// one of them.
async fn look(shared: &Shared, reached: &Reached) {
    let at = Instant::now();
    // A look that fails is left out: the gauge of the age of the look tells.
    let (Ok(work), Ok(workers)) = (reached.work.get_info().await, reached.workers.get_info().await) else {
        return;
    };
    let Ok(done) = reached.done.get_info().await else {
        return;
    };
    let mut told = shared.told.subscribe();
    let read = told.wait_for(|_| shared.log.end() >= done.state.last_sequence);
    if timeout(shared.settings.timeout, read).await.is_err() {
        return;
    }
    let depth = workers.num_pending;
    let oldest = if work.state.messages > 0 {
        wire::age(work.state.first_timestamp.unix_timestamp_nanos())
    } else {
        Duration::ZERO
    };
    *shared.look() = Look {
        at,
        depth,
        leased: workers.num_ack_pending as u64,
        oldest,
        added: 0,
    };
    shared.ledger.see_shared_queue(depth, work.state.bytes);
}
