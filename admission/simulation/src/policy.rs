//! A limit and a line by name, as one row of a table.

use tower_admission::{
    controller::Controller,
    limit::{self, LimitSettings},
    line,
    room::Admission,
};

use crate::scenario::times;

/// What the limit is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// The number of workers, as where an operator knows it and sets it.
    Workers,
    /// To start its search there.
    Start(u32),
}

/// A limit and a line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Policy {
    /// A name of [`tower_admission::limit`], as the flag `--limit` takes it.
    pub limit: &'static str,
    /// What the limit is told.
    pub told: Told,
    /// A name of [`tower_admission::line`], as the flag `--line` takes it.
    pub line: &'static str,
    /// How many requests may wait; `None` for the line's own bound.
    pub places: Option<usize>,
    /// The longest wait of requests without a deadline, in service times.
    pub target_wait: Option<f64>,
    /// Whether urgent classes go first.
    pub classes: bool,
}

impl Policy {
    /// The limit is known, and the line is that one.
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

    /// That limit in front of the line `auto`, told to start somewhere.
    pub fn limit(name: &'static str, start: u32) -> Self {
        Self {
            limit: name,
            told: Told::Start(start),
            ..Self::line("auto")
        }
    }

    /// As the tables name it.
    pub fn name(&self) -> String {
        match self.told {
            Told::Workers => format!("{} · {}", self.limit, self.line),
            Told::Start(start) => format!("{} from {start} · {}", self.limit, self.line),
        }
    }

    /// The controller for a service of so many workers.
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
