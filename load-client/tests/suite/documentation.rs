//! Checks the documentation: every linked file and heading exists, and every named test is in the file that its link names.

use std::{
    collections::HashSet,
    fs,
    path::{Path, PathBuf},
};

use load_client::outcome::Outcome;

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The documentation pages in the root of the workspace and in `docs`.
fn pages() -> Vec<PathBuf> {
    let folders = [workspace(), workspace().join("docs")];
    let entries = folders.iter().flat_map(|folder| fs::read_dir(folder).unwrap());
    entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect()
}

/// The text and the target of every link on a page.
fn links(page: &str) -> Vec<(&str, &str)> {
    page.match_indices("](")
        .filter_map(|(middle, _)| {
            let (_, text) = page[..middle].rsplit_once('[')?;
            let (target, _) = page[middle + 2..].split_once(')')?;
            Some((text, target))
        })
        .collect()
}

/// The anchors of a page's headings, as GitHub makes them.
fn anchors(page: &str) -> HashSet<String> {
    let headings = page.lines().filter(|line| line.starts_with('#'));
    headings
        .map(|heading| {
            let text = heading.trim_start_matches('#').trim().to_lowercase();
            text.chars()
                .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
                .map(|c| if c == ' ' { '-' } else { c })
                .collect()
        })
        .collect()
}

/// The function's name if the text of a link is one in backticks.
fn function(text: &str) -> Option<&str> {
    let name = text.strip_prefix('`')?.strip_suffix('`')?;
    let is_name = name.contains('_') && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    is_name.then_some(name)
}

/// Whether a source text has a test with this name.
fn has_test(code: &str, name: &str) -> bool {
    let lines: Vec<&str> = code.lines().map(str::trim).collect();
    lines.windows(2).any(|pair| {
        let declared = pair[1].trim_start_matches("async ").strip_prefix("fn ");
        let named = declared
            .and_then(|rest| rest.strip_prefix(name))
            .is_some_and(|rest| rest.starts_with('('));
        named && (pair[0] == "#[test]" || pair[0].starts_with("#[tokio::test"))
    })
}

#[test]
fn the_readme_is_short_and_begins_with_the_two_commands() {
    let page = fs::read_to_string(workspace().join("README.md")).unwrap();
    assert!(page.lines().count() <= 200, "{} lines", page.lines().count());
    let blocks: Vec<_> = page.split("\n```sh\n").skip(1).take(2).collect();
    assert!(blocks[0].starts_with("cargo run --release -p load-client -- compare\n```"));
    assert!(blocks[1].starts_with("./scripts/test\n```"));
}

#[test]
fn every_link_leads_somewhere() {
    let mut checked = 0;
    for file in pages() {
        let page = fs::read_to_string(&file).unwrap();
        for (text, target) in links(&page) {
            if target.contains("://") {
                continue;
            }
            checked += 1;
            let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
            let leads_to = if path.is_empty() {
                file.clone()
            } else {
                file.parent().unwrap().join(path)
            };
            assert!(leads_to.exists(), "{}: {target} is not there", file.display());
            if !anchor.is_empty() {
                let there = anchors(&fs::read_to_string(&leads_to).unwrap());
                assert!(
                    there.contains(anchor),
                    "{}: {target} has no such heading",
                    file.display()
                );
            }
            if let Some(name) = function(text) {
                let code = fs::read_to_string(&leads_to).unwrap();
                assert!(has_test(&code, name), "{}: {path} has no test {name}", file.display());
            }
        }
    }
    assert!(checked > 100, "only {checked} links were found");
}

#[test]
fn every_trap_is_held_by_a_test_and_found_by_a_symptom() {
    let page = fs::read_to_string(workspace().join("docs/traps.md")).unwrap();
    let (symptoms, traps) = page.split_once("\n## ").unwrap();
    let traps: Vec<&str> = traps.split("\n### ").skip(1).collect();
    assert!(traps.len() > 20, "only {} traps were found", traps.len());
    for (number, trap) in (1..).zip(traps) {
        let title = trap.lines().next().unwrap();
        assert!(title.starts_with(&format!("{number}. ")), "{title} is number {number}");
        let (_, held) = trap
            .split_once("**Held by:**")
            .unwrap_or_else(|| panic!("{title}: by what is it held?"));
        assert!(
            links(held).iter().any(|(text, _)| function(text).is_some()),
            "{title}: no test holds it"
        );
        assert!(
            symptoms.contains(&format!("[{number}](#")),
            "{title}: no symptom leads there"
        );
    }
}

#[test]
fn the_reference_and_the_dashboard_name_every_outcome() {
    let page = fs::read_to_string(workspace().join("docs/reference.md")).unwrap();
    let (_, page) = page.split_once("\n## Outcomes\n").unwrap();
    let board = fs::read_to_string(workspace().join("grafana/boards/load_client.py")).unwrap();
    for outcome in Outcome::ALL.map(Outcome::label) {
        assert!(
            page.contains(&format!("| `{outcome}` |")),
            "docs/reference.md has no row for {outcome}"
        );
        assert!(
            board.contains(&format!("    \"{outcome}\": Colour.")) && board.contains(&format!("**{outcome}**")),
            "grafana/boards/load_client.py does not draw {outcome}, or does not say what it is"
        );
    }
}

#[test]
fn the_finders_find_what_is_there_and_nothing_else() {
    assert_eq!(
        links("see [`a_b`](x/y.rs), [c](#d)"),
        [("`a_b`", "x/y.rs"), ("c", "#d")]
    );
    assert!(anchors("# A `b_c`, d-e\ntext").contains("a-b_c-d-e"));
    assert_eq!(
        (function("`a_b`"), function("`a/b.rs`"), function("a_b")),
        (Some("a_b"), None, None)
    );
    let code = "#[tokio::test(start_paused = true)]\nasync fn one_test() {}\nfn no_test() {}\n";
    assert!(has_test(code, "one_test") && !has_test(code, "one_tes") && !has_test(code, "no_test"));
}
