//! Draining. First, if a delay is asked for: readiness and health say no while calls are still served, so that load
//! balancers stop sending them. Then, in two phases: refuse new work while finishing what was admitted; then, with everything answered, end the
//! streams. Only after that may the transport stop: stopped earlier, it would wait for the streams for ever.

use std::time::Duration;

use foo_proto::v1::foo_service_server::SERVICE_NAME;
use tokio::time::{sleep, timeout};
use tonic_health::{ServingStatus, server::HealthReporter};

use crate::{
    job::{Door, JobOutcome},
    ledger::Ledger,
    lifecycle::{Lifecycle, Phase, Shutdown},
};

/// How long work that is let go may take to end (arbitrary: it only has to be dropped).
const ABANDON_TIMEOUT: Duration = Duration::from_secs(2);

/// How a drain ended, for the log and the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drained {
    /// Admitted messages that were let go because time ran out.
    pub abandoned: u64,
}

/// How long a drain may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    /// Between readiness saying no and the refusal of new work.
    pub(super) delay: Duration,
    /// Between the refusal of new work and the end of admitted work.
    pub(super) limit: Duration,
}

/// Waits for a stop to be asked for, then drains.
pub(super) async fn when_asked(
    mut shutdown: Shutdown,
    ledger: &Ledger,
    lifecycle: &Lifecycle,
    health: &HealthReporter,
    Times { delay, limit }: Times,
) -> Drained {
    shutdown.requested().await;
    if !delay.is_zero() {
        lifecycle.advance(Phase::Leaving);
        say_no(health).await;
        tracing::info!(delay = ?delay, "not ready any more; calls are still served until the drain begins");
        tokio::select! {
            biased;
            () = shutdown.delay_skipped() => {}
            () = sleep(delay) => {}
        }
    }
    drain(ledger, lifecycle, health, async {
        tokio::select! {
            () = sleep(limit) => {}
            () = shutdown.hurried() => {}
        }
    })
    .await
}

/// Drains because the last client is gone.
pub(super) async fn now(ledger: &Ledger, lifecycle: &Lifecycle, health: &HealthReporter, limit: Duration) -> Drained {
    drain(ledger, lifecycle, health, sleep(limit)).await
}

async fn say_no(health: &HealthReporter) {
    for service in ["", SERVICE_NAME] {
        health.set_service_status(service, ServingStatus::NotServing).await;
    }
}

async fn drain(
    ledger: &Ledger,
    lifecycle: &Lifecycle,
    health: &HealthReporter,
    time_is_up: impl Future<Output = ()>,
) -> Drained {
    lifecycle.advance(Phase::Draining);
    say_no(health).await;
    let left = ledger.levels();
    tracing::info!(
        queued = left.queue_depth,
        waiting = left.waiting,
        in_service = left.in_service,
        "draining"
    );

    let complete = tokio::select! {
        biased;
        () = ledger.idle() => true,
        () = time_is_up => false,
    };
    if !complete {
        ledger.abandon();
        lifecycle.advance(Phase::Abandoning);
        if timeout(ABANDON_TIMEOUT, ledger.idle()).await.is_err() {
            let left = ledger.levels();
            tracing::error!(
                queued = left.queue_depth,
                waiting = left.waiting,
                in_service = left.in_service,
                "work that was abandoned has not ended: this is a bug"
            );
        }
    }
    lifecycle.advance(Phase::Closing);

    let abandoned = ledger.ended(JobOutcome::Abandoned);
    if abandoned > 0 {
        tracing::warn!(
            enqueue = ledger.door(Door::Enqueue).of(JobOutcome::Abandoned),
            process = ledger.door(Door::Process).of(JobOutcome::Abandoned),
            "messages abandoned: the drain ran out of time"
        );
    }
    Drained { abandoned }
}
