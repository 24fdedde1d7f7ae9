//! The file of a durable queue: opening, reading, and one durable commit for each group of changes.
//!
//! The database is redb: one file, in a folder that a lock protects from other processes. After a disk error, redb answers every
//! operation with that error until the file is opened again. That happens before the next operation. Everything that a failed
//! commit may have written is then removed, because its callers have got an error.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use redb::{Builder, Database, DatabaseError, ReadableDatabase, ReadableTable, ReadableTableMetadata, Table};

use super::{
    lock::FolderLock,
    opening::{Found, Head, OpenError, prepare, read_contents},
    rows::{ENDS, FORMAT, HEAD, IDS, MESSAGES, end_row, message, message_row, wall_clock},
    storage::Storage,
};
use crate::{
    enqueue::{Completion, LOG_CAPACITY},
    job::Job,
};

/// The name of the file in the folder.
const FILE: &str = "queue.redb";
/// How many bytes of the file redb keeps in memory (arbitrary: only the newest rows are written).
const CACHE: usize = 16 << 20;

/// The outcome of a message, to be written.
#[derive(Debug)]
pub(super) struct Ended {
    /// The number of the message, in order since the file was created.
    pub(super) number: u64,
    /// Bytes of its id and payload.
    pub(super) bytes: u64,
    pub(super) completion: Completion,
}

/// The new messages and outcomes that one commit writes.
pub(super) struct Changes<'a> {
    /// Messages that join the queue, in this order.
    pub(super) joins: Vec<&'a Job>,
    /// Messages that end, in this order.
    pub(super) ends: Vec<&'a Ended>,
    /// How long ids are remembered; `None`: not at all.
    pub(super) remember: Option<Duration>,
    /// The most ids that are remembered.
    pub(super) most_ids: u64,
}

/// The result of a commit.
pub(super) struct Committed {
    /// The number of the first message that joined; those of the others follow it.
    pub(super) first: u64,
    /// Ids that are no longer remembered, with the numbers of their messages.
    pub(super) forgotten: Vec<(u64, Box<str>)>,
}

/// The file of the queue. Only the writer's thread uses it.
pub(super) struct Store {
    path: PathBuf,
    /// `None` after a disk error, until the file is opened again.
    database: Option<Database>,
    head: Head,
    /// Held also while the file is closed after a disk error. The last field, so that it is dropped after the database.
    _lock: FolderLock,
}

impl Store {
    /// Opens the file in `folder` or creates it, for a process with `workers` workers. A new file gets `queue_id`.
    pub(super) fn open(folder: &Path, queue_id: u64, workers: u32) -> Result<(Self, Found), OpenError> {
        let wrong = |error: redb::Error| match error {
            redb::Error::DatabaseAlreadyOpen => OpenError::InUse { folder: folder.into() },
            redb::Error::UpgradeRequired(found) => OpenError::Format {
                folder: folder.into(),
                found: found.into(),
            },
            error => OpenError::Database {
                folder: folder.into(),
                error: Box::new(error),
            },
        };
        fs::create_dir_all(folder).map_err(|error| OpenError::Folder {
            folder: folder.into(),
            error,
        })?;
        // First, because already the opening of the file reads what another process may be writing.
        let lock = FolderLock::take(folder)?;
        let path = folder.join(FILE);
        let database = open(&path).map_err(|error| wrong(error.into()))?;
        let (format, in_service) = prepare(&database, queue_id, workers).map_err(wrong)?;
        if format != FORMAT {
            return Err(OpenError::Format {
                folder: folder.into(),
                found: format,
            });
        }
        let (head, found) = read_contents(&database, in_service).map_err(wrong)?;
        let store = Self {
            path,
            database: Some(database),
            head,
            _lock: lock,
        };
        Ok((store, found))
    }

    /// The database; opens it again if a disk error has closed it.
    fn database(&mut self) -> Result<&Database, redb::Error> {
        if self.database.is_none() {
            let database = open(&self.path)?;
            roll_back(&database, self.head)?;
            self.database = Some(database);
        }
        Ok(self.database.as_ref().expect("it was opened above"))
    }

    /// Uses the database. If that fails, the file is closed, to be opened again.
    fn with<T>(&mut self, uses: impl FnOnce(&Database) -> Result<T, redb::Error>) -> Result<T, redb::Error> {
        let done = self.database().and_then(uses);
        if done.is_err() {
            self.database = None;
        }
        done
    }

    /// Closes the file, as a disk error does.
    #[cfg(test)]
    pub(super) fn fail(&mut self) {
        let _ = self.with(|_| Err::<(), _>(redb::Error::PreviousIo));
    }

    /// Makes all changes durable, or none of them.
    pub(super) fn commit(&mut self, changes: &Changes<'_>) -> Result<Committed, redb::Error> {
        let mut head = self.head;
        let forgotten = self.with(|database| write(database, &mut head, changes))?;
        let first = self.head.next;
        self.head = head;
        Ok(Committed { first, forgotten })
    }

    /// Reads the messages with numbers above `after`, oldest first, until there are `most`, or together at least `bytes` bytes.
    pub(super) fn read(&mut self, after: Option<u64>, most: usize, bytes: u64) -> Result<Vec<(u64, Job)>, redb::Error> {
        let from = after.map_or(0, |after| after + 1);
        self.with(|database| {
            let table = database.begin_read()?.open_table(MESSAGES)?;
            let (mut messages, mut taken) = (Vec::new(), 0);
            for row in table.range(from..)? {
                if messages.len() == most || taken >= bytes {
                    break;
                }
                let (number, row) = row?;
                let job = message(row.value());
                taken += job.bytes();
                messages.push((number.value(), job));
            }
            Ok(messages)
        })
    }

