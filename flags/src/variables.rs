//! Switches in environment variables, and variables that belong to no flag.

use std::ffi::OsString;

use clap::Command;

/// The similarity from which one name is suggested for another, from 0 to 1 (arbitrary: clap's suggestions use the same).
const ALIKE: f64 = 0.7;

/// Parses the value of a switch: true, yes, on, 1, t or y, and false, no, off, 0, f or n, in upper or lower case.
///
/// # Errors
///
/// A text with the accepted words.
pub fn boolish(text: &str) -> Result<bool, String> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "1" | "t" | "y" => Ok(true),
        "false" | "no" | "off" | "0" | "f" | "n" => Ok(false),
        _ => Err("must be true or false (or 1 or 0, yes or no, on or off)".to_owned()),
    }
}

/// A sentence for each set variable that begins with the prefix and belongs to no flag of the command.
pub(crate) fn unknown(
    command: &Command,
    prefix: &str,
    set: impl IntoIterator<Item = (String, OsString)>,
) -> Vec<String> {
    let known = known(command);
    let mut unknown: Vec<String> = set
        .into_iter()
        .filter(|(name, value)| {
            name.starts_with(prefix) && !value.is_empty() && !known.contains(name) && !is_of_kubernetes(name, value)
        })
        .map(|(name, _)| name)
        .collect();
    unknown.sort_unstable();
    let program = command.get_name();
    unknown
        .into_iter()
        .map(|name| match nearest(&name, &known) {
            Some(near) => format!("{name} is set, but {program} knows no such variable: did you mean {near}?"),
            None => format!("{name} is set, but {program} knows no such variable; --help lists those that it knows"),
        })
        .collect()
}

fn nearest<'a>(name: &str, known: &'a [String]) -> Option<&'a String> {
    let likeness = |other: &String| strsim::normalized_damerau_levenshtein(name, other);
    let nearest = known.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)))?;
    (likeness(nearest) >= ALIKE).then_some(nearest)
}

/// Whether `name` may be a mistyped `other`.
pub(crate) fn is_alike(name: &str, other: &str) -> bool {
    strsim::normalized_damerau_levenshtein(name, other) >= ALIKE
}

/// Whether Kubernetes has set the variable. It tells each container of all services, in variables that begin with the
/// service's name, so a variable of a service called `foo` or `load-client` is not a typing error.
fn is_of_kubernetes(name: &str, value: &OsString) -> bool {
    let value = value.to_string_lossy();
    name.ends_with("_SERVICE_HOST")
        || name.contains("_SERVICE_PORT")
        || ["tcp://", "udp://", "sctp://"]
            .iter()
            .any(|scheme| value.starts_with(scheme))
        || name
            .rsplit_once("_PORT_")
            .is_some_and(|(_, rest)| rest.starts_with(|c: char| c.is_ascii_digit()))
}

/// The environment variables of all flags of a command and of its subcommands.
pub(crate) fn known(command: &Command) -> Vec<String> {
    let own = command.get_arguments().filter_map(|arg| arg.get_env()?.to_str());
    let own = own.map(str::to_owned);
    own.chain(command.get_subcommands().flat_map(known)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Arg;

    fn warnings(set: &[(&str, &str)]) -> Vec<String> {
        let flags = ["FOO_WORKERS", "FOO_LISTEN", "FOO_QUEUE"].map(|name| Arg::new(name).long(name).env(name));
        let health = Command::new("health").arg(Arg::new("cert").long("cert").env("FOO_HEALTH_CERT"));
        let command = Command::new("foo-service").args(flags).subcommand(health);
        let set = set
            .iter()
            .map(|(name, value)| ((*name).to_owned(), OsString::from(value)));
        unknown(&command, "FOO_", set)
    }

    #[test]
    fn a_misspelt_variable_is_told_with_the_nearest_name() {
        assert_eq!(
            warnings(&[("FOO_WORKER", "4")]),
            ["FOO_WORKER is set, but foo-service knows no such variable: did you mean FOO_WORKERS?"]
        );
        assert_eq!(
            warnings(&[("FOO_COLOUR", "red")]),
            ["FOO_COLOUR is set, but foo-service knows no such variable; --help lists those that it knows"]
        );
    }

    #[test]
    fn known_empty_foreign_and_kubernetes_variables_are_no_warning() {
        let set = [
            ("FOO_WORKERS", "x"),
            ("FOO_HEALTH_CERT", "x"),
            ("FOO_WORKER", ""),
            ("LOAD_RPS", "1"),
            ("FOO_SERVICE_SERVICE_HOST", "10.0.0.1"),
            ("FOO_SERVICE_SERVICE_PORT_GRPC", "50051"),
            ("FOO_SERVICE_PORT", "tcp://10.0.0.1:50051"),
            ("FOO_SERVICE_PORT_50051_TCP_ADDR", "10.0.0.1"),
        ];
        assert_eq!(warnings(&set), [""; 0]);
    }

    #[test]
    fn switches_take_the_words_that_people_use() {
        for word in ["1", "yes", "TRUE", "On", "y", "t"] {
            assert_eq!(boolish(word), Ok(true), "{word}");
        }
        for word in ["0", "no", "False", "OFF", "n", "f"] {
            assert_eq!(boolish(word), Ok(false), "{word}");
        }
        assert!(boolish("maybe").is_err() && boolish("2").is_err());
    }
}
