//! What the program does when it is told to end.

use std::sync::Arc;

use load_client::{output::progress, stop::Stopper};

/// The first signal ends the run with a report, the second does so at once, the third ends the program.
pub(crate) async fn listen(stopper: Arc<Stopper>) {
    loop {
        signal().await;
        if !stopper.stop() {
            progress::break_off();
        }
    }
}

/// Ctrl-C, or what a container is stopped with.
#[cfg(unix)]
async fn signal() {
    use tokio::signal::unix::{SignalKind, signal};
    // tokio keeps its handler from the first time on; only a signal in the instant between two calls can be missed.
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        // Without signals there is nothing to listen to, and the run must go on.
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}

#[cfg(not(unix))]
async fn signal() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
