//! A resource that gets slower the more messages are in service: each one that begins takes longer by a share of its service
//! time for each other one that is in service then.

use std::{
    sync::atomic::{AtomicU32, Ordering::Relaxed},
    time::Duration,
};

use super::Share;

/// Counts the messages in service, and says how much longer one takes.
#[derive(Debug)]
pub struct Contention {
    share: f64,
    in_service: AtomicU32,
}

/// A message in service. Dropped, it is no longer.
#[derive(Debug)]
pub(super) struct Beside<'a> {
    contention: &'a Contention,
    /// How many others there were when it began.
    others: u32,
}

impl Contention {
    /// Each other message in service adds `share` of the service time.
    pub fn new(share: Share) -> Self {
        Self {
            share: share.fraction(),
            in_service: AtomicU32::new(0),
        }
    }

    /// A message begins.
    pub(super) fn begin(&self) -> Beside<'_> {
        Beside {
            contention: self,
            others: self.in_service.fetch_add(1, Relaxed),
        }
    }
}

impl Beside<'_> {
    /// How long work takes that would take `time` without the others.
    pub(super) fn stretch(&self, time: Duration) -> Duration {
        if self.contention.share > 0.0 {
            time.mul_f64(1.0 + self.contention.share * f64::from(self.others))
        } else {
            time
        }
    }
}

impl Drop for Beside<'_> {
    fn drop(&mut self) {
        self.contention.in_service.fetch_sub(1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_other_message_adds_its_share_until_it_is_gone() {
        let contention = Contention::new(Share::percent(10));
        let takes = |beside: &Beside<'_>| beside.stretch(Duration::from_millis(100)).as_millis();
        let first = contention.begin();
        let second = contention.begin();
        assert_eq!((takes(&first), takes(&second)), (100, 110));
        drop(first);
        assert_eq!(takes(&contention.begin()), 110);
        drop(second);
        assert_eq!(takes(&contention.begin()), 100);
    }
}
