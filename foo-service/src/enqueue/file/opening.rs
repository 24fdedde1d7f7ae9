//! The opening of a durable queue's file: the errors, and what the file contains.

use std::{collections::VecDeque, io, path::PathBuf};

use redb::{Database, ReadableDatabase, ReadableTable, ReadableTableMetadata};

use super::rows::{ENDS, FORMAT, HEAD, IDS, MESSAGES, end};
use crate::enqueue::Completion;

/// The reason why a durable queue could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder cannot be created.
    #[error("cannot make the folder {}: {error}; choose another with --queue-dir", folder.display())]
    Folder {
        /// The folder of `--queue-dir`.
        folder: PathBuf,
        /// The error of the operating system.
        error: io::Error,
    },
    /// Another process has the queue open: it has locked the folder.
    #[error(
        "the queue in {} is open in another process; stop that process, or give each its own --queue-dir",
        folder.display()
    )]
    InUse {
        /// The folder of `--queue-dir`.
        folder: PathBuf,
    },
    /// The file was written by a version with other tables.
    #[error(
        "the queue in {} has the format {found}, and this version reads the format {FORMAT}; empty the queue with the \
         version that wrote it, or choose another folder with --queue-dir",
        folder.display()
    )]
    Format {
        /// The folder of `--queue-dir`.
        folder: PathBuf,
        /// The version of the tables in the file, or of the database format.
        found: u64,
    },
    /// The database cannot be read or written.
    #[error("cannot open the queue in {}: {error}; choose another folder with --queue-dir", folder.display())]
    Database {
        /// The folder of `--queue-dir`.
        folder: PathBuf,
        /// The error of the database.
        error: Box<redb::Error>,
    },
    /// The system cannot start a thread.
    #[error("cannot start the thread that writes the queue: {0}")]
    Thread(io::Error),
}

/// The numbers with which the next commit continues.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Head {
    /// The number of the next message.
    pub(super) next: u64,
    /// Bytes of the ids and payloads of all messages.
    pub(super) bytes: u64,
    /// The position of the next outcome in the log of completions.
    pub(super) ended: u64,
    /// The position of the oldest outcome in the file.
    pub(super) ends_from: u64,
}

/// What the file contained when it was opened.
pub(super) struct Found {
    /// The id of the queue: constant as long as the file exists.
    pub(super) queue_id: String,
    /// Messages that have not ended.
    pub(super) messages: u64,
    /// Bytes of the ids and payloads of these messages.
    pub(super) bytes: u64,
    /// The newest outcomes, in order.
    pub(super) ends: VecDeque<Completion>,
    /// The position of the first one in `ends`.
    pub(super) ends_from: u64,
    /// Messages up to this number may have been in service when the previous process was killed.
    pub(super) again_up_to: Option<u64>,
}

/// Creates the tables if they are missing, and stores the number of workers for the next opening. Returns the format of the file,
/// and how many messages may have been in service when it was last open.
pub(super) fn prepare(database: &Database, queue_id: u64, workers: u32) -> Result<(u64, u64), redb::Error> {
    let transaction = database.begin_write()?;
    let known = {
        let mut head = transaction.open_table(HEAD)?;
        let known = head.get("format")?.map(|format| format.value());
        if known.is_none() {
            head.insert("format", FORMAT)?;
            head.insert("queue_id", queue_id)?;
            transaction.open_table(MESSAGES)?;
            transaction.open_table(IDS)?;
            transaction.open_table(ENDS)?;
        }
        let format = known.unwrap_or(FORMAT);
        if format != FORMAT {
            return Ok((format, 0));
        }
        // Messages are taken in order, so only the first ones, as many as there are workers, can be in service.
        let before = head.insert("in_service", u64::from(workers))?;
        (format, before.map_or(0, |before| before.value()))
    };
    transaction.commit()?;
    Ok(known)
}

/// Reads the contents of the file after its opening, in one transaction. `in_service` messages may have been in service before.
pub(super) fn read_contents(database: &Database, in_service: u64) -> Result<(Head, Found), redb::Error> {
    let transaction = database.begin_read()?;
    let numbers = transaction.open_table(HEAD)?;
    let number = |name| {
        numbers
            .get(name)
            .map(|number| number.map_or(0, |number| number.value()))
    };
    let mut head = Head {
        next: number("next")?,
        bytes: number("bytes")?,
        ended: number("ended")?,
        ends_from: 0,
    };
    head.ends_from = head.ended;
    let mut ends = VecDeque::new();
    for row in transaction.open_table(ENDS)?.iter()? {
        let (position, row) = row?;
        if ends.is_empty() {
            head.ends_from = position.value();
        }
        ends.push_back(end(row.value()));
    }
    let messages = transaction.open_table(MESSAGES)?;
    let mut again_up_to = None;
    for row in messages.iter()?.take(usize::try_from(in_service).unwrap_or(usize::MAX)) {
        again_up_to = Some(row?.0.value());
    }
    let found = Found {
        queue_id: format!("{:016x}", number("queue_id")?),
        messages: messages.len()?,
        bytes: head.bytes,
        ends,
        ends_from: head.ends_from,
        again_up_to,
    };
    Ok((head, found))
}
