//! A policy: a limit and a line, chosen by name; one row of a table.

use tower_admission::{
    controller::Controller,
    limit::{self, LimitSettings},
    line,
    room::Admission,
};

use crate::scenario::times;

/// The number that the limit gets at the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// The limit gets the number of workers, as if an operator knew and set it.
    Workers,
    /// The limit does not get the number of workers, and starts at this value.
    Start(u32),
}

/// A limit and a line, with their settings.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Policy {
    /// The limit: a name in [`tower_admission::limit::LIMITS`], as for the flag `--limit`.
    pub limit: &'static str,
    /// The number that the limit gets at the start.
    pub told: Told,
    /// The line: a name in [`tower_admission::line::LINES`], as for the flag `--line`.
    pub line: &'static str,
    /// How many requests may wait; `None` for the default of the lines.
    pub places: Option<usize>,
    /// The setting `target_wait` of the line, in service times; `None` leaves it unset.
    pub target_wait: Option<f64>,
    /// Whether requests of more urgent classes are served first.
    pub classes: bool,
}

impl Policy {
    /// A policy with the line `name`, and a fixed limit equal to the number of workers.
    pub fn line(name: &'static str) -> Self {
        Self {
            limit: "fixed",
            told: Told::Workers,
            line: name,
            places: None,
            target_wait: None,
            classes: false,
        }
    }

    /// A policy with the limit `name`, which starts at `start`, and the line `auto`.
    pub fn limit(name: &'static str, start: u32) -> Self {
        Self {
            limit: name,
            told: Told::Start(start),
            ..Self::line("auto")
        }
    }

    /// The policy's name in the tables.
    pub fn name(&self) -> String {
        match self.told {
            Told::Workers => format!("{} · {}", self.limit, self.line),
            Told::Start(start) => format!("{} from {start} · {}", self.limit, self.line),
        }
    }

    /// A controller with this policy, for a service with `workers` workers.
    pub fn controller(&self, workers: u32) -> Controller {
        let settings = match self.told {
            Told::Workers => LimitSettings::workers(workers),
            Told::Start(start) => LimitSettings::from(start),
        };
        let mut builder = Admission::builder()
            .limit(limit::by_name(self.limit).expect("a limit's name"), settings)
            .line(line::by_name(self.line).expect("a line's name"))
            .target_wait(self.target_wait.map(times));
        if let Some(places) = self.places {
            builder = builder.places(places);
        }
        if self.classes {
            builder = builder.classes(None);
        }
        builder.controller()
    }
}
