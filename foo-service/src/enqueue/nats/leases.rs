//! The leases of this instance, and when each was last renewed.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard},
    time::Duration,
};

use async_nats::Subject;
use tokio::time::Instant;

/// The leases of this instance, by the number of the delivery.
#[derive(Debug, Default)]
pub(super) struct Leases(Mutex<HashMap<u64, Kept>>);

#[derive(Debug)]
struct Kept {
    reply: Subject,
    /// When the lease was last renewed.
    renewed: Instant,
    /// True if the lease has ended without a renewal, and was counted as lost.
    lost: bool,
}

impl Leases {
    fn kept(&self) -> MutexGuard<'_, HashMap<u64, Kept>> {
        self.0.lock().expect("no code panics with the leases locked")
    }

    /// Adds the lease of the delivery with this number.
    pub(super) fn begin(&self, number: u64, reply: Subject) {
        let kept = Kept {
            reply,
            renewed: Instant::now(),
            lost: false,
        };
        self.kept().insert(number, kept);
    }

    /// Removes the lease: it is not renewed any more.
    pub(super) fn end(&self, number: u64) {
        self.kept().remove(&number);
    }

    /// True if the lease of this delivery has ended: it was not renewed for the time `lease`, or is not there any more.
    pub(super) fn has_ended(&self, number: u64, lease: Duration) -> bool {
        let kept = self.kept();
        kept.get(&number)
            .is_none_or(|kept| kept.lost || kept.renewed.elapsed() > lease)
    }

    /// Marks all leases as renewed now, and returns the subjects to which the renewals must be sent.
    pub(super) fn renew_all(&self) -> Vec<Subject> {
        let now = Instant::now();
        let mut kept = self.kept();
        let renew = |kept: &mut Kept| {
            kept.renewed = now;
            kept.reply.clone()
        };
        kept.values_mut().map(renew).collect()
    }

    /// How many leases have ended since the last call, because they were not renewed for the time `lease`.
    pub(super) fn newly_lost(&self, lease: Duration) -> u64 {
        let mut kept = self.kept();
        let lost = kept
            .values_mut()
            .filter(|kept| !kept.lost && kept.renewed.elapsed() > lease);
        lost.map(|kept| kept.lost = true).count() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_lease_that_was_not_kept_for_its_length_is_lost_once() {
        let (leases, lease) = (Leases::default(), Duration::from_secs(3));
        leases.begin(1, "one".into());
        leases.begin(2, "two".into());
        tokio::time::advance(Duration::from_secs(2)).await;
        assert_eq!((leases.newly_lost(lease), leases.renew_all().len()), (0, 2));
        assert!(!leases.has_ended(1, lease) && !leases.has_ended(2, lease));
        leases.end(2);
        tokio::time::advance(Duration::from_secs(4)).await;
        assert_eq!((leases.newly_lost(lease), leases.newly_lost(lease)), (1, 0));
        // A renewal that comes too late does not bring the lease back.
        leases.renew_all();
        assert!(leases.has_ended(1, lease) && leases.has_ended(2, lease));
        leases.end(1);
        assert!(leases.renew_all().is_empty());
    }
}
