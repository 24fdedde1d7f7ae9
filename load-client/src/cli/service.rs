//! The flags of foo-service that `compare` and `sweep` take besides their own, for the services that they start.

use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};
use foo_service::config::Settings;

use super::given::{Words, words};

/// The service's flags that a comparison takes, by their long names.
const FLAGS: [&str; 8] = [
    "workers",
    "service-time",
    "service-time-distribution",
    "queue-capacity",
    "max-waiting",
    "limit",
    "concurrency-limit",
    "line",
];

/// The same flags, as clap names them within a command.
pub(super) const IDS: [&str; FLAGS.len()] = [
    "workers",
    "service_time",
    "service_time_distribution",
    "queue_capacity",
    "max_waiting",
    "limit_kind",
    "concurrency_limit",
    "line",
];

/// The service's flags that were given. They have the names, the checks and the help texts that foo-service gives them.
#[derive(Debug, Clone)]
pub struct ServiceFlags(Words);

impl ServiceFlags {
    /// The flags that were given, each with its value.
    pub fn words(&self) -> &Words {
        &self.0
    }
}

fn flags() -> impl Iterator<Item = Arg> {
    let settings = Settings::augment_args(Command::new("settings"));
    let args: Vec<Arg> = settings.get_arguments().cloned().collect();
    args.into_iter()
        .filter(|arg| arg.get_long().is_some_and(|long| FLAGS.contains(&long)))
        .map(|arg| {
            arg.env(None::<&str>)
                .default_value(None::<&str>)
                .help_heading("Services")
        })
}

impl Args for ServiceFlags {
    fn augment_args(command: Command) -> Command {
        command.args(flags())
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for ServiceFlags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        Ok(Self(words(&Command::new("services").args(flags()), matches)))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flag_of_a_service_is_one_that_a_running_service_does_not_take() {
        let mut ids: Vec<String> = flags().map(|flag| flag.get_id().to_string()).collect();
        let mut known = IDS.map(str::to_owned).to_vec();
        ids.sort_unstable();
        known.sort_unstable();
        assert_eq!(ids, known);
    }
}
