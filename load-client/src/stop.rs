//! Requests to stop, such as Ctrl-C. The first one stops the sending, and the report follows when the run is over. The
//! second one asks for the report at once.

use std::{ops::Deref, sync::Arc};

use tokio::{sync::watch, task::AbortHandle};

/// How soon a run is asked to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Wish {
    GoOn,
    Stop,
    Now,
}

/// Asks everything that listens to stop.
#[derive(Debug)]
pub struct Stopper(watch::Sender<Wish>);

/// Tells a run when to stop. All clones listen to the same [`Stopper`].
#[derive(Debug, Clone)]
pub struct Stop(watch::Receiver<Wish>);

impl Default for Stopper {
    fn default() -> Self {
        Self(watch::Sender::new(Wish::GoOn))
    }
}

impl Stopper {
    /// A new handle that learns when the run is to stop.
    pub fn listener(&self) -> Stop {
        Stop(self.0.subscribe())
    }

    /// Stop sending, wait a moment for what is in flight, report. Asked twice: report at once. Asked once more, there is
    /// nothing left to ask for, and the answer is `false`.
    pub fn stop(&self) -> bool {
        self.0.send_if_modified(|wish| {
            let before = *wish;
            *wish = if before == Wish::GoOn { Wish::Stop } else { Wish::Now };
            *wish != before
        })
    }

    /// How many requests to stop have had an effect so far: at most 2.
    pub fn times_asked(&self) -> u8 {
        *self.0.borrow() as u8
    }
}

/// A stopper that passes on what another one is asked, until it is dropped.
#[derive(Debug)]
pub struct Relay {
    stopper: Arc<Stopper>,
    task: AbortHandle,
}

impl Deref for Relay {
    type Target = Stopper;

    fn deref(&self) -> &Stopper {
        &self.stopper
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Stop {
    /// A separate stopper that receives every request to stop that this one receives.
    pub fn relayed(&self) -> Relay {
        let stopper = Arc::new(Stopper::default());
        let (mut above, below) = (self.clone(), Arc::clone(&stopper));
        let task = tokio::spawn(async move {
            above.requested().await;
            below.stop();
            above.hurried().await;
            below.stop();
        });
        Relay {
            stopper,
            task: task.abort_handle(),
        }
    }

    /// Whether a stop was asked for.
    pub fn asked(&self) -> bool {
        *self.0.borrow() >= Wish::Stop
    }

    /// Waits until a stop is asked for. Never returns if the [`Stopper`] is dropped first. Cancel-safe.
    pub async fn requested(&mut self) {
        self.wait_for(Wish::Stop).await;
    }

    /// Waits until a stop at once is asked for. Never returns if the [`Stopper`] is dropped first. Cancel-safe.
    pub async fn hurried(&mut self) {
        self.wait_for(Wish::Now).await;
    }

    async fn wait_for(&mut self, least: Wish) {
        if self.0.wait_for(|wish| *wish >= least).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_nothing_left_to_ask_for_after_the_second_time() {
        let stopper = Stopper::default();
        let stop = stopper.listener();
        assert_eq!((stopper.times_asked(), stop.asked()), (0, false));
        assert!(stopper.stop());
        assert_eq!((stopper.times_asked(), stop.asked()), (1, true));
        assert!(stopper.stop());
        assert!(!stopper.stop());
        assert_eq!(stopper.times_asked(), 2);
    }
}
