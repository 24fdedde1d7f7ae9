//! A credential in a flag, a variable or a lab is shown nowhere: not in the help, an error or a report.

use std::fs;

use super::inputs::{NOWHERE, refused, said, with};
use crate::support::Service;

#[test]
fn a_credential_is_shown_nowhere() {
    let secret = [
        ("LOAD_HEADER", "authorization: Bearer s3cret"),
        ("LOAD_DATA", "{\"password\": \"s3cret\"}"),
    ];
    let help = with(&secret, &["run", "--help"]);
    assert!(!String::from_utf8_lossy(&help.stdout).contains("s3cret"));
    for header in [
        "authorization s3cret",
        "authorization: s3cret\u{7}",
        "keep-alive: s3cret",
        "a!b: s3cret",
    ] {
        let typed = refused(&[], &["run", NOWHERE, "-H", header]);
        assert!(typed.contains("--header") && !typed.contains("s3cret"), "{typed}");
        let set = refused(&[("LOAD_HEADER", header)], &["run", NOWHERE]);
        assert!(set.contains("LOAD_HEADER") && !set.contains("s3cret"), "{set}");
    }
    for url in [
        "http://me:s3cret@127.0.0.1:1",
        "me:s3cret@127.0.0.1:1",
        "ftp://me:s3cret@h",
    ] {
        let typed = refused(&[], &["run", url]);
        assert!(typed.contains('@') && !typed.contains("s3cret"), "{typed}");
        let set = refused(&[("LOAD_URL", url)], &["run"]);
        assert!(set.contains('@') && !set.contains("s3cret"), "{set}");
        let target = refused(&[], &["compare", "--target", &format!("a=process:{url}")]);
        assert!(!target.contains("s3cret"), "{target}");
        let health = refused(&[], &["health", "--prometheus-addr", url]);
        assert!(!health.contains("s3cret"), "{health}");
    }
}

/// Values with a secret where it does not belong, and incomplete addresses with a secret.
const SECRETS: [&str; 8] = [
    "s3cret@h",
    "s3cret%@h",
    "me:s3 cret@h",
    "me:s3cret",
    "http://me:s3,cret@h",
    "http://me:s3'=cret@h:1",
    "http://h:1/?token=s3cret",
    "nats://me:s3cret@h:s3cret",
];

#[test]
fn no_flag_that_takes_a_credential_repeats_it_in_an_error() {
    use clap::CommandFactory;
    let mut program = load_client::cli::Cli::command();
    program.build();
    let takes_a_credential = ["URL", "NAME=RPC:URL", "HOST", "NAME: VALUE", "JSON"];
    let mut tried = std::collections::BTreeSet::new();
    for command in program.get_subcommands() {
        for flag in command.get_arguments() {
            let name = flag
                .get_value_names()
                .and_then(|names| names.first())
                .map(AsRef::as_ref);
            if name.is_some_and(|name: &str| takes_a_credential.contains(&name)) {
                assert!(flag.is_hide_env_values_set(), "{flag} of {}", command.get_name());
            } else if name != Some("ADDR") {
                continue;
            }
            let url = command.get_positionals().any(clap::Arg::is_required_set);
            for secret in SECRETS {
                // A header with a valid name would be accepted, so the name is made invalid.
                let secret = &if name == Some("NAME: VALUE") {
                    format!("a b {secret}")
                } else {
                    secret.to_owned()
                };
                let typed = flag
                    .get_long()
                    .map_or_else(|| secret.to_owned(), |long| format!("--{long}={secret}"));
                let mut words = vec![command.get_name(), &typed];
                if url && flag.get_long().is_some() {
                    words.push(NOWHERE);
                }
                let said = refused(&[], &words);
                assert!(!said.contains("s3") && !said.contains("cret"), "{words:?}: {said}");
                let variable = flag.get_env().and_then(std::ffi::OsStr::to_str).unwrap_or_default();
                words.remove(1);
                let said = refused(&[(variable, secret)], &words);
                assert!(
                    !said.contains("s3") && !said.contains("cret"),
                    "{variable}={secret}: {said}"
                );
            }
            tried.insert(format!("{flag}"));
        }
    }
    assert!(tried.len() >= 6, "{tried:?}");
}

#[test]
fn a_word_that_may_be_the_rest_of_a_credential_is_not_repeated() {
    for words in [
        &["http://me:s3cret@h"][..],
        &["health", "me:s3cret@h"],
        &["compare", "lab.toml", "me:s3cret@h"],
        &["compare", "-H", "authorization:", "Bearer", "s3cret"],
        &["compare", "--header=authorization:", "Bearer", "s3cret"],
        &["run", NOWHERE, "-qH", "authorization:", "s3cret"],
        &["run", NOWHERE, "-d", "{password:", "s3cret}"],
        &["run", NOWHERE, "-H", "Bearer s3cret:"],
        &["health", "--s3cret@h"],
    ] {
        let said = refused(&[], words);
        assert!(!said.contains("s3cret"), "{words:?}: {said}");
    }
    // The error repeats a word that cannot be a credential.
    assert!(refused(&[], &["compare", "lab.toml", "sync"]).contains("'sync'"));
    assert!(refused(&[], &["cmpare"]).contains("'cmpare'"));
}

#[test]
fn a_lab_with_a_credential_in_a_wrong_place_does_not_repeat_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("lab.toml");
    for line in [
        "load = { header = \"Bearer s3cret:\" }",
        "load = { header = [\"a: b\", \"authorization s3cret\"] }",
        "service = { queue = \"nats://me:s3cret@h\" }",
        "service = { queue = \"nats://me:s3cret\" }",
        "service = { queue = \"me:s3cret@h\" }",
    ] {
        let strategy = "[[strategy]]\nname = \"a\"\nmode = \"process\"\n";
        fs::write(&file, format!("{line}\n{strategy}")).unwrap();
        let said = refused(&[], &["compare", file.to_str().unwrap()]);
        assert!(
            said.contains("lab.toml:1: ") && !said.contains("s3cret"),
            "{line}: {said}"
        );
    }
}

#[test]
fn the_report_has_the_command_with_the_environment_in_front_and_without_credentials() {
    let service = Service::start(["--service-time", "0s"]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.json");
    let variables = [
        ("LOAD_RPS", "200"),
        ("LOAD_SEED", "7"),
        ("LOAD_SLO", ""),
        ("LOAD_REPEAT", "no"),
        ("LOAD_HEADER", "team: blue\nauthorization: s3cret"),
    ];
    let args = [
        "run",
        &service.url,
        "-n",
        "2",
        "--seed",
        "8",
        "-q",
        "--json",
        file.to_str().unwrap(),
    ];
    let output = with(&variables, &args);
    assert!(output.status.success(), "{}", said(&output));
    let report: serde_json::Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    let command = report["command"].as_str().unwrap();
    let wanted = format!(
        "LOAD_HEADER='team: blue\nauthorization: …' LOAD_RPS=200 load-client run {} --requests 2 --seed 8",
        service.url
    );
    assert_eq!(command, wanted);
}
