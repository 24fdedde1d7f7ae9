//! Strategies whose services share a queue: what they need.

use foo_service::{
    config::{QueueKind, Settings},
    role::Accept,
};

use super::{
    declared::Lab,
    source::{LabError, wrong},
    table::Value,
};
use crate::scenario::Rpc;

/// The strategy that `--nats` adds to the worked example.
pub const SHARED: &str = "async-durable";

/// Whether so many instances can serve a strategy with these settings.
///
/// # Errors
///
/// What they need.
pub(super) fn check(instances: u32, rpc: Rpc, settings: &Settings) -> Result<(), String> {
    if instances == 1 {
        return Ok(());
    }
    let several = format!("instances = {instances}");
    if rpc != Rpc::Enqueue {
        return Err(format!(
            "{several} is for mode = \"enqueue\": the service that has a call of Process also answers it"
        ));
    }
    if !matches!(settings.queue, QueueKind::Nats(_)) {
        return Err(format!(
            "{several} needs a queue that the services share: add queue = \"nats://HOST:PORT\", or give --nats nats://HOST:PORT"
        ));
    }
    if settings.accept != Accept::All {
        return Err(format!(
            "{several} and accept contradict each other: one service accepts, and the others work; leave accept out"
        ));
    }
    check_workers(instances, settings)
}

/// Whether there is a worker for each instance.
///
/// # Errors
///
/// How many are needed.
pub(super) fn check_workers(instances: u32, settings: &Settings) -> Result<(), String> {
    if instances > 1 && settings.workers < instances {
        return Err(format!(
            "instances = {instances} share the workers, and workers = {} is too few: each instance needs one at least",
            settings.workers
        ));
    }
    Ok(())
}

impl Lab {
    /// Puts the queue of each strategy whose services share one on these servers.
    ///
    /// # Errors
    ///
    /// If there is no such strategy.
    pub fn lay_shared_queue(&mut self, servers: &str) -> Result<(), LabError> {
        let shares = |queue: &Value| matches!(queue, Value::One(queue) if queue.contains("://"));
        let all = self.service.get("queue").is_some_and(|queue| shares(&queue.value));
        let mut found = false;
        for strategy in &mut self.strategies {
            let own = strategy.service.get("queue").map(|queue| shares(&queue.value));
            if strategy.instances > 1 || own.unwrap_or(all) {
                strategy.service.set("queue", Value::One(servers.to_owned()));
                found = true;
            }
        }
        if found {
            return Ok(());
        }
        let says = "--nats means nothing here: no strategy shares a queue. Give one of them instances = 2";
        Err(wrong(&self.file, 0, says))
    }
}
