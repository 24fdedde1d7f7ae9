//! The report as a file.

use std::{
    fs::File,
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

/// Opens the file for a report: before the run, so that a path that cannot be written costs nobody a run.
pub fn create(path: &Path) -> Result<File, WriteError> {
    File::create(path).map_err(|source| WriteError {
        file: path.to_owned(),
        source,
    })
}

/// Writes the report into its file.
pub fn write(file: File, path: &Path, report: &Report) -> Result<(), WriteError> {
    let written = || {
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
