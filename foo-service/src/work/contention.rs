//! A resource that gets slower with more messages in service: the service time of a message grows by a share of itself for each
//! other message that is in service when it begins.

use std::{
    sync::atomic::{AtomicU32, Ordering::Relaxed},
    time::Duration,
};

use super::Share;

/// Counts the messages in service, and computes how much longer a new one takes.
#[derive(Debug)]
pub struct Contention {
    share: f64,
    in_service: AtomicU32,
}

/// The guard of a message in service.
#[derive(Debug)]
pub(super) struct Beside<'a> {
    contention: &'a Contention,
    /// How many other messages were in service when this one began.
    others: u32,
}

impl Contention {
    /// Adds `share` of the service time for each other message in service.
    pub fn new(share: Share) -> Self {
        Self {
            share: share.fraction(),
            in_service: AtomicU32::new(0),
        }
    }

    /// Counts a message that begins, until the guard is dropped.
    pub(super) fn begin(&self) -> Beside<'_> {
        Beside {
            contention: self,
            others: self.in_service.fetch_add(1, Relaxed),
        }
    }
}

impl Beside<'_> {
    /// The service time of a message that would take `time` alone. At most an hour, if contention changes it.
    pub(super) fn stretch(&self, time: Duration) -> Duration {
        if self.contention.share > 0.0 {
            super::longest::product(time, 1.0 + self.contention.share * f64::from(self.others))
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
