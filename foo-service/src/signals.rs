//! Signals: the first SIGTERM or Ctrl-C starts a drain, and SIGHUP reads the certificates again. The program listens from its
//! start, because a signal that comes before would kill the process.

use std::{io, sync::Arc};

use foo_service::{
    lifecycle::{Lifecycle, Phase, ShutdownTrigger},
    tls::Certificates,
};

pub(crate) struct Signals {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    hangup: tokio::signal::unix::Signal,
}

impl Signals {
    #[cfg(unix)]
    pub(crate) fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    #[cfg(not(unix))]
    #[expect(clippy::unnecessary_wraps, reason = "the pair of the one above")]
    pub(crate) fn listen() -> io::Result<Self> {
        Ok(Self {})
    }

    /// Acts on signals for as long as the process lives. The first stop signal starts a drain, one during the delay before the
    /// drain skips the delay, and a later one stops at once. Log texts about the certificates go through `as_given`.
    pub(crate) async fn obey(
        mut self,
        trigger: ShutdownTrigger,
        lifecycle: Arc<Lifecycle>,
        certificates: Option<Arc<Certificates>>,
        as_given: AsGiven,
    ) {
        let mut asked = false;
        loop {
            match self.next().await {
                Signal::HangUp => reload(certificates.as_deref(), as_given),
                Signal::Stop if !asked => {
                    asked = true;
                    trigger.drain();
                }
                Signal::Stop if lifecycle.phase() == Phase::Leaving => trigger.drain_without_delay(),
                Signal::Stop => trigger.now(),
            }
        }
    }

    #[cfg(unix)]
    async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.terminate.recv() => Signal::Stop,
            _ = self.interrupt.recv() => Signal::Stop,
            _ = self.hangup.recv() => Signal::HangUp,
        }
    }

    #[cfg(not(unix))]
    async fn next(&mut self) -> Signal {
        // It fails only on a system without Ctrl-C: then no signal can come.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        Signal::Stop
    }
}

enum Signal {
    Stop,
    #[cfg_attr(not(unix), expect(dead_code, reason = "only Unix has it"))]
    HangUp,
}

/// Rewrites a text: flags whose values came from environment variables are replaced by the names of these variables.
pub(crate) type AsGiven = fn(&str) -> String;

fn reload(certificates: Option<&Certificates>, as_given: AsGiven) {
    let Some(certificates) = certificates else {
        tracing::info!("SIGHUP ignored: there are no certificates to reload");
        return;
    };
    match certificates.reload() {
        Ok(()) => {
            tracing::info!("certificates reloaded for new connections");
            warn_of(certificates, as_given);
        }
        Err(error) => {
            tracing::error!(error = %as_given(&error.to_string()), "could not reload certificates; keeping the previous ones");
        }
    }
}

/// Logs a warning for each property of the certificate that clients may reject.
pub(crate) fn warn_of(certificates: &Certificates, as_given: AsGiven) {
    for caveat in certificates.caveats() {
        tracing::warn!("{}", as_given(&format!("--tls-cert: {caveat}")));
    }
}
