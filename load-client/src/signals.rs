//! Handles the signals that ask the program to end.

use std::sync::Arc;

use load_client::{stop::Stopper, ui::terminal};

/// The first signal ends the run with a report, the second does so at once, the third ends the program.
pub(crate) async fn listen(stopper: Arc<Stopper>) {
    loop {
        signal().await;
        if !stopper.stop() {
            terminal::break_off();
        }
    }
}

/// Waits for Ctrl-C (SIGINT), for the signal that stops a container (SIGTERM), or for a terminal that is closed
/// (SIGHUP).
#[cfg(unix)]
async fn signal() {
    use tokio::signal::unix::{SignalKind, signal};
    // tokio keeps its handler from the first time on; only a signal in the instant between two calls can be missed.
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        // Without signals there is nothing to listen to, and the run must go on.
        return std::future::pending().await;
    };
    let mut hang_up = if ignores_hang_up() {
        None
    } else {
        signal(SignalKind::hangup()).ok()
    };
    let closed = async {
        match &mut hang_up {
            Some(hang_up) => drop(hang_up.recv().await),
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        () = closed => {}
    }
}

/// Whether the program was started by `nohup`, so that it goes on when its terminal is closed. A handler would undo
/// that. (Only the first call reads the mask, because afterwards the signal has a handler of ours.)
#[cfg(unix)]
fn ignores_hang_up() -> bool {
    use std::sync::OnceLock;
    static IGNORED: OnceLock<bool> = OnceLock::new();
    *IGNORED.get_or_init(|| {
        // The mask of ignored signals, in hexadecimal; SIGHUP is signal 1, the lowest bit. Other systems have no such file.
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
        mask.is_some_and(|mask| mask & 1 == 1)
    })
}

#[cfg(not(unix))]
async fn signal() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
