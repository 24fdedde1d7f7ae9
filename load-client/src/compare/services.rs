//! The services of a strategy in real time: one, or a front and those that work on the queue that they share.

use std::sync::Arc;

use foo_service::enqueue::Backing;

use crate::{
    embedded::{EmbedError, Embedded},
    lab::{Event, Strategy},
    measure,
    transport::dial::Dial,
    ui::console::say,
};

/// Running services.
pub(super) struct Services {
    /// The first takes the calls.
    running: Vec<Embedded>,
    /// A shared queue that was made for this run.
    made: Option<Backing>,
}

impl Services {
    /// Starts the services of a strategy on loopback. A shared queue has a name of its own, unless the lab names it, and is deleted by
    /// [`stop`](Self::stop).
    ///
    /// # Errors
    ///
    /// If one of them cannot be started. Those that were started are gone then.
    pub(super) async fn start(strategy: &Strategy, run_id: &str) -> Result<Self, EmbedError> {
        let mut services = Self {
            running: Vec::new(),
            made: None,
        };
        for (number, mut settings) in strategy.services().into_iter().enumerate() {
            if strategy.shares_queue() && settings.shared_queue.queue_name.is_none() {
                settings.shared_queue.queue_name = Some(format!("load-client-{run_id}"));
                services.made = Some(settings.backing());
            }
            // The front has the id of the run, as the only service has.
            let instance_id = if number == 0 {
                run_id.to_owned()
            } else {
                format!("{run_id}-{number}")
            };
            match Embedded::on_loopback(settings, instance_id).await {
                Ok(service) => services.running.push(service),
                Err(error) => {
                    if services.running.is_empty() {
                        // What was not reached has nothing to delete.
                        services.made = None;
                    }
                    services.stop().await;
                    return Err(error);
                }
            }
        }
        Ok(services)
    }

    /// How clients reach them.
    pub(super) fn dial(&self) -> Dial {
        self.running[0].dial()
    }

    /// What happens to them, as the run sees it.
    pub(super) fn events(&self, strategy: &Strategy) -> Vec<measure::Event> {
        events(strategy, &self.running)
    }

    /// Ends them at once, and deletes the queue that was made for them. Waits until they are gone.
    pub(super) async fn stop(self) {
        futures_util::future::join_all(self.running.into_iter().map(Embedded::stop)).await;
        if let Some(queue) = self.made
            && let Err(why) = queue.delete_shared().await
        {
            say(&format!(
                "load-client: the queue of this run is left on its server: {why}"
            ));
        }
    }
}

/// What happens to the services of a strategy, as the run sees it.
pub(super) fn events(strategy: &Strategy, services: &[Embedded]) -> Vec<measure::Event> {
    let event = |event: &Event| {
        let controls = services.iter().map(Embedded::control);
        let each: Vec<_> = controls.zip(strategy.changes(&event.change)).collect();
        let act = move || {
            for (control, change) in &each {
                control.change(change).expect("the lab has checked what it changes to");
            }
        };
        measure::Event {
            at: event.at,
            says: event.says.clone(),
            act: Arc::new(act),
        }
    };
    strategy.events.iter().map(event).collect()
}

#[cfg(test)]
mod tests {
    use foo_service::{
        config::{Change, Settings},
        role::Accept,
    };

    use super::*;
    use crate::{compare::REAL, lab::Lab};

    fn strategy(workers: u32, instances: u32) -> Strategy {
        let mut lab = Lab::built_in_with_shared_queue();
        lab.keep(&["async-durable".to_owned()]).unwrap();
        let strategy = lab.strategies(REAL).unwrap().remove(0);
        Strategy {
            instances,
            settings: Settings {
                workers,
                ..strategy.settings
            },
            ..strategy
        }
    }

    #[test]
    fn one_service_accepts_and_the_others_share_the_workers_as_equally_as_they_can() {
        for (workers, instances, shares) in [(2, 2, vec![1, 1]), (7, 3, vec![3, 2, 2]), (5, 4, vec![2, 1, 1, 1])] {
            let strategy = strategy(workers, instances);
            let services = strategy.services();
            assert_eq!((services[0].workers, services[0].accept), (0, Accept::All));
            let of: Vec<u32> = services[1..].iter().map(|service| service.workers).collect();
            assert_eq!(of, shares);
            assert!(services[1..].iter().all(|service| service.accept == Accept::None));
            assert!(services.iter().all(|service| service.check().is_ok()));
            let change = Change {
                workers: Some(workers),
                ..Change::default()
            };
            let changes: Vec<_> = strategy.changes(&change).iter().map(|change| change.workers).collect();
            assert_eq!(changes[0], None, "the front has no workers");
            assert_eq!(changes[1..], shares.into_iter().map(Some).collect::<Vec<_>>());
        }
        let alone = strategy(3, 1).services();
        assert_eq!((alone.len(), alone[0].workers, alone[0].accept), (1, 3, Accept::All));
    }
}
