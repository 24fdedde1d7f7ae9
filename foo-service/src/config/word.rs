//! The name of a flag's value.

use clap::ValueEnum;

/// The name of a flag's value, as it is written on the command line.
pub fn word(value: &impl ValueEnum) -> String {
    value
        .to_possible_value()
        .map_or_else(String::new, |value| value.get_name().to_owned())
}
