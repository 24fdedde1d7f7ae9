//! Shell completions and manual pages, as the programs that read them use them.

use std::{fs, process::Command};

use crate::support::load_client;

#[test]
fn bash_completes_commands_and_flags() {
    let script = load_client(["completions", "bash"]).output().unwrap();
    assert!(script.status.success() && script.stderr.is_empty());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("completions");
    fs::write(&file, &script.stdout).unwrap();
    // Simulates a user that types these words and presses the tab key.
    let complete = |words: &str| {
        let ask = format!(
            "source '{}'; COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); \
             $(complete -p load-client | sed 's/.*-F \\([^ ]*\\).*/\\1/') load-client \"${{COMP_WORDS[COMP_CWORD]}}\" \
             \"${{COMP_WORDS[COMP_CWORD-1]}}\"; \
             echo \"${{COMPREPLY[@]}}\"",
            file.display()
        );
        let output = Command::new("bash").args(["-c", &ask]).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    assert_eq!(complete("load-client comp"), "compare completions");
    assert_eq!(complete("load-client run --max"), "--max-in-flight --max-message-size");
    assert_eq!(complete("load-client run --when-blocked w"), "withhold");
}

#[test]
fn there_are_completions_for_the_common_shells() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let output = load_client(["completions", shell]).output().unwrap();
        assert!(output.status.success());
        assert!(String::from_utf8(output.stdout).unwrap().contains("fail-if"), "{shell}");
    }
    let output = load_client(["completions", "csh"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
}

/// The long flags that a text contains.
fn flags(text: &str) -> Vec<String> {
    let mut flags: Vec<String> = text
        .split(|c: char| !(c.is_ascii_lowercase() || c == '-' || c == '\''))
        .filter(|word| word.starts_with("--") && word.len() > 3)
        .map(str::to_owned)
        .collect();
    flags.sort();
    flags.dedup();
    flags
}

#[test]
fn the_manual_pages_name_every_flag_that_the_help_names() {
    let folder = tempfile::tempdir().unwrap();
    let written = load_client(["man"]).arg(folder.path()).output().unwrap();
    assert!(written.status.success());
    for command in ["run", "compare", "capacity", "sweep", "report", "health"] {
        let help = load_client([command, "--help"]).output().unwrap();
        let help = flags(&String::from_utf8(help.stdout).unwrap());
        let page = fs::read_to_string(folder.path().join(format!("load-client-{command}.1"))).unwrap();
        let page = page.replace("\\-", "-").replace("\\fR", " ").replace("\\fB", " ");
        assert!(help.len() > 2, "{command}");
        assert_eq!(flags(&page), help, "{command}");
    }
    let main = load_client(["man"]).output().unwrap();
    assert!(main.status.success());
    assert_eq!(main.stdout, fs::read(folder.path().join("load-client.1")).unwrap());
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let output = load_client(["man", "/nowhere/man1"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("/nowhere/man1"), "{said}");
}
