//! The report as a file.

use std::{
    fs::{File, OpenOptions},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use crate::report::Report;

/// The report could not be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {}: {source}", file.display())]
pub struct WriteError {
    file: PathBuf,
    source: io::Error,
}

/// Opens the file for a report: before the run, so that a path that cannot be written costs nobody a run. What it holds
/// stays until there is something to put in its place.
pub fn open(path: &Path) -> Result<File, WriteError> {
    let file = OpenOptions::new().write(true).create(true).truncate(false).open(path);
    file.map_err(|source| WriteError {
        file: path.to_owned(),
        source,
    })
}

/// Writes the report into its file.
pub fn write(file: File, path: &Path, report: &Report) -> Result<(), WriteError> {
    let written = || {
        // A pipe or a terminal has no length to set.
        if file.metadata()?.is_file() {
            file.set_len(0)?;
        }
        let mut out = BufWriter::new(file);
        serde_json::to_writer_pretty(&mut out, report)?;
        out.write_all(b"\n")?;
        out.flush()
    };
    written().map_err(|source| WriteError {
        file: path.to_owned(),
        source,
    })
}