    /// True if the message with this number has this id, and arrived less than `window` ago.
    pub(super) fn has_id(&mut self, number: u64, id: &str, window: Duration) -> Result<bool, redb::Error> {
        self.with(|database| {
            let table = database.begin_read()?.open_table(IDS)?;
            let row = table.get(number)?;
            Ok(row.is_some_and(|row| {
                let (arrival, known) = row.value();
                known == id && is_recent(arrival, wall_clock(), window)
            }))
        })
    }

    /// Closes the file, with the mark that no message is in service.
    pub(super) fn close(mut self) -> Result<(), redb::Error> {
        let transaction = self.database()?.begin_write()?;
        transaction.open_table(HEAD)?.insert("in_service", 0)?;
        transaction.commit()?;
        Ok(())
    }

    /// Calls `each` with the number and the id of every remembered message.
    pub(super) fn each_id(&mut self, mut each: impl FnMut(u64, &str)) -> Result<(), redb::Error> {
        let table = self.database()?.begin_read()?.open_table(IDS)?;
        for row in table.iter()? {
            let (number, row) = row?;
            each(number.value(), row.value().1);
        }
        Ok(())
    }
}

fn open(path: &Path) -> Result<Database, DatabaseError> {
    Builder::new()
        .set_cache_size(CACHE)
        .create_with_backend(Storage::open(path)?)
}

/// Writes the changes in one transaction and makes them durable. Returns the ids that are forgotten.
fn write(database: &Database, head: &mut Head, changes: &Changes<'_>) -> Result<Vec<(u64, Box<str>)>, redb::Error> {
    let transaction = database.begin_write()?;
    let mut forgotten = Vec::new();
    {
        let mut messages = transaction.open_table(MESSAGES)?;
        let mut ends = transaction.open_table(ENDS)?;
        let now = wall_clock();
        if !changes.joins.is_empty() {
            let mut ids = transaction.open_table(IDS)?;
            for job in &changes.joins {
                messages.insert(head.next, message_row(job, now))?;
                if changes.remember.is_some() {
                    ids.insert(head.next, (now, &*job.id))?;
                }
                head.bytes += job.bytes();
                head.next += 1;
            }
            let most = 2 * changes.joins.len();
            forget(&mut ids, &mut forgotten, now, changes, most)?;
        }
        for ended in &changes.ends {
            messages.remove(ended.number)?;
            head.bytes = head.bytes.saturating_sub(ended.bytes);
            ends.insert(head.ended, end_row(&ended.completion))?;
            head.ended += 1;
        }
        while head.ended - head.ends_from > LOG_CAPACITY as u64 {
            ends.remove(head.ends_from)?;
            head.ends_from += 1;
        }
        save(&mut transaction.open_table(HEAD)?, *head)?;
    }
    transaction.commit()?;
    Ok(forgotten)
}

/// True if `arrival` is less than `window` before `now`, or after it (because the clock was set back).
fn is_recent(arrival: u64, now: u64, window: Duration) -> bool {
    Duration::from_millis(now.saturating_sub(arrival)) < window
}

/// Removes ids that are too old or too many, at most `most` of them.
fn forget(
    ids: &mut Table<'_, u64, (u64, &'static str)>,
    forgotten: &mut Vec<(u64, Box<str>)>,
    now: u64,
    changes: &Changes<'_>,
    most: usize,
) -> Result<(), redb::Error> {
    let window = changes.remember.unwrap_or_default();
    while forgotten.len() < most {
        let too_many = ids.len()? > changes.most_ids;
        let Some((number, arrival, id)) = ids.first()?.map(|(number, row)| {
            let (arrival, id) = row.value();
            (number.value(), arrival, Box::from(id))
        }) else {
            break;
        };
        if !too_many && is_recent(arrival, now, window) {
            break;
        }
        ids.remove(number)?;
        forgotten.push((number, id));
    }
    Ok(())
}

fn save(table: &mut Table<'_, &'static str, u64>, head: Head) -> Result<(), redb::Error> {
    table.insert("next", head.next)?;
    table.insert("bytes", head.bytes)?;
    table.insert("ended", head.ended)?;
    Ok(())
}

/// Removes what a failed commit may have written after `head`.
fn roll_back(database: &Database, head: Head) -> Result<(), redb::Error> {
    let transaction = database.begin_write()?;
    transaction.open_table(MESSAGES)?.retain_in(head.next.., |_, _| false)?;
    transaction.open_table(IDS)?.retain_in(head.next.., |_, _| false)?;
    transaction.open_table(ENDS)?.retain_in(head.ended.., |_, _| false)?;
    save(&mut transaction.open_table(HEAD)?, head)?;
    transaction.commit()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    #[test]
    fn a_folder_stays_locked_while_a_disk_error_has_closed_the_file() {
        let folder = TempDir::new().unwrap();
        let (mut store, _) = Store::open(folder.path(), 7, 1).unwrap();
        store.fail();
        assert!(store.database.is_none());
        let other = Store::open(folder.path(), 7, 1);
        assert!(matches!(other, Err(OpenError::InUse { .. })));
        store.close().unwrap();
        assert!(Store::open(folder.path(), 7, 1).is_ok());
    }
}
