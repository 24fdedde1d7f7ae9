//! A disk that fails: it is tried again only after a pause, because each attempt opens and checks the whole file.

use std::time::Duration;

use tokio::time::Instant;

/// How long after a disk error the disk is tried again (arbitrary).
pub(super) const PAUSE: Duration = Duration::from_secs(1);

/// Whether one kind of operation fails, and since when.
#[derive(Debug, Default)]
pub(super) struct Outage {
    /// When the last attempt failed; `None` if it worked.
    failed: Option<Instant>,
}

impl Outage {
    /// True if the last attempt failed.
    pub(super) fn fails(&self) -> bool {
        self.failed.is_some()
    }

    /// True if the last attempt failed, and it is too early for another.
    pub(super) fn pauses(&self) -> bool {
        self.failed.is_some_and(|failed| failed.elapsed() < PAUSE)
    }

    /// An attempt has failed. Returns true if the one before it had worked.
    pub(super) fn failed(&mut self) -> bool {
        self.failed.replace(Instant::now()).is_none()
    }

    /// An attempt has worked. Returns true if the one before it had failed.
    pub(super) fn worked(&mut self) -> bool {
        self.failed.take().is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_pauses_after_each_failure_and_begins_and_ends_once() {
        let mut outage = Outage::default();
        assert!(!outage.worked() && !outage.pauses());
        assert!(outage.failed());
        for _ in 0..2 {
            tokio::time::advance(PAUSE / 2).await;
            assert!(outage.pauses());
            tokio::time::advance(PAUSE / 2).await;
            assert!(outage.fails() && !outage.pauses());
            assert!(!outage.failed());
        }
        assert!(outage.worked() && !outage.fails());
        assert!(!outage.worked());
    }
}
