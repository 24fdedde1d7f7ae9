//! Descriptions from files: protobuf's own language, compiled here, or what a compiler has written.

use std::path::{Path, PathBuf};

use prost_reflect::DescriptorPool;
use protox::Compiler;

use super::SchemaError;

/// Compiles files with all that they import.
pub(super) fn compile(files: &[PathBuf], folders: &[PathBuf]) -> Result<DescriptorPool, SchemaError> {
    let own: Vec<&Path> = if folders.is_empty() {
        files.iter().map(|file| folder(file)).collect()
    } else {
        folders.iter().map(PathBuf::as_path).collect()
    };
    let wrong = |path: &Path, error: protox::Error| SchemaError::File {
        path: path.to_owned(),
        reason: if error.is_file_not_found() {
            format!(
                "{}; --proto-path FOLDER says where files are looked for",
                one_line(&error)
            )
        } else {
            one_line(&error)
        },
    };
    let first = files.first().map_or(Path::new("."), PathBuf::as_path);
    let mut compiler = Compiler::new(own).map_err(|error| wrong(first, error))?;
    for file in files {
        compiler.open_file(file).map_err(|error| wrong(file, error))?;
    }
    Ok(compiler.descriptor_pool())
}

fn folder(file: &Path) -> &Path {
    match file.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

/// What went wrong. The compiler says where only to programmers, and on a line of its own for each thing that is wrong.
fn one_line(error: &protox::Error) -> String {
    let said = format!("{error:?}");
    said.lines().next().unwrap_or_default().to_owned()
}

/// Reads a compiler's output.
pub(super) fn read(path: &Path) -> Result<DescriptorPool, SchemaError> {
    let wrong = |reason: String| SchemaError::File {
        path: path.to_owned(),
        reason,
    };
    let set = std::fs::read(path).map_err(|error| wrong(error.to_string()))?;
    DescriptorPool::decode(&*set).map_err(|error| {
        wrong(format!(
            "{error}; it must be written by protoc --include_imports --descriptor_set_out"
        ))
    })
}
