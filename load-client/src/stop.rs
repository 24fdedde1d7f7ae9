//! Ctrl-C, for everything that runs: stop sending and report; or, at the second one, report at once.

use std::sync::Arc;

use tokio::sync::watch;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Wish {
    GoOn,
    Stop,
    Now,
}

/// Asks everything that listens to stop.
#[derive(Debug)]
pub struct Stopper(watch::Sender<Wish>);

/// Listens. Clones listen to the same.
#[derive(Debug, Clone)]
pub struct Stop(watch::Receiver<Wish>);

impl Default for Stopper {
    fn default() -> Self {
        Self(watch::Sender::new(Wish::GoOn))
    }
}

impl Stopper {
    /// A listener.
    pub fn listener(&self) -> Stop {
        Stop(self.0.subscribe())
    }

    /// Stop sending, wait a moment for what is in flight, report. Asked twice: report at once.
    pub fn stop(&self) {
        self.0
            .send_modify(|wish| *wish = if *wish == Wish::GoOn { Wish::Stop } else { Wish::Now });
    }
}

impl Stop {
    /// A stopper of one's own, that is asked whatever this one is asked. For as long as the runtime lives.
    pub fn relayed(&self) -> Arc<Stopper> {
        let stopper = Arc::new(Stopper::default());
        let (mut above, below) = (self.clone(), Arc::clone(&stopper));
        tokio::spawn(async move {
            above.requested().await;
            below.stop();
            above.hurried().await;
            below.stop();
        });
        stopper
    }

    /// Whether a stop was asked for.
    pub fn asked(&self) -> bool {
        *self.0.borrow() >= Wish::Stop
    }

    /// Waits until a stop is asked for; for ever, if nobody can any more. Cancel-safe.
    pub async fn requested(&mut self) {
        self.wait_for(Wish::Stop).await;
    }

    /// Waits until a stop at once is asked for; likewise.
    pub async fn hurried(&mut self) {
        self.wait_for(Wish::Now).await;
    }

    async fn wait_for(&mut self, least: Wish) {
        if self.0.wait_for(|wish| *wish >= least).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
