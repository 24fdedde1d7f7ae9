//! Checks the rules for the modules of all crates in the workspace.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use foo_architecture::{Crate, ITSELF, Use, sources};

/// Modules that belong to a program, so `lib.rs` does not declare them.
const OF_PROGRAMS: [&str; 7] = [
    "main",
    "comparison",
    "curves",
    "dead_letters",
    "ending",
    "files",
    "signals",
];

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The folders of the workspace's crates.
fn crates() -> Vec<PathBuf> {
    let manifest = fs::read_to_string(workspace().join("Cargo.toml")).unwrap();
    let members = manifest
        .lines()
        .find_map(|line| line.strip_prefix("members = ["))
        .unwrap();
    let members = members.trim_end_matches(']').split(", ");
    members.map(|name| workspace().join(name.trim_matches('"'))).collect()
}

fn name(module: &[String]) -> String {
    if module.is_empty() {
        "the root".to_owned()
    } else {
        module.join("::")
    }
}

#[test]
fn a_module_uses_only_modules_below_it() {
    let mut checked = 0;
    for folder in crates() {
        let krate = Crate::read(&folder.join("src")).unwrap();
        let place = |module: &[String]| krate.order().iter().position(|name| Some(name) == module.first());
        for part in krate.parts(&[]) {
            let known = krate.order().iter().any(|name| name == part) || OF_PROGRAMS.contains(&part);
            assert!(known, "{}: {part} is not in lib.rs", folder.display());
        }
        for Use { from, to, .. } in krate.uses() {
            let (Some(above), Some(below)) = (place(from), place(to)) else {
                continue;
            };
            checked += 1;
            assert!(
                above <= below,
                "{}: {} uses {}, which lib.rs declares above it",
                folder.display(),
                name(from),
                name(to)
            );
        }
    }
    assert!(checked > 300, "only {checked} uses were found");
}

#[test]
fn no_module_and_its_parts_use_each_other_in_a_circle() {
    let mut circles = Vec::new();
    for folder in crates() {
        let krate = Crate::read(&folder.join("src")).unwrap();
        for module in krate.modules() {
            for circle in krate.circles(module) {
                circles.push(format!(
                    "{}: in {}: {}",
                    folder.display(),
                    name(module),
                    circle.join(" → ")
                ));
            }
        }
    }
    assert!(circles.is_empty(), "{}", circles.join("\n"));
}

#[test]
fn every_file_opens_by_saying_what_it_is_for() {
    for folder in crates() {
        for file in sources(&folder).unwrap() {
            let text = fs::read_to_string(&file).unwrap();
            assert!(text.starts_with("//! "), "{} has no //! header", file.display());
        }
    }
}

/// A crate made from pairs of a module's path and its text. The root's path is empty.
fn made(files: &[(&str, &str)]) -> Crate {
    let module = |name: &str| {
        name.split("::")
            .filter(|part| !part.is_empty())
            .map(str::to_owned)
            .collect()
    };
    let files: BTreeMap<_, _> = files
        .iter()
        .map(|(name, text)| (module(name), (*text).to_owned()))
        .collect();
    Crate::of(files).unwrap()
}

#[test]
fn a_circle_is_found_however_its_paths_are_written() {
    for back in [
        "use super::a::F;",
        "fn f() { super::a::f() }",
        "fn f() { g(crate::a::F) }",
        "use super::F;",
    ] {
        let root = "pub mod a;\npub mod b;\npub use self::a::F;";
        let krate = made(&[("", root), ("a", "fn f() { crate::b::g() }"), ("b", back)]);
        assert_eq!(krate.circles(&[]), [["a", "b"]], "{back}");
    }
    let krate = made(&[
        ("", "pub mod a;\npub mod b;"),
        ("a", ""),
        ("a::x", "use super::super::b::G;"),
        ("b", "mod tests { use super::super::a::F; }"),
    ]);
    assert_eq!(krate.circles(&[]), [["a", "b"]]);
    let parent = |child| {
        made(&[
            ("", "pub mod a;"),
            ("a", "mod b; use self::b::B; struct A;"),
            ("a::b", child),
        ])
    };
    let a = ["a".to_owned()];
    assert_eq!(parent("use super::A;").circles(&a), [["b", ITSELF]]);
    assert!(parent("mod tests { use super::super::A; }").circles(&a).is_empty());
    assert!(parent("use crate::c::A;").circles(&a).is_empty());
    let krate = made(&[
        ("", "pub mod a;\npub mod b;"),
        ("a", "// crate::b\nuse other::b;"),
        ("b", "use super::a::F;"),
    ]);
    assert!(krate.circles(&[]).is_empty());
}
