//! Starts all parts of a service, serves its connections, and drains it.

use std::{sync::Arc, time::Duration};

use futures_util::Stream;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::oneshot,
    time::timeout,
};
use tonic::transport::server::Connected;
use tonic_health::server::HealthReporter;

use super::{Drained, Service, connections, drain, health, transport};
use crate::{
    job::Door,
    lifecycle::{Phase, Shutdown},
    rpc::{Calls, FooRpc, MessageRules, trace},
};

/// How long connections may take to close after everything was answered. Then streams that never end by themselves, such as a
/// health watch, are cut.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

impl Service {
    /// Serves every connection of `incoming` until `shutdown` asks for a stop and the drain is over.
    ///
    /// # Errors
    ///
    /// If the transport fails as a whole. The failure of one connection is no error.
    pub async fn serve<I, IO, E>(self, incoming: I, shutdown: Shutdown) -> Result<Drained, tonic::transport::Error>
    where
        I: Stream<Item = Result<IO, E>> + Send,
        IO: AsyncRead + AsyncWrite + Connected + Unpin + Send + 'static,
        E: Into<Box<dyn std::error::Error + Send + Sync>> + Send,
    {
        let Self {
            settings,
            instance_id,
            workers: _,
            turns,
            enqueue,
            process,
            watched,
            metrics,
            accepting,
        } = self;
        let ledger = Arc::clone(&watched.ledger);
        let lifecycle = Arc::clone(&watched.lifecycle);
        let health = HealthReporter::new();

        let queue = Arc::clone(&enqueue);
        let dispatcher = tokio::spawn({
            let (enqueue, turns) = (Arc::clone(&enqueue), Arc::clone(&turns));
            async move { enqueue.dispatch(&turns).await }
        });
        let rpc = FooRpc {
            rules: MessageRules::new(settings.max_payload, settings.max_service_demand, instance_id.clone()),
            role: settings.role(),
            enqueue,
            process,
            watched,
            classes: settings.classes,
            ledger: Arc::clone(&ledger),
            lifecycle: Arc::clone(&lifecycle),
            turns,
        };
        let accepts = settings.role().serves(Door::Enqueue);
        let ready = accepts && queue.unreached().is_none();
        health::say(&health, ready).await;
        let reaching = (accepts && !ready).then(|| {
            tokio::spawn(health::when_reached(
                health.clone(),
                Arc::clone(&queue),
                Arc::clone(&lifecycle),
            ))
        });
        let routes = transport::routes(rpc, settings.max_payload, &health);

        let (stop, stopped) = oneshot::channel::<()>();
        let routes = if trace::wanted() {
            trace::around(routes, &instance_id)
        } else {
            routes
        };
        let incoming = connections::hold(incoming, accepting, metrics, &lifecycle);
        let transport = transport::server()
            .layer(Calls::new(Arc::clone(&ledger)))
            .add_routes(routes)
            .serve_with_incoming_shutdown(incoming, async {
                // If the sender is dropped, the transport stops as well.
                let _ = stopped.await;
            });
        let mut transport = std::pin::pin!(transport);
        let times = drain::Times {
            delay: settings.drain_delay,
            limit: settings.drain_timeout,
        };

        let drained = tokio::select! {
            biased;
            drained = drain::when_asked(shutdown, &ledger, &lifecycle, &health, times) => {
                drop(stop);
                // Connections that are still open after this time are kept open by their peers.
                let _ = timeout(CLOSE_TIMEOUT, transport).await;
                lifecycle.advance(Phase::Closed);
                drained
            }
            ended = &mut transport => {
                ended?;
                drain::now(&ledger, &lifecycle, &health, settings.drain_timeout).await
            }
        };
        if let Some(reaching) = reaching {
            reaching.abort();
        }
        dispatcher.await.expect("the dispatcher does not panic");
        if timeout(CLOSE_TIMEOUT, queue.close()).await.is_err() {
            tracing::error!("the disk or the server of the queue does not answer; what was acknowledged is safe");
        }
        Ok(drained)
    }
}
