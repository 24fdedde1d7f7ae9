//! The command line of the runs, as a report keeps it, with environment variables in front. In a shell it makes the same
//! runs again. Secrets are left out, and so are flags that only say what is shown and where: the same runs give the same
//! report, however its file is named.

use std::collections::{BTreeMap, BTreeSet};

use clap::{Arg, ArgMatches, Command, parser::ValueSource};

use super::secrets::{data_without_secrets, headers_without_secrets};

/// The first word of the line. The path of the program is private, so the line has only its name.
const PROGRAM: &str = "load-client";
/// The help heading of flags that do not change what is run.
const SHOWN: &str = "Output";
/// The flag with metadata.
const HEADER: &str = "header";
/// The flag with a message.
const DATA: &str = "data";

/// The line of a command with the values that it was started with. Flags have their long names, in the order in which
/// they were typed. A variable is left out if a flag overrides it.
pub(super) fn line(program: &Command, matches: &ArgMatches) -> String {
    let Some((name, matches)) = matches.subcommand() else {
        return PROGRAM.to_owned();
    };
    let mut set = BTreeSet::new();
    let mut typed = BTreeMap::new();
    let args = program
        .find_subcommand(name)
        .into_iter()
        .flat_map(Command::get_arguments);
    for arg in args.filter(|arg| arg.get_help_heading() != Some(SHOWN)) {
        match matches.value_source(arg.get_id().as_str()) {
            Some(ValueSource::EnvVariable) => set.extend(variable(arg, matches)),
            Some(ValueSource::CommandLine) => typed.extend(flags(arg, matches)),
            _ => {}
        }
    }
    let words = [PROGRAM, name]
        .map(str::to_owned)
        .into_iter()
        .chain(typed.into_values().flatten());
    let words = words.map(|word| quoted(&word));
    set.into_iter().chain(words).collect::<Vec<_>>().join(" ")
}

/// A variable with its value.
fn variable(arg: &Arg, matches: &ArgMatches) -> Option<String> {
    let (_, value) = values(arg, matches).into_iter().next()?;
    Some(format!("{}={}", arg.get_env()?.to_str()?, quoted(&value)))
}

/// The words of a flag for each time that it was given, by its position in the line.
fn flags(arg: &Arg, matches: &ArgMatches) -> BTreeMap<usize, Vec<String>> {
    let given = values(arg, matches).into_iter().map(|(at, value)| {
        let value = arg.get_action().takes_values().then_some(value);
        let flag = arg.get_long().map(|long| format!("--{long}"));
        (at, flag.into_iter().chain(value).collect())
    });
    given.collect()
}

/// The value of a flag for each time that it was given, with its position in the line.
fn values(arg: &Arg, matches: &ArgMatches) -> Vec<(usize, String)> {
    let id = arg.get_id().as_str();
    let delimiter = arg.get_value_delimiter().unwrap_or(' ').to_string();
    let mut places = matches.indices_of(id).into_iter().flatten();
    let occurrences = matches.get_raw_occurrences(id).into_iter().flatten();
    let occurrences = occurrences.filter_map(|values| {
        let values: Vec<String> = values.map(|value| value.to_string_lossy().into_owned()).collect();
        let at = places.by_ref().take(values.len()).collect::<Vec<_>>();
        let value = values.join(&delimiter);
        let value = match id {
            HEADER => headers_without_secrets(&value),
            DATA => data_without_secrets(value),
            _ => value,
        };
        Some((*at.first()?, value))
    });
    occurrences.collect()
}

/// Quotes a word so that a POSIX shell reads it back.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "@%+=:,./_-".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::{super::secrets::REDACTED, *};
    use crate::cli::Cli;

    /// The line for these words. (The tests in `tests/suite/inputs.rs` cover the environment.)
    fn typed(words: &[&str]) -> String {
        let matches = Cli::command().try_get_matches_from([&["load-client"], words].concat());
        line(&Cli::command(), &matches.unwrap())
    }

    #[test]
    fn a_shell_reads_back_what_was_typed() {
        let words = [
            "run",
            "http://h:1",
            "--fail-if",
            "p99>1s,lost>0",
            "--call=a.B/C",
            "--data",
            r#"{"name": "it's"}"#,
            "-c4",
            "-z=2s",
            "--fail-if",
            "failed>0",
        ];
        let line = typed(&words);
        let echoed = std::process::Command::new("sh")
            .args(["-c", &line.replace(PROGRAM, r"printf '%s\n'")])
            .output()
            .unwrap();
        let read: Vec<String> = String::from_utf8(echoed.stdout)
            .unwrap()
            .lines()
            .map(str::to_owned)
            .collect();
        assert_eq!(
            read,
            [
                "run",
                "http://h:1",
                "--fail-if",
                "p99>1s,lost>0",
                "--call",
                "a.B/C",
                "--data",
                r#"{"name": "it's"}"#,
                "--clients",
                "4",
                "--duration",
                "2s",
                "--fail-if",
                "failed>0",
            ]
        );
    }

    #[test]
    fn secrets_are_left_out_however_they_are_written() {
        for words in [
            &["-H", "Authorization: Bearer abc123"][..],
            &["-Hauthorization:abc123"],
            &["-qH", "x-api-key: abc123"],
            &["-qHx-auth-token: abc123"],
            &["--header=cookie: a=abc123"],
            &["--header", "proxy-authorization: abc123"],
            &["--metadata", "authorization: abc123"],
            &["--metadata=authorization: abc123"],
            &["-H", "who: me\nauthorization: abc123"],
            &[
                "--call",
                "a.B/C",
                "-d",
                r#"{"user": [{"Password": "abc123", "name": "x"}]}"#,
            ],
            &["-H", "who: me", "-H", "my-secret-bin: abc12345"],
            &["-H", "x-csrf: abc123"],
            &["--call", "a.B/C", "-d", r#"{"api_key": "abc123"}"#],
            &["--call", "a.B/C", "-d", r#"{"accessKey": "abc123", "n": 1}"#],
            &["--call", "a.B/C", "-d", r#"{"private-key": "abc123"}"#],
            &["--call", "a.B/C", "-d", r#"{"auth": "abc123"}"#],
            &["--call", "a.B/C", "-d", r#"{"Authorization": "abc123"}"#],
            &["--call", "a.B/C", "-d", r#"{"passphrase": "abc123"}"#],
            &["--call", "a.B/C", "-d", r#"{"tokens": ["abc123"]}"#],
            &["--call", "a.B/C", "-d", r#"{"password": {"value": "abc123"}}"#],
        ] {
            let line = typed(&[&["run", "http://h:1"], words].concat());
            assert!(line.contains(REDACTED) && !line.contains("abc123"), "{line}");
        }
        // Not everything is a secret.
        assert!(typed(&["run", "http://h:1", "-H", "who: me"]).contains("'who: me'"));
        let book = typed(&[
            "run",
            "http://h:1",
            "--call",
            "a.B/C",
            "-d",
            r#"{"author": "me", "key": "k"}"#,
        ]);
        assert!(!book.contains(REDACTED), "{book}");
    }

    #[test]
    fn where_a_report_goes_is_no_part_of_what_was_run() {
        let words = [
            "compare",
            "--json",
            "a.json",
            "--csv=b.csv",
            "-q",
            "--virtual-time",
            "--html",
            "c.html",
        ];
        assert_eq!(typed(&words), "load-client compare --virtual-time");
    }
}
