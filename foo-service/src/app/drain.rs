//! Draining. If a delay is set, readiness and health say no first, while calls are still served, so that load balancers stop
//! sending them. The drain then has two phases: new work is refused while admitted work is finished; then, with everything
//! answered, streams end. Only then may the transport stop: stopped earlier, it would wait for the streams for ever.

use std::time::Duration;

use foo_proto::v1::foo_service_server::SERVICE_NAME;
use tokio::time::{sleep, timeout};
use tonic_health::{ServingStatus, server::HealthReporter};

use crate::{
    job::{Door, JobOutcome},
    ledger::Ledger,
    lifecycle::{Lifecycle, Phase, Shutdown},
};

/// How long abandoned work may take to end (arbitrary: it only has to be dropped).
const ABANDON_TIMEOUT: Duration = Duration::from_secs(2);

/// The result of a drain, for the log and the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drained {
    /// How many admitted messages were abandoned because the drain ran out of time.
    pub abandoned: u64,
}

/// The durations of a drain's parts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    /// From when readiness says no until new work is refused.
    pub(super) delay: Duration,
    /// From when new work is refused until the rest of the admitted work is abandoned.
    pub(super) limit: Duration,
}

/// Waits until `shutdown` asks for a stop, then drains.
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

/// Drains at once, because the transport has already ended.
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
