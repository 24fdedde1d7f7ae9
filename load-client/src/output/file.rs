//! A file that a run writes at its end, opened before it.

use std::{
    fs::{File, OpenOptions},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

/// A file to be written.
#[derive(Debug)]
pub struct ReportFile {
    file: File,
    path: PathBuf,
}

/// It could not be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {}: {source}", path.display())]
pub struct WriteError {
    path: PathBuf,
    source: io::Error,
}

impl ReportFile {
    /// Opens it: before the run, so that a path that cannot be written costs nobody a run. What it holds stays until there
    /// is something to put in its place.
    pub fn open(path: &Path) -> Result<Self, WriteError> {
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(path);
        let path = path.to_owned();
        match file {
            Ok(file) => Ok(Self { file, path }),
            Err(source) => Err(WriteError { path, source }),
        }
    }

    /// Puts into it what `write` writes.
    pub fn write(self, write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>) -> Result<(), WriteError> {
        let Self { file, path } = self;
        let written = || {
            // A pipe or a terminal has no length to set.
            if file.metadata()?.is_file() {
                file.set_len(0)?;
            }
            let mut out = BufWriter::new(file);
            write(&mut out)?;
            out.flush()
        };
        written().map_err(|source| WriteError { path, source })
    }
}
