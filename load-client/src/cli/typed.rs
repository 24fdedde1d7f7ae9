//! What was typed, as a report keeps it: for a shell to make the same runs again, the environment's part in front. Without
//! secrets, and without what only says what is shown and where: the same runs are the same report, whatever its file is
//! called.

use std::{collections::BTreeSet, env};

use clap::{Arg, Command, CommandFactory};

use super::Cli;

/// What begins the line: the path of the program is nobody's business.
const PROGRAM: &str = "load-client";
/// The heading of flags that say nothing about what is run.
const SHOWN: &str = "Output";
/// The flag whose values may be secret.
const HEADER: &str = "header";
/// Metadata whose name has one of these in it does not get into a report (arbitrary: names in use for credentials).
const SECRET: [&str; 13] = [
    "auth",
    "token",
    "secret",
    "passw",
    "cookie",
    "credential",
    "key",
    "session",
    "signature",
    "jwt",
    "bearer",
    "private",
    "cert",
];
/// What stands in the place of a secret.
const REDACTED: &str = "…";

/// What this program was started with.
pub fn as_typed() -> String {
    let words = env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned());
    line(&words.collect::<Vec<_>>(), |name| {
        env::var_os(name).map(|value| value.to_string_lossy().into_owned())
    })
}

fn line(words: &[String], environment: impl Fn(&str) -> Option<String>) -> String {
    let Some((name, flags)) = words.split_first() else {
        return PROGRAM.to_owned();
    };
    let cli = Cli::command();
    let Some(command) = cli.find_subcommand(name) else {
        return PROGRAM.to_owned();
    };
    let mut typed = Typed {
        command,
        given: BTreeSet::new(),
        words: Vec::new(),
    };
    typed.take(flags);
    // A flag wins over its variable.
    let set = command
        .get_arguments()
        .filter(|arg| !is_shown(arg) && !typed.given.contains(arg.get_id().as_str()));
    let set = set.filter_map(|arg| {
        let variable = arg.get_env()?.to_str()?;
        let value = environment(variable)?;
        let value = if arg.get_id() == HEADER {
            redacted(&value)
        } else {
            value
        };
        Some((variable, value))
    });
    let set: BTreeSet<String> = set
        .map(|(variable, value)| format!("{variable}={}", quoted(&value)))
        .collect();
    let words = [PROGRAM, name].map(str::to_owned).into_iter().chain(typed.words);
    let words = words.map(|word| quoted(&word));
    set.into_iter().chain(words).collect::<Vec<_>>().join(" ")
}

/// The words after the name of a command, as they are read.
struct Typed<'a> {
    command: &'a Command,
    /// The ids of what was given.
    given: BTreeSet<String>,
    words: Vec<String>,
}

impl Typed<'_> {
    fn take(&mut self, words: &[String]) {
        let mut words = words.iter();
        while let Some(word) = words.next() {
            if word == "--" {
                self.words.push(word.clone());
                words.by_ref().for_each(|word| self.positional(word));
            } else if let Some(long) = word.strip_prefix("--") {
                let (name, value) = long
                    .split_once('=')
                    .map_or((long, None), |(name, value)| (name, Some(value)));
                let arg = self.find(|arg| {
                    let aliases = arg.get_all_aliases().unwrap_or_default();
                    arg.get_long() == Some(name) || aliases.contains(&name)
                });
                let takes = arg.as_ref().is_some_and(takes_value);
                match value {
                    Some(value) => self.flag(arg.as_ref(), &format!("--{name}="), Some(value), true),
                    None if takes => self.flag(arg.as_ref(), word, words.next().map(String::as_str), false),
                    None => self.flag(arg.as_ref(), word, None, false),
                }
            } else if let Some(shorts) = word.strip_prefix('-').filter(|shorts| !shorts.is_empty()) {
                self.shorts(shorts, &mut words);
            } else {
                self.positional(word);
            }
        }
    }

    /// Several short flags in one word; the last may have its value in it, or after it.
    fn shorts<'w>(&mut self, shorts: &str, words: &mut impl Iterator<Item = &'w String>) {
        for (at, short) in shorts.char_indices() {
            let arg = self.find(|arg| arg.get_short() == Some(short));
            let flag = format!("-{short}");
            if !arg.as_ref().is_some_and(takes_value) {
                self.flag(arg.as_ref(), &flag, None, false);
                continue;
            }
            let rest = &shorts[at + short.len_utf8()..];
            let value = rest.strip_prefix('=').unwrap_or(rest);
            match value {
                "" => self.flag(arg.as_ref(), &flag, words.next().map(String::as_str), false),
                value => self.flag(arg.as_ref(), &flag, Some(value), false),
            }
            return;
        }
    }

    fn find(&self, is: impl Fn(&Arg) -> bool) -> Option<Arg> {
        self.command.get_arguments().find(|arg| is(arg)).cloned()
    }

    fn positional(&mut self, word: &str) {
        if let Some(arg) = self.command.get_positionals().next() {
            self.given.insert(arg.get_id().to_string());
        }
        self.words.push(word.to_owned());
    }

    fn flag(&mut self, arg: Option<&Arg>, flag: &str, value: Option<&str>, in_one_word: bool) {
        if arg.is_some_and(is_shown) {
            return;
        }
        let is_header = arg.is_some_and(|arg| arg.get_id() == HEADER);
        self.given.extend(arg.map(|arg| arg.get_id().to_string()));
        let value = value.map(|value| if is_header { redacted(value) } else { value.to_owned() });
        match value {
            Some(value) if in_one_word => self.words.push(format!("{flag}{value}")),
            value => self.words.extend([flag.to_owned()].into_iter().chain(value)),
        }
    }
}

