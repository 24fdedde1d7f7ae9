//! Makes the strategies to run from the tables of a lab: each with its service, its load and its events.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    iter,
    time::Duration,
};

use foo_service::config::{Change, Settings};

use super::{
    declared::{Declared, Lab},
    flags::{Flags, Kind},
    shared,
    source::{LabError, wrong},
    table::Table,
};
use crate::{
    cli::{Defaults, LoadArgs},
    report::{CapacityReport, EventReport},
    scenario::{Rpc, Schedule},
    units::time,
};

/// One of the compared strategies: a service with its settings, and the load on it.
#[derive(Debug, Clone)]
pub struct Strategy {
    /// The strategy's name, in tables and charts.
    pub name: String,
    /// One sentence for readers new to the strategy.
    pub about: String,
    /// The RPC that its clients use.
    pub rpc: Rpc,
    /// The service that is started for it; of several, what they are together.
    pub settings: Settings,
    /// How many services work on its queue; with more than one, another one accepts.
    pub instances: u32,
    /// The flags of its load.
    pub load: LoadArgs,
    /// When requests are scheduled.
    pub schedule: Schedule,
    /// The changes of the service while the load runs, in the order of time.
    pub events: Vec<Event>,
}

/// A change of the settings of a service while the load runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The time of the event since the load began.
    pub at: Duration,
    /// The settings of the running service that change.
    pub change: Change,
    /// The change in a few words.
    pub says: String,
}

impl Strategy {
    /// The number of workers and the service time when the load begins.
    pub fn capacity(&self) -> CapacityReport {
        CapacityReport {
            workers: self.settings.workers,
            service_time_seconds: self.settings.service_time.as_secs_f64(),
        }
    }

    /// The time within which a request must be done to count as good, in seconds.
    pub fn slo_seconds(&self) -> f64 {
        self.load.slo().as_secs_f64()
    }

    /// The events in the form that reports use.
    pub fn reported_events(&self) -> Vec<EventReport> {
        let event = |event: &Event| EventReport {
            at_seconds: event.at.as_secs_f64(),
            says: event.says.clone(),
        };
        self.events.iter().map(event).collect()
    }
}

impl Lab {
    /// The flags of the load that all strategies have in common.
    ///
    /// # Errors
    ///
    /// If a value in `[load]` is invalid.
    pub fn load(&self) -> Result<LoadArgs, LabError> {
        self.load_flags().parse(&self.load, 0)
    }

    /// Makes the strategies of the lab. `defaults` apply to everything that neither the lab nor a flag sets. Reads
    /// traces from the disk.
    ///
    /// # Errors
    ///
    /// If a value of the lab is invalid or contradicts another one, or a trace cannot be read.
    pub fn strategies(&self, defaults: Defaults) -> Result<Vec<Strategy>, LabError> {
        let mut schedules = BTreeMap::new();
        let strategies = self.strategies.iter();
        strategies
            .map(|declared| self.strategy(declared, defaults, &mut schedules))
            .collect()
    }

    fn strategy(
        &self,
        declared: &Declared,
        defaults: Defaults,
        schedules: &mut BTreeMap<Vec<String>, Schedule>,
    ) -> Result<Strategy, LabError> {
        let wrong_here = |says: String| wrong(&self.file, declared.line, format!("{}: {says}", declared.name));
        let table = self.load_flags().merged(&self.load, &declared.load);
        let load: LoadArgs = self.load_flags().parse(&table, declared.line)?;
        let line = table.get("trace").map_or(declared.line, |trace| trace.line);
        let read = || {
            load.schedule()
                .map_err(|error| wrong(&self.file, line, error.to_string()))
        };
        // A trace is read once for all strategies that replay it.
        let schedule = match schedules.entry(table.words()) {
            Entry::Occupied(known) => known.get().clone(),
            Entry::Vacant(new) => new.insert(read()?).clone(),
        };
        let table = self.service_flags().merged(&self.service, &declared.service);
        let mut settings: Settings = self.service_flags().parse(&table, declared.line)?;
        settings.check().map_err(wrong_here)?;
        shared::check(declared.instances, declared.rpc, &settings).map_err(wrong_here)?;
        self.check_contradictions(declared, &settings, &table)?;
        let scenario = load.scenario_of(
            declared.rpc,
            schedule.clone(),
            Defaults {
                rpc: declared.rpc,
                ..defaults
            },
        );
        load.check(&scenario).map_err(wrong_here)?;
        if table.get("seed").is_none() {
            settings.seed = scenario.seed;
        }
        let end = scenario.length();
        Ok(Strategy {
            name: declared.name.clone(),
            about: declared.about.clone(),
            rpc: declared.rpc,
            events: self.events_of(declared, &settings, end)?,
            settings,
            instances: declared.instances,
            load,
            schedule,
        })
    }

