//! Renews leases regularly, from the delivery of a message until it ends, so that the server delivers the message to no other
//! instance. A message that still waits for a worker is renewed as well.

use tokio::time::{MissedTickBehavior, interval};

use super::shared::Shared;

/// Renews all leases, until the future is dropped.
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
                for reply in shared.leases.renew_all() {
                    // If the connection breaks, the next round counts the leases that have ended.
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
