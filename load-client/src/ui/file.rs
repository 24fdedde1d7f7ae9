//! A file that a run writes at its end. It appears under its name only when it is complete.
//!
//! The content goes into a temporary file beside the target, which then takes the target's name. However the program ends
//! in between, either no file has the name, or the file is the complete report of this run. A file of an earlier run is
//! removed before the run begins, so that it cannot be mistaken for the report of a run that failed.

use std::{
    fs::{self, File, OpenOptions, Permissions},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use tempfile::NamedTempFile;

/// The name that stands for standard input or standard output.
pub const STANDARD: &str = "-";

/// A file to be written.
#[derive(Debug)]
pub struct ReportFile {
    /// The path as it was given.
    path: PathBuf,
    target: Target,
}

#[derive(Debug)]
enum Target {
    Stdout,
    /// Written directly: a device, a pipe, or a file in a folder where no other file can be created.
    InPlace(File),
    /// Written to a temporary file in the same folder, which is then renamed.
    Renamed {
        /// The file that is replaced, after symbolic links are followed.
        path: PathBuf,
        /// The permissions of the file that is replaced; `None` if there is no such file.
        permissions: Option<Permissions>,
    },
}

/// A file could not be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {}: {source}", shown(path))]
pub struct WriteError {
    path: PathBuf,
    source: io::Error,
}

fn shown(path: &Path) -> String {
    if path == Path::new(STANDARD) {
        "to standard output".to_owned()
    } else {
        path.display().to_string()
    }
}

/// Whether the path stands for standard output.
pub fn is_stdout(path: &Path) -> bool {
    [STANDARD, "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"]
        .iter()
        .any(|name| path == Path::new(name))
}

impl ReportFile {
    /// Finds out, before the run, whether the file can be written. Changes nothing.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn open(path: &Path) -> Result<Self, WriteError> {
        match target(path) {
            Ok(target) => Ok(Self {
                path: path.to_owned(),
                target,
            }),
            Err(source) => Err(WriteError {
                path: path.to_owned(),
                source,
            }),
        }
    }

    /// Whether both paths lead to the same file: standard output, another way to write the path, or a link.
    pub fn is(&self, other: &Self) -> bool {
        match (&self.target, &other.target) {
            (Target::Stdout, Target::Stdout) => true,
            (Target::Renamed { path, .. }, Target::Renamed { path: other, .. }) => path == other,
            _ => self.path == other.path,
        }
    }

    /// Whether the file is standard output.
    pub fn is_on_stdout(&self) -> bool {
        matches!(self.target, Target::Stdout)
    }

    /// Removes the file that an earlier run has left under the name.
    ///
    /// # Errors
    ///
    /// If it cannot be removed.
    pub fn clear(&self) -> Result<(), WriteError> {
        let cleared = match &self.target {
            Target::Stdout => Ok(()),
            Target::InPlace(file) => empty(file),
            Target::Renamed { path, .. } => match fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            },
        };
        cleared.map_err(|source| WriteError {
            path: self.path.clone(),
            source,
        })
    }

    /// Fills the file with what `write` writes.
    ///
    /// # Errors
    ///
    /// If it cannot be written; then nothing is under its name. A reader that has closed a pipe is no error.
    pub fn write(self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), WriteError> {
        let Self { path, target } = self;
        let written = match target {
            Target::Stdout => through(io::stdout().lock(), write),
            Target::InPlace(file) => empty(&file).and_then(|()| through(file, write)),
            Target::Renamed {
                path: target,
                permissions,
            } => replace(&target, permissions, write),
        };
        match written {
            Err(source) if source.kind() != io::ErrorKind::BrokenPipe => Err(WriteError { path, source }),
            _ => Ok(()),
        }
    }
}

fn target(path: &Path) -> io::Result<Target> {
    if is_stdout(path) {
        return Ok(Target::Stdout);
    }
    let path = followed(path)?;
    let metadata = match fs::metadata(&path) {
        Ok(metadata) => Some(metadata),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    let Some(metadata) = metadata else {
        drop(beside(&path, None)?);
        return Ok(Target::Renamed {
            path,
            permissions: None,
        });
    };
    let file = OpenOptions::new().write(true).open(&path)?;
    let permissions = Some(metadata.permissions());
    // Never replace a file in /dev or /proc, even where it leads to an ordinary file.
    let is_ours = metadata.is_file() && !path.starts_with("/dev") && !path.starts_with("/proc");
    if is_ours && beside(&path, permissions.clone()).is_ok() {
        Ok(Target::Renamed { path, permissions })
    } else {
        Ok(Target::InPlace(file))
    }
}

/// Follows symbolic links, so that the file that a link names is replaced, and not the link.
fn followed(path: &Path) -> io::Result<PathBuf> {
    if path.starts_with("/dev") || path.starts_with("/proc") {
        return Ok(path.to_owned());
    }
    match fs::canonicalize(path) {
        Ok(path) => Ok(path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => match fs::read_link(path) {
            // The link names a file that does not exist yet.
            Ok(target) => in_its_folder(&folder(path).join(target)),
            Err(_) => in_its_folder(path),
        },
        Err(error) => Err(error),
    }
}

/// The path with the links in its folder followed: two ways to write the path of a new file become one.
fn in_its_folder(path: &Path) -> io::Result<PathBuf> {
    let name = path.file_name().ok_or(io::ErrorKind::IsADirectory)?;
    Ok(fs::canonicalize(folder(path))?.join(name))
}

/// The folder of a file; the working folder if the path has none.
fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

/// Creates a temporary file in the folder of `path`. The file is removed when it is dropped.
fn beside(path: &Path, permissions: Option<Permissions>) -> io::Result<NamedTempFile> {
    let name = path.file_name().ok_or(io::ErrorKind::IsADirectory)?;
    let mut prefix = std::ffi::OsString::from(".");
    prefix.push(name);
    let mut builder = tempfile::Builder::new();
    builder.prefix(&prefix);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // The permissions of any new file; the system removes those that the user's umask forbids.
        builder.permissions(Permissions::from_mode(0o666));
    }
    let file = builder.tempfile_in(folder(path)).map_err(of_the_system)?;
    if let Some(permissions) = permissions {
        file.as_file().set_permissions(permissions)?;
    }
    Ok(file)
}

/// The error of the operating system, which is inside the library's error: the library's error names the temporary
/// file, which the user does not know.
fn of_the_system(error: io::Error) -> io::Error {
    let inner = error.get_ref().and_then(|inner| inner.source());
    let code = inner.and_then(|inner| inner.downcast_ref::<io::Error>()?.raw_os_error());
    code.map_or(error, io::Error::from_raw_os_error)
}

fn replace(
    path: &Path,
    permissions: Option<Permissions>,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    let mut file = beside(path, permissions)?;
    through(file.as_file_mut(), write)?;
    match file.persist(path) {
        Ok(_) => Ok(()),
        // A file that cannot be replaced, such as a single file mounted into a container, can still be overwritten.
        Err(error) => fs::copy(error.file.path(), path).map(drop).map_err(|_| error.error),
    }
}

fn through(to: impl Write, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let mut out = BufWriter::new(to);
    write(&mut out)?;
    out.flush()
}

fn empty(file: &File) -> io::Result<()> {
    // A pipe or a terminal has no length to set.
    if file.metadata()?.is_file() {
        file.set_len(0)?;
    }
    Ok(())
}