    /// True if any part of the lab sets `fail-rate`.
    fn sets_fail_rate(&self) -> bool {
        let strategies = self.strategies.iter().map(|strategy| &strategy.service);
        let events = self.events.iter().map(|event| &event.service);
        iter::once(&self.service)
            .chain(strategies)
            .chain(events)
            .any(|service| service.get("fail-rate").is_some())
    }

    /// Checks that no key of the service is without effect, as foo-service checks its flags. The error names the line
    /// of the key that comes later in the file.
    fn check_contradictions(&self, declared: &Declared, settings: &Settings, table: &Table) -> Result<(), LabError> {
        let key = |field: &str| field.replace('_', "-");
        let given = |field: &str| {
            let key = key(field);
            // `fail-time` may be for another strategy, or take effect after an event, if `fail-rate` is set anywhere.
            let counts = table.get(&key).is_some() && !(key == "fail-time" && self.sets_fail_rate());
            counts.then_some(key)
        };
        settings.contradictions(given).map_err(|contradiction| {
            let lines = contradiction
                .fields
                .iter()
                .filter_map(|field| Some(table.get(&key(field))?.line));
            // The line is 0 if all these keys come from the command line.
            let line = lines.max().unwrap_or(declared.line);
            wrong(&self.file, line, format!("{}: {contradiction}", declared.name))
        })
    }

    /// The events of a strategy whose service begins with `settings` and whose load ends at `end`; `None` if that time
    /// is not known.
    fn events_of(
        &self,
        declared: &Declared,
        settings: &Settings,
        end: Option<Duration>,
    ) -> Result<Vec<Event>, LabError> {
        let theirs = |names: &[String]| names.is_empty() || names.contains(&declared.name);
        let mut declared_events: Vec<_> = self.events.iter().filter(|event| theirs(&event.strategies)).collect();
        declared_events.sort_by_key(|event| event.at);
        let mut settings = settings.clone();
        let mut events = Vec::new();
        for event in declared_events {
            if let Some(end) = end.filter(|end| event.at >= *end) {
                let end = time(end.as_secs_f64());
                let says = format!(
                    "at = {:?} is not before the end of the load, which lasts {end}",
                    event.at_text
                );
                return Err(wrong(&self.file, event.line, says));
            }
            let change = change(&self.file, &event.service, event.line)?;
            let changed = change.apply(&settings);
            let checked = changed
                .check()
                .and_then(|()| shared::check_workers(declared.instances, &changed));
            checked.map_err(|says| wrong(&self.file, event.line, says))?;
            events.push(Event {
                at: event.at,
                change,
                says: says(&settings, &changed),
            });
            settings = changed;
        }
        Ok(events)
    }
}

/// Parses the table of flags in an event.
pub(super) fn change(file: &str, table: &Table, line: usize) -> Result<Change, LabError> {
    let flags = Flags {
        file,
        kind: Kind::Change,
        name: "service",
    };
    flags.parse(table, line)
}

/// Says what changes, with the values before and after.
fn says(before: &Settings, after: &Settings) -> String {
    let mut changes = Vec::new();
    if before.workers != after.workers {
        let s = if after.workers == 1 { "" } else { "s" };
        changes.push(format!("{} worker{s} instead of {}", after.workers, before.workers));
    }
    if before.service_time != after.service_time {
        let [before, after] = [before, after].map(|settings| time(settings.service_time.as_secs_f64()));
        changes.push(format!("service time {after} instead of {before}"));
    }
    if before.fail_rate != after.fail_rate {
        let [before, after] = [before, after].map(|settings| settings.fail_rate);
        changes.push(format!("{after} of messages fail instead of {before}"));
    }
    if before.fail_time != after.fail_time {
        let [before, after] = [before, after].map(|settings| time(settings.fail_time.as_secs_f64()));
        changes.push(format!("messages fail after {after} instead of {before}"));
    }
    if changes.is_empty() {
        "nothing changes".to_owned()
    } else {
        changes.join(", ")
    }
}
