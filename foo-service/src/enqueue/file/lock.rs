//! The lock on the folder of a durable queue. The database has a lock too, but gives it up when a disk error closes the database:
//! another process could then acknowledge messages, and this one would remove them when it opens the file again.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io,
    path::Path,
};

use super::opening::OpenError;

/// The name of the file that is locked. It is empty, and stays when the process ends.
const FILE: &str = "queue.lock";

/// The right of this process to use the folder. The system gives it up when the process ends, however it ends.
#[derive(Debug)]
pub(super) struct FolderLock {
    _file: File,
}

impl FolderLock {
    /// Locks `folder`, which must exist.
    ///
    /// # Errors
    ///
    /// If another process has locked it, or the file of the lock cannot be opened.
    pub(super) fn take(folder: &Path) -> Result<Self, OpenError> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(folder.join(FILE));
        let locked = file.map_err(TryLockError::Error).and_then(|file| {
            match file.try_lock() {
                // Some file systems have no locks. The database works there without one too.
                Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {}
                locked => locked?,
            }
            Ok(Self { _file: file })
        });
        locked.map_err(|error| match error {
            TryLockError::WouldBlock => OpenError::InUse { folder: folder.into() },
            TryLockError::Error(error) => OpenError::Database {
                folder: folder.into(),
                error: Box::new(redb::Error::Io(error)),
            },
        })
    }
}
