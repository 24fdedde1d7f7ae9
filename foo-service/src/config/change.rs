//! The settings that can change while a service runs.

use std::time::Duration;

use clap::Args;

use super::{
    Settings,
    values::{duration_up_to_an_hour, workers},
};
use crate::work::Share;

/// The [`Settings`] that can change while a service runs. The flags have the same names as those of the service. `None` keeps
/// the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Args)]
pub struct Change {
    /// Number of workers: messages that are processed at once, for both RPCs together
    #[arg(long, value_parser = workers)]
    pub workers: Option<u32>,

    /// Mean service time of a message that asks for none of its own [0s to 1h]
    #[arg(long, value_parser = duration_up_to_an_hour)]
    pub service_time: Option<Duration>,

    /// Share of messages whose work fails; their callers get UNAVAILABLE [0% to 100%]
    #[arg(long, value_name = "SHARE")]
    pub fail_rate: Option<Share>,

    /// How long a worker works on a message that fails [0s to 1h]
    #[arg(long, value_parser = duration_up_to_an_hour)]
    pub fail_time: Option<Duration>,
}

impl Change {
    /// Returns a copy of `settings` with these changes.
    #[must_use]
    pub fn apply(&self, settings: &Settings) -> Settings {
        Settings {
            workers: self.workers.unwrap_or(settings.workers),
            service_time: self.service_time.unwrap_or(settings.service_time),
            fail_rate: self.fail_rate.unwrap_or(settings.fail_rate),
            fail_time: self.fail_time.unwrap_or(settings.fail_time),
            ..settings.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Command;

    use super::*;

    #[test]
    fn what_can_change_is_spelled_as_the_flags_of_the_service() {
        let settings = Settings::augment_args(Command::new("settings"));
        let longs: Vec<_> = settings.get_arguments().filter_map(clap::Arg::get_long).collect();
        let changes = Change::augment_args(Command::new("change"));
        assert_eq!(changes.get_arguments().count(), 4);
        for flag in changes.get_arguments() {
            assert!(longs.contains(&flag.get_long().unwrap()), "{flag:?}");
        }
    }
}
