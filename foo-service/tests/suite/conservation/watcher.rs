//! A watcher that stays until the service ends, resumes when its connection breaks, and records all snapshots.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
};

use foo_proto::v1::{Completion, Snapshot, WatchRequest};
use tokio::task::JoinHandle;

use super::call::RUN;
use crate::support::{Caller, INSTANCE, ms, watch_request};

/// The interval between snapshots, in milliseconds. It is even, as are all times (see `schedule`).
const EVERY_MS: u64 = 26;

pub(super) struct Watcher {
    told: Arc<Mutex<Told>>,
    stream: JoinHandle<()>,
    caller: Caller,
}

/// What Watch reported to the watcher, over all its connections.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// The completions of each message, by its id. More than one is a fault.
    pub(super) ends: BTreeMap<String, Vec<Completion>>,
    pub(super) missed: u64,
    pub(super) last: Option<Snapshot>,
    /// Whether the service ended the stream, after a last snapshot.
    pub(super) over: bool,
}

impl Watcher {
    pub(super) fn start(caller: Caller) -> Self {
        let told = Arc::default();
        Self {
            stream: tokio::spawn(watch(caller.clone(), Arc::clone(&told))),
            told,
            caller,
        }
    }

    /// Breaks the watcher's connection, and resumes from the same position on that of `caller`.
    pub(super) fn resume(&mut self, caller: Caller) {
        self.stream.abort();
        self.caller.cut();
        self.stream = tokio::spawn(watch(caller.clone(), Arc::clone(&self.told)));
        self.caller = caller;
    }

    pub(super) fn told(&self) -> MutexGuard<'_, Told> {
        lock(&self.told)
    }
}

fn lock(told: &Mutex<Told>) -> MutexGuard<'_, Told> {
    told.lock().expect("nobody panics with it")
}

async fn watch(caller: Caller, told: Arc<Mutex<Told>>) {
    let request = WatchRequest {
        resume_instance_id: INSTANCE.to_owned(),
        resume_after: lock(&told).last.as_ref().map_or(0, |last| last.completions_end),
        ..watch_request(RUN, ms(EVERY_MS))
    };
    // The call fails only if the service has ended meanwhile.
    let Ok(mut snapshots) = caller.watch(request).await else {
        return;
    };
    while let Ok(snapshot) = snapshots.message().await {
        let mut told = lock(&told);
        let Some(snapshot) = snapshot else {
            told.over = true;
            return;
        };
        told.missed += snapshot.missed;
        for end in &snapshot.completions {
            told.ends.entry(end.id.clone()).or_default().push(end.clone());
        }
        told.last = Some(snapshot);
    }
}
