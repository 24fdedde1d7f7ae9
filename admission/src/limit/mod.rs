//! Limits: how many requests run at once.
//!
//! A limit is a pure value: it observes [`Sample`]s and returns a number. It reads no clock and uses no lock, so a test can
//! feed it plain numbers and a simulation runs the same code as a server. Each algorithm has a file of its own, whose header
//! has the formula, the constants and the source. To add one, write its file and add a row to [`LIMITS`].

pub mod aimd;
mod algorithm;
pub mod auto;
pub mod fixed;
pub mod gradient2;
pub mod vegas;

pub use self::{
    aimd::Aimd,
    algorithm::{Limit, LimitSettings, Outcome, Sample},
    auto::Auto,
    fixed::Fixed,
    gradient2::Gradient2,
    vegas::Vegas,
};

/// A row of [`LIMITS`]: a limit that can be chosen by its name.
#[derive(Debug, Clone, Copy)]
pub struct LimitKind {
    /// The name, as a value of a flag.
    pub name: &'static str,
    /// A sentence on what the limit does, for help texts.
    pub about: &'static str,
    /// Makes a limit that has observed nothing yet.
    pub build: fn(LimitSettings) -> Box<dyn Limit>,
}

/// All limits, the default first.
pub const LIMITS: [LimitKind; 5] = [
    LimitKind {
        name: "auto",
        about: "The number of workers where it is known; otherwise finds it.",
        build: |settings| Box::new(Auto::new(settings)),
    },
    LimitKind {
        name: "fixed",
        about: "A number that only the operator changes.",
        build: |settings| Box::new(Fixed::new(settings.start)),
    },
    LimitKind {
        name: "aimd",
        about: "Adds one while requests succeed, takes a tenth away when they are dropped or late.",
        build: |settings| Box::new(Aimd::new(settings)),
    },
    LimitKind {
        name: "vegas",
        about: "Holds an estimated queue behind the limit between two bounds, as TCP Vegas does.",
        build: |settings| Box::new(Vegas::new(settings)),
    },
    LimitKind {
        name: "gradient2",
        about: "Follows the ratio of the long-term round trip to the latest one.",
        build: |settings| Box::new(Gradient2::new(settings)),
    },
];

/// The limit with this name; `None` if there is none.
pub fn by_name(name: &str) -> Option<&'static LimitKind> {
    LIMITS.iter().find(|kind| kind.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_limit_has_a_name_of_its_own_and_starts_where_it_is_told() {
        for (place, kind) in LIMITS.iter().enumerate() {
            assert_eq!(LIMITS.iter().position(|other| other.name == kind.name), Some(place));
            assert_eq!((kind.build)(LimitSettings::workers(7)).limit(), 7, "{}", kind.name);
            assert_eq!((kind.build)(LimitSettings::from(40)).limit(), 40, "{}", kind.name);
        }
    }
}
