//! Which services a strategy is made of: one, or several that share a queue.

use foo_service::{
    config::{Change, QueueKind, Settings},
    role::Accept,
};

use super::resolve::Strategy;

impl Strategy {
    /// The settings of the services that it is made of. The first takes the calls: it is the only one, or a front without workers, and
    /// the others share its workers.
    pub fn services(&self) -> Vec<Settings> {
        if self.instances == 1 {
            return vec![self.settings.clone()];
        }
        let front = Settings {
            workers: 0,
            ..self.settings.clone()
        };
        let worker = |index: u32| Settings {
            workers: self.share(self.settings.workers, index),
            accept: Accept::None,
            // Each draws service times of its own.
            seed: self.settings.seed.wrapping_add(index.into()),
            ..self.settings.clone()
        };
        std::iter::once(front).chain((0..self.instances).map(worker)).collect()
    }

    /// What a change of the whole means for each of [`services`](Self::services).
    pub fn changes(&self, change: &Change) -> Vec<Change> {
        if self.instances == 1 {
            return vec![*change];
        }
        let front = Change {
            workers: None,
            ..*change
        };
        let worker = |index: u32| Change {
            workers: change.workers.map(|workers| self.share(workers, index)),
            ..*change
        };
        std::iter::once(front).chain((0..self.instances).map(worker)).collect()
    }

    /// Whether its queue is on a server.
    pub fn shares_queue(&self) -> bool {
        matches!(self.settings.queue, QueueKind::Nats(_))
    }

    /// The workers of one instance: as equal as they can be.
    fn share(&self, workers: u32, index: u32) -> u32 {
        workers / self.instances + u32::from(index < workers % self.instances)
    }
}
