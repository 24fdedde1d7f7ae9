//! Replaces flags in texts by the environment variables that gave them their values.
//!
//! An error that is found after parsing, such as a file that cannot be read, names the flag: `--cacert ca.pem: no such file`.
//! If the value came from an environment variable, the user must change the variable, so the error must name that.

use clap::{ArgMatches, Command, parser::ValueSource};

/// `text` with the name of the environment variable in place of each flag whose value came from it.
///
/// Only whole flags count: `--tls` in `--tls-cert` stays as it is.
pub(crate) fn as_given(command: &Command, matches: &ArgMatches, text: &str) -> String {
    let from_environment = from_environment(command, matches);
    let mut given = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("--") {
        let (before, from) = rest.split_at(start);
        let end = from.find(|c: char| c != '-' && !c.is_ascii_alphanumeric());
        let (word, after) = from.split_at(end.unwrap_or(from.len()));
        // `--b` in `a--b` is no flag.
        let stands_alone = !before.ends_with(|c: char| c.is_ascii_alphanumeric() || c == '-');
        let variable = from_environment
            .iter()
            .find(|(flag, _)| stands_alone && word.strip_prefix("--") == Some(flag));
        given.push_str(before);
        given.push_str(variable.map_or(word, |(_, variable)| variable));
        rest = after;
    }
    given.push_str(rest);
    given
}

/// The flags of the innermost subcommand whose values came from variables: the long name without `--`, and the variable.
fn from_environment(command: &Command, matches: &ArgMatches) -> Vec<(String, String)> {
    if let Some((name, matches)) = matches.subcommand() {
        let inner = command.find_subcommand(name);
        return inner.map_or_else(Vec::new, |inner| from_environment(inner, matches));
    }
    let of_variables = command
        .get_arguments()
        .filter(|arg| matches.value_source(arg.get_id().as_str()) == Some(ValueSource::EnvVariable));
    let names = of_variables.filter_map(|arg| {
        let variable = arg.get_env()?.to_string_lossy().into_owned();
        Some((arg.get_long()?.to_owned(), variable))
    });
    names.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Arg;

    /// `as_given` of `text` if the variable PATH (which is always set) gave the value of `--cert`, and `--key` was typed.
    fn given(text: &str) -> String {
        let flags = [
            Arg::new("cert").long("cert").env("PATH"),
            Arg::new("key").long("key").env("HOME"),
        ];
        let command = Command::new("program").subcommand(Command::new("run").args(flags));
        let matches = command
            .clone()
            .try_get_matches_from(["program", "run", "--key", "k.pem"])
            .expect("the command line is right");
        as_given(&command, &matches, text)
    }

    #[test]
    fn a_flag_from_the_environment_is_named_as_the_variable() {
        assert_eq!(given("--cert a.pem: no such file"), "PATH a.pem: no such file");
        assert_eq!(given("give --cert, or --cert=FILE"), "give PATH, or PATH=FILE");
    }

    #[test]
    fn all_other_words_stay() {
        for text in [
            "--key k.pem does not belong to the certificate",
            "--cert-file, --certs and x--cert are other words",
            "-----BEGIN CERTIFICATE----- -- --",
            "",
        ] {
            assert_eq!(given(text), text);
        }
    }
}
