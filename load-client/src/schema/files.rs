//! Reads descriptions of services from files: `.proto` sources, which are compiled here, or descriptor sets that protoc has
//! written.

use std::{
    fmt, fs,
    path::{Component, Path, PathBuf},
};

use prost_reflect::DescriptorPool;
use protox::{
    Compiler,
    file::{ChainFileResolver, File, FileResolver, GoogleFileResolver},
};

use super::{error::SchemaError, pool::Files};
use crate::input;

/// Compiles files with all that they import.
pub(super) fn compile(files: &[PathBuf], folders: &[PathBuf]) -> Result<DescriptorPool, SchemaError> {
    let own: Vec<PathBuf> = if folders.is_empty() {
        files.iter().map(|file| folder(file).to_owned()).collect()
    } else {
        folders.to_vec()
    };
    let wrong = |path: &Path, reason: String| SchemaError::File {
        path: path.to_owned(),
        reason,
    };
    let mut sources = ChainFileResolver::new();
    for folder in &own {
        sources.add(Sources(folder.clone()));
    }
    sources.add(GoogleFileResolver::new());
    let mut compiler = Compiler::with_file_resolver(sources);
    for file in files {
        let found = |name: String| own.iter().map(|folder| folder.join(&name)).find(|path| path.exists());
        let name = own.iter().find_map(|folder| Sources(folder.clone()).resolve_path(file));
        if let Some(other) = name.and_then(found)
            && fs::canonicalize(&other).ok() != fs::canonicalize(file).ok()
        {
            let other = other.display();
            return Err(wrong(
                file,
                format!("{other} of the same name comes first by --proto-path"),
            ));
        }
        compiler.open_file(file).map_err(|error| {
            let there =
                input::is_standard(file) || file.exists() || own.iter().any(|folder| folder.join(file).exists());
            let reason = if there {
                explained(&error)
            } else {
                "there is no such file".to_owned()
            };
            wrong(file, reason)
        })?;
    }
    Ok(compiler.descriptor_pool())
}

fn folder(file: &Path) -> &Path {
    match file.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

/// The protobuf files below a folder.
#[derive(Debug)]
struct Sources(PathBuf);

impl FileResolver for Sources {
    fn resolve_path(&self, path: &Path) -> Option<String> {
        let inside = path.strip_prefix(&self.0).ok()?.components();
        let parts: Option<Vec<&str>> = inside
            .map(|part| match part {
                Component::Normal(part) => part.to_str(),
                _ => None,
            })
            .collect();
        parts.map(|parts| parts.join("/")).filter(|name| !name.is_empty())
    }

    fn open_file(&self, name: &str) -> Result<File, protox::Error> {
        let path = if name == input::STANDARD {
            PathBuf::from(name)
        } else {
            self.0.join(name)
        };
        let source = input::text(&path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => protox::Error::file_not_found(name),
            _ => protox::Error::new(Said(format!("{name}: {error}"))),
        })?;
        if is_of_an_edition(&source) {
            return Err(protox::Error::new(Said(format!(
                "{name} is written in an edition of protobuf, which is understood only once it is compiled: run \
                 protoc --include_imports --descriptor_set_out=FILE, and give --descriptor-set FILE instead of --proto"
            ))));
        }
        File::from_source(name, &source)
    }
}

/// An error of this module, on its way through the compiler.
#[derive(thiserror::Error)]
#[error("{0}")]
struct Said(String);

impl fmt::Debug for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether the first statement of a file names an edition.
fn is_of_an_edition(source: &str) -> bool {
    let mut rest = source.trim_start();
    loop {
        let comment = match rest.get(..2) {
            Some("//") => rest.split_once('\n'),
            Some("/*") => rest.split_once("*/"),
            _ => {
                let value = rest.strip_prefix("edition").map(str::trim_start);
                return value.is_some_and(|value| value.starts_with('='));
            }
        };
        rest = comment.map_or("", |(_, rest)| rest.trim_start());
    }
}

/// The reason of an error, on one line, with advice. The compiler puts the place into its `Debug` text only, whose
/// first line is enough.
fn explained(error: &protox::Error) -> String {
    let said = format!("{error:?}");
    let said = said.lines().next().unwrap_or_default();
    if error.is_file_not_found() {
        format!("{said}; --proto-path FOLDER says where imports are")
    } else {
        said.to_owned()
    }
}

pub(super) fn read(path: &Path) -> Result<DescriptorPool, SchemaError> {
    let wrong = |reason: String| SchemaError::File {
        path: path.to_owned(),
        reason,
    };
    let set = input::bytes(path).map_err(|error| wrong(error.to_string()))?;
    Files::of_set(&set).and_then(Files::resolved).map_err(|error| {
        wrong(format!(
            "{error}; it must be written by protoc --include_imports --descriptor_set_out"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edition_is_found_behind_comments() {
        for source in [
            "edition = \"2023\";",
            "// license\n/* of\nours */\n\n  edition=\"2024\";",
        ] {
            assert!(is_of_an_edition(source), "{source}");
        }
        for source in [
            "",
            "//",
            "/*",
            "syntax = \"proto3\";",
            "// edition = \"2023\";\nsyntax = \"proto3\";",
            "editions { }",
        ] {
            assert!(!is_of_an_edition(source), "{source}");
        }
    }
}
