//! Which requests wait, in which order they are served, and which are rejected.
//!
//! A line is a pure value: it gets the time as an argument, and returns which request to serve, or which to reject and why.
//! It reads no clock and uses no lock and no task, so a test can feed it plain numbers and a simulation runs the same code
//! as a server. Each algorithm has a file of its own, whose header has the rule, the constants and the source. To add one,
//! write its file and add a row to [`LINES`].
//!
//! A request that finds a free place does not enter the line.

pub mod adaptive_lifo;
mod algorithm;
pub mod auto;
mod caller;
pub mod codel;
pub mod deadline;
mod delay;
pub mod fifo;
pub mod lifo;
pub mod priority;
pub mod shed;
mod slack;
mod waiting;

pub use self::{
    adaptive_lifo::AdaptiveLifo,
    algorithm::{Arrival, Ended, Line, LineSettings, Load, Reason, Turn},
    auto::Auto,
    caller::{Caller, Class, Id},
    codel::Codel,
    deadline::Deadline,
    fifo::Fifo,
    lifo::Lifo,
    priority::Priority,
    shed::Shed,
};

/// A row of [`LINES`]: a line that can be chosen by its name.
#[derive(Debug, Clone, Copy)]
pub struct LineKind {
    /// The name, as a value of a flag.
    pub name: &'static str,
    /// A sentence on what the line does, for help texts.
    pub about: &'static str,
    /// Makes an empty line.
    pub build: fn(LineSettings) -> Box<dyn Line>,
}

/// All lines, the default first.
pub const LINES: [LineKind; 7] = [
    LineKind {
        name: "auto",
        about: "Oldest first; newest first while overload lasts. Rejects requests that cannot be answered in time.",
        build: |settings| Box::new(Auto::new(settings)),
    },
    LineKind {
        name: "shed",
        about: "No request waits.",
        build: |_| Box::new(Shed::default()),
    },
    LineKind {
        name: "fifo",
        about: "Oldest first, up to a number of requests.",
        build: |settings| Box::new(Fifo::new(settings)),
    },
    LineKind {
        name: "lifo",
        about: "Newest first. A full line gives up its oldest request.",
        build: |settings| Box::new(Lifo::new(settings)),
    },
    LineKind {
        name: "codel",
        about: "Oldest first. Rejects requests that waited long while every wait is long.",
        build: |settings| Box::new(Codel::new(settings)),
    },
    LineKind {
        name: "adaptive-lifo",
        about: "Oldest first, as codel; newest first while every wait is long.",
        build: |settings| Box::new(AdaptiveLifo::new(settings)),
    },
    LineKind {
        name: "deadline",
        about: "Oldest first. Rejects on arrival requests that cannot be answered in time.",
        build: |settings| Box::new(Deadline::new(settings)),
    },
];

/// The line with this name; `None` if there is none.
pub fn by_name(name: &str) -> Option<&'static LineKind> {
    LINES.iter().find(|kind| kind.name == name)
}

#[cfg(test)]
mod tests {
    use super::{algorithm::tests::*, *};

    #[test]
    fn every_line_has_a_name_of_its_own_and_forgets_requests_that_leave() {
        for (place, kind) in LINES.iter().enumerate() {
            assert_eq!(LINES.iter().position(|other| other.name == kind.name), Some(place));
            let mut line = (kind.build)(LineSettings::default());
            assert_eq!(
                line.arrive(ms(0), patient(1, 0), &LOAD),
                Arrival::Waits,
                "{}",
                kind.name
            );
            assert_eq!(
                line.arrive(ms(0), patient(2, 0), &LOAD),
                Arrival::Waits,
                "{}",
                kind.name
            );
            assert!(line.leave(Id(2)), "{}", kind.name);
            assert_eq!(line.len(), 1);
            assert_eq!(
                line.next(ms(60_000), &LOAD),
                Some(Turn::Serve(patient(1, 0))),
                "{}",
                kind.name
            );
            assert!(line.is_empty() && line.next(ms(60_000), &LOAD).is_none());
        }
    }
}