fn takes_value(arg: &Arg) -> bool {
    arg.get_action().takes_values()
}

fn is_shown(arg: &Arg) -> bool {
    arg.get_help_heading() == Some(SHOWN)
}

/// `name: value`, the value only if it cannot be a secret; or several, each on a line of its own.
fn redacted(headers: &str) -> String {
    let one = |header: &str| {
        let name = header.split(':').next().unwrap_or_default();
        let lower = name.to_lowercase();
        if SECRET.iter().any(|secret| lower.contains(secret)) {
            format!("{name}: {REDACTED}")
        } else {
            header.to_owned()
        }
    };
    headers.split('\n').map(one).collect::<Vec<_>>().join("\n")
}

/// As a POSIX shell reads it back.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "@%+=:,./_-".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(words: &[&str], environment: &[(&str, &str)]) -> String {
        let value = |name: &str| {
            let set = environment.iter().find(|(set, _)| *set == name);
            set.map(|(_, value)| (*value).to_owned())
        };
        line(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>(), value)
    }

    #[test]
    fn a_shell_reads_back_what_was_typed() {
        let words = [
            "run",
            "http://h:1",
            "--fail-if",
            "p99>1s",
            "--data",
            r#"{"name": "it's"}"#,
            "-c4",
            "-z=2s",
        ];
        let line = typed(&words, &[]);
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
                "p99>1s",
                "--data",
                r#"{"name": "it's"}"#,
                "-c",
                "4",
                "-z",
                "2s"
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
            &["-H", "who: me", "-H", "my-secret-bin: abc123"],
        ] {
            let line = typed(&[&["run", "http://h:1"], words].concat(), &[]);
            assert!(line.contains(REDACTED) && !line.contains("abc123"), "{line}");
        }
        let environment = [("LOAD_HEADER", "authorization: abc123")];
        let line = typed(&["run", "http://h:1"], &environment);
        assert_eq!(line, "LOAD_HEADER='authorization: …' load-client run http://h:1");
        let environment = [("LOAD_HEADER", "who: me\nauthorization: abc123")];
        assert!(!typed(&["run", "http://h:1"], &environment).contains("abc123"));
        // Not everything is a secret.
        assert!(typed(&["run", "http://h:1", "-H", "who: me"], &[]).contains("'who: me'"));
    }

    #[test]
    fn variables_that_set_flags_stand_in_front_unless_a_flag_wins_over_them() {
        let environment = [
            ("LOAD_RPS", "60"),
            ("LOAD_URL", "http://other:1"),
            ("LOAD_SEED", "7"),
            ("LOAD_UNKNOWN", "1"),
            ("LOAD_VIRTUAL_TIME", "true"),
        ];
        let line = typed(&["run", "http://h:1", "--seed", "8"], &environment);
        assert_eq!(line, "LOAD_RPS=60 load-client run http://h:1 --seed 8");
        let line = typed(&["run"], &environment);
        assert_eq!(line, "LOAD_RPS=60 LOAD_SEED=7 LOAD_URL=http://other:1 load-client run");
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
        let environment = [("LOAD_JSON", "d.json")];
        assert_eq!(typed(&words, &environment), "load-client compare --virtual-time");
    }
}
