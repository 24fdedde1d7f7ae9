//! The shape of the code, checked: imports point down the module order of each `lib.rs`, and every file says what it is
//! for.

use std::{
    fs,
    path::{Path, PathBuf},
};

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The modules of a crate, in the order in which its `lib.rs` declares them.
fn modules(src: &Path) -> Vec<String> {
    fs::read_to_string(src.join("lib.rs"))
        .unwrap()
        .lines()
        .filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'))
        .map(str::to_owned)
        .collect()
}

/// A file without its comments: those may speak of anything.
fn code(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

/// The modules of the crate that a file names: in `crate::module` or in a group `use crate::{module::…, module}`.
fn named_modules(text: &str) -> Vec<String> {
    let mut named = Vec::new();
    for (start, _) in text.match_indices("crate::") {
        // `some_crate::` is another crate.
        if text[..start].ends_with(|before: char| before.is_alphanumeric() || before == '_') {
            continue;
        }
        let rest = &text[start + "crate::".len()..];
        let Some(group) = rest.strip_prefix('{') else {
            named.push(rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect());
            continue;
        };
        let (mut depth, mut name, mut at_start) = (0, String::new(), true);
        for character in group.chars() {
            match character {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => {
                    named.push(std::mem::take(&mut name));
                    at_start = true;
                }
                c if depth == 0 && at_start && (c.is_alphanumeric() || c == '_') => name.push(c),
                c if depth == 0 && !c.is_whitespace() => at_start = false,
                _ => {}
            }
        }
        named.push(name);
    }
    named.retain(|name| !name.is_empty());
    named
}

#[test]
fn imports_point_down_the_module_order() {
    for krate in ["foo-service", "load-client"] {
        let src = workspace().join(krate).join("src");
        let order = modules(&src);
        assert!(order.len() > 5, "{krate}: {order:?}");
        let mut checked = 0;
        for file in sources(&src) {
            let inside = file.strip_prefix(&src).unwrap();
            let module = inside.iter().next().unwrap().to_string_lossy();
            let module = module.trim_end_matches(".rs").to_owned();
            let Some(place) = order.iter().position(|name| *name == module) else {
                // `files` and `signals` are parts of main.
                assert!(
                    ["lib", "main", "files", "signals"].contains(&module.as_str()),
                    "{krate}: {module} is not in lib.rs"
                );
                continue;
            };
            for named in named_modules(&code(&fs::read_to_string(&file).unwrap())) {
                let Some(other) = order.iter().position(|name| *name == named) else {
                    continue;
                };
                checked += 1;
                assert!(
                    other >= place,
                    "{krate}/src/{}: {module} imports {named}, which stands above it",
                    inside.display()
                );
            }
        }
        assert!(checked > 20, "{krate}: only {checked} imports were found");
    }
}

#[test]
fn every_file_opens_by_saying_what_it_is_for() {
    for krate in [
        "proto",
        "flags",
        "pages",
        "pem",
        "admission",
        "foo-service",
        "load-client",
    ] {
        for file in sources(&workspace().join(krate)) {
            let text = fs::read_to_string(&file).unwrap();
            assert!(text.starts_with("//! "), "{} has no //! header", file.display());
        }
    }
}

#[test]
fn the_finder_of_imports_finds_them() {
    let text = "use crate::{a::{b, c}, d, e::F};\nuse crate::g::H;\nother_crate::i; $crate::j";
    assert_eq!(named_modules(text), ["a", "d", "e", "g", "j"]);
}
