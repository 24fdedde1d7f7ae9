//! Applies flags of the command line to a lab. They replace the settings of the lab.

use super::{
    declared::{Declared, Lab},
    resolve::change,
    shared::SHARED,
    source::{LabError, hint, wrong},
    table::{Table, Value},
};
use crate::{cli::Words, scenario::Rpc};

impl Lab {
    /// Replaces settings of the load by these flags. Settings that contradict them are removed: `--stages` removes
    /// `rps`, for instance.
    pub fn lay_load(&mut self, words: &Words) {
        let given = Table::given(words);
        let load = self.load_flags().merged(&self.load, &given);
        let strategies = self.strategies.iter();
        let own = strategies.map(|strategy| {
            let mut own = self.load_flags().merged(&strategy.load, &given);
            own.0.retain(|key, _| given.get(key).is_none());
            own
        });
        let own: Vec<Table> = own.collect();
        self.load = load;
        for (strategy, own) in self.strategies.iter_mut().zip(own) {
            strategy.load = own;
        }
    }

    /// Adds these flags as defaults of the load: they apply only if the lab does not set or contradict them.
    pub fn lay_load_under(&mut self, words: &Words) {
        self.load = self.load_flags().merged(&Table::given(words), &self.load);
    }

    /// Replaces settings of the services by these flags, for the strategies to which a flag applies:
    ///
    /// - `workers` applies to all. A strategy or an event with a multiple of the lab's workers keeps that multiple.
    /// - `queue-capacity` applies to the strategies whose clients use Enqueue and whose queue is bounded.
    /// - `max-waiting` applies to the strategies that set it themselves; if none does, to all.
    /// - Every other flag applies to all.
    ///
    /// # Errors
    ///
    /// If a flag applies to no strategy, or the number of workers is wrong.
    pub fn lay_service(&mut self, words: &Words) -> Result<(), LabError> {
        for (key, entry) in Table::given(words).0 {
            match (key.as_str(), &entry.value) {
                ("workers", Value::One(count)) => self.scale_workers(count)?,
                ("queue-capacity", value) => {
                    let bounded: Vec<bool> = self
                        .strategies
                        .iter()
                        .map(|strategy| self.is_bounded(strategy))
                        .collect();
                    if !bounded.contains(&true) {
                        let says =
                            "--queue-capacity means nothing here: no strategy has a bounded queue behind Enqueue";
                        return Err(wrong(&self.file, 0, says));
                    }
                    let strategies = self.strategies.iter_mut().zip(bounded).filter(|(_, bounded)| *bounded);
                    strategies.for_each(|(strategy, _)| strategy.service.set(&key, value.clone()));
                }
                ("max-waiting", value) => {
                    let mut own = self.strategies.iter_mut().map(|strategy| &mut strategy.service);
                    if own.any(|service| service.get(&key).is_some()) {
                        let own = self.strategies.iter_mut().map(|strategy| &mut strategy.service);
                        let own = own.filter(|service| service.get(&key).is_some());
                        own.for_each(|service| service.set(&key, value.clone()));
                    } else {
                        self.service.set(&key, value.clone());
                    }
                }
                (_, value) => {
                    let own = self.strategies.iter_mut().map(|strategy| &mut strategy.service);
                    own.for_each(|service| drop(service.0.remove(&key)));
                    self.service.set(&key, value.clone());
                }
            }
        }
        Ok(())
    }

    /// Keeps only the named strategies, and the events that concern them; all, if `names` is empty.
    ///
    /// # Errors
    ///
    /// If the lab has no strategy of such a name; the error lists the names that it has.
    pub fn keep(&mut self, names: &[String]) -> Result<(), LabError> {
        let known = || self.strategies.iter().map(|strategy| strategy.name.as_str());
        if let Some(unknown) = names.iter().find(|name| !known().any(|known| known == *name)) {
            let near = hint(unknown, known());
            let all = known().collect::<Vec<_>>().join(", ");
            let near = if near.starts_with("the nearest") {
                format!("; {near}")
            } else {
                String::new()
            };
            let near = if unknown == SHARED {
                format!("; {SHARED} needs the server of its queue: add --nats nats://HOST:PORT")
            } else {
                near
            };
            return Err(wrong(
                &self.file,
                0,
                format!("there is no strategy {unknown:?}; there are {all}{near}"),
            ));
        }
        if names.is_empty() {
            return Ok(());
        }
        self.strategies.retain(|strategy| names.contains(&strategy.name));
        self.events.retain_mut(|event| {
            let for_all = event.strategies.is_empty();
            event.strategies.retain(|name| names.contains(name));
            for_all || !event.strategies.is_empty()
        });
        Ok(())
    }

    fn is_bounded(&self, strategy: &Declared) -> bool {
        let table = self.service_flags().merged(&self.service, &strategy.service);
        // A queue is bounded by default.
        let bounded = table
            .get("queue")
            .is_none_or(|queue| queue.value == Value::One("bounded".to_owned()));
        strategy.rpc == Rpc::Enqueue && bounded
    }

    fn scale_workers(&mut self, count: &str) -> Result<(), LabError> {
        let file = self.file.clone();
        let of = |table: &Table| -> Result<Option<u64>, LabError> {
            let Some(entry) = table.get("workers") else {
                return Ok(None);
            };
            let alone = Table([("workers".to_owned(), entry.clone())].into());
            Ok(change(&file, &alone, entry.line)?.workers.map(u64::from))
        };
        let wanted = of(&Table::given(&[("workers".to_owned(), vec![count.to_owned()])]))?.unwrap_or(1);
        let mut own = Vec::new();
        for strategy in &self.strategies {
            own.extend(of(&strategy.service)?);
        }
        // The number of workers that becomes `wanted`; all other numbers of workers are scaled by the same factor.
        let base = of(&self.service)?.or(own.iter().min().copied()).unwrap_or(1);
        let scaled = |workers: u64| {
            let scaled = (workers * wanted + base / 2) / base;
            Value::One(scaled.max(1).to_string())
        };
        let services = self.strategies.iter_mut().map(|strategy| &mut strategy.service);
        for service in services.chain(self.events.iter_mut().map(|event| &mut event.service)) {
            if let Some(workers) = of(service)? {
                service.set("workers", scaled(workers));
            }
        }
        self.service.set("workers", Value::One(wanted.to_string()));
        Ok(())
    }
}
