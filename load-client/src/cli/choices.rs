//! The values of flags that take one of a few words, and the help of each word.

use clap::{ValueEnum, builder::PossibleValue};

use crate::{
    arrival::trace::TimeUnit,
    scenario::{Rpc, Spacing, WhenBlocked},
};

impl ValueEnum for Rpc {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Enqueue, Self::Process]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let help = match self {
            Self::Enqueue => "The service queues the message and answers at once",
            Self::Process => "The service processes the message and then answers",
            // A method of another service is the value of --call.
            Self::Other(_) => return None,
        };
        Some(PossibleValue::new(self.label()).help(help))
    }
}

impl ValueEnum for Spacing {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Constant, Self::Poisson]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let help = match self {
            Self::Constant => {
                "Each client at equal intervals, from a phase that the seed draws; the requests of all clients together are \
                 not evenly spaced"
            }
            Self::Poisson => "At random: exponential gaps, as from very many independent sources",
        };
        Some(PossibleValue::new(self.label()).help(help))
    }
}

impl ValueEnum for WhenBlocked {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Backlog, Self::Withhold]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let help = match self {
            Self::Backlog => {
                "The client sends the request when it can; the response time counts from the scheduled time"
            }
            Self::Withhold => "The client does not send the request, and the report counts it",
        };
        Some(PossibleValue::new(self.label()).help(help))
    }
}

impl ValueEnum for TimeUnit {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Seconds, Self::Millis, Self::Micros, Self::Nanos]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let value = PossibleValue::new(self.name());
        Some(match self {
            Self::Seconds => value.help("Seconds"),
            Self::Millis => value.help("Milliseconds"),
            Self::Micros => value.help("Microseconds").alias("µs"),
            Self::Nanos => value.help("Nanoseconds"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names<T: ValueEnum>() -> Vec<String> {
        let values = T::value_variants().iter().filter_map(ValueEnum::to_possible_value);
        values.map(|value| value.get_name().to_owned()).collect()
    }

    #[test]
    fn each_choice_has_the_name_that_reports_and_lab_files_have() {
        assert_eq!(names::<Rpc>(), ["enqueue", "process"]);
        assert_eq!(names::<Spacing>(), ["constant", "poisson"]);
        assert_eq!(names::<WhenBlocked>(), ["backlog", "withhold"]);
        assert_eq!(names::<TimeUnit>(), ["s", "ms", "us", "ns"]);
        assert_eq!(TimeUnit::from_str("µs", false), Ok(TimeUnit::Micros));
    }
}
