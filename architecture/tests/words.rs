//! Checks that texts for people do not contain words that make sentences hard to read. The texts are the documentation, the
//! configuration, and the sources with their comments, help texts and messages, without tests.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Words of pronouns without a noun and of inverted sentences. A plain sentence names its subject instead.
const BANNED: [&str; 15] = [
    "who",
    "whoever",
    "whatever",
    "whom",
    "likewise",
    "of which",
    "without end",
    "is so",
    "that is none",
    "stand in line",
    "stands in line",
    "nobody",
    "turned away",
    // The term for a request's planned time is "scheduled". Only fields and metrics keep the name `intended`.
    "intended send",
    "intended sends",
];

/// Lines in which such words are allowed: the end of the file's path, a part of the line, and the reason.
const ALLOWED: [(&str, &str, &str); 1] = [("docs/traps.md", "22", "the links of other pages lead to this heading")];

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Adds all files in a folder and its subfolders to `into`, sorted.
fn below(folder: &Path, into: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            below(&path, into);
        } else {
            into.push(path);
        }
    }
}

/// The paths of all files with texts for people.
fn texts() -> Vec<PathBuf> {
    let root = workspace();
    let mut files: Vec<PathBuf> = [
        "README.md",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "ARCHITECTURE.md",
        "SECURITY.md",
        ".env",
        "docker-compose.yml",
        "Dockerfile",
        "deny.toml",
        "grafana/README.md",
    ]
    .map(|name| root.join(name))
    .into();
    for folder in ["docs", "labs", "prometheus", "deploy", "proto", ".github"] {
        let mut found = Vec::new();
        below(&root.join(folder), &mut found);
        let is_text = |path: &PathBuf| {
            let extension = path.extension().and_then(|extension| extension.to_str());
            matches!(extension, Some("md" | "yml" | "yaml" | "toml" | "proto"))
        };
        files.extend(found.into_iter().filter(is_text));
    }
    for krate in [
        "admission",
        "admission/simulation",
        "architecture",
        "flags",
        "foo-service",
        "load-client",
        "pages",
        "pem",
    ] {
        below(&root.join(krate).join("src"), &mut files);
    }
    files
}

/// Whether `line` contains `word` as a whole word: without a letter, digit, `_` or `'` on either side.
fn has(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let joined = |c: char| c.is_alphanumeric() || c == '_' || c == '\'';
        !line[..at].ends_with(joined) && !line[at + word.len()..].starts_with(joined)
    })
}

#[test]
fn no_sentence_has_a_word_that_makes_it_a_riddle() {
    let mut found = Vec::new();
    for path in texts() {
        let name = path.strip_prefix(workspace()).unwrap().display().to_string();
        let Ok(text) = fs::read_to_string(&path) else { continue };
        // Tests are left out: those of a module are at the end of its file, or in a file of their own.
        let text = text.split("\n#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        if name.ends_with("tests.rs") || name.contains("/tests/") {
            continue;
        }
        for (number, line) in (1..).zip(text.lines()) {
            let lower = line.to_lowercase();
            let allowed = |(file, part, _): &(&str, &str, &str)| name.ends_with(file) && line.contains(part);
            let word = BANNED.iter().find(|word| has(&lower, word));
            if let Some(word) = word.filter(|_| !ALLOWED.iter().any(allowed)) {
                found.push(format!("{name}:{number}: {word:?} in {}", line.trim()));
            }
        }
    }
    assert!(found.is_empty(), "{} lines:\n{}", found.len(), found.join("\n"));
}

#[test]
fn a_word_counts_only_by_itself() {
    assert!(has("who reads it", "who") && has("it is for (who)", "who"));
    assert!(!has("whole, whose and who's", "who") && !has("a whoever", "who"));
}
