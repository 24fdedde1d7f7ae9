//! Keeps leases: while this instance has a message, the server hears of it regularly, and delivers it to no other. From the receipt
//! of the message on, not only while a worker has it.

use tokio::time::{MissedTickBehavior, interval};

use super::shared::Shared;

/// Keeps all leases, until it is dropped.
pub(super) async fn run(shared: &Shared) {
    let mut ticks = interval(shared.settings.lease / 3);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        match shared.connected() {
            Some(reached) => {
                shared
                    .metrics
                    .queue
                    .leases_lost(shared.leases.newly_lost(shared.settings.lease));
                for reply in shared.leases.to_tell() {
                    // If the connection breaks, the next round finds the leases that have ended.
                    let _ = reached.client.publish(reply, "+WPI".into()).await;
                }
            }
            None => shared
                .metrics
                .queue
                .leases_lost(shared.leases.newly_lost(shared.settings.lease)),
        }
    }
}
