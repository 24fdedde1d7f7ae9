//! How a shared queue behaves, and where its server is.

use std::{path::PathBuf, time::Duration};

/// What the flags say of a shared queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NatsSettings {
    /// Whether the connection must be encrypted.
    pub tls: bool,
    /// The servers, each as HOST:PORT; at least one.
    pub hosts: Vec<String>,
    /// The name of the queue; instances with the same name share it.
    pub name: String,
    /// The most messages that wait or are in service, of all instances together.
    pub places: u32,
    /// After this time without a word from the instance that has a message, the message is delivered again.
    pub lease: Duration,
    /// After so many deliveries a message is put aside.
    pub max_deliveries: u64,
    /// How long an answer of the server may take.
    pub timeout: Duration,
    /// How long the id of a message is remembered. Zero: not at all.
    pub dedupe: Duration,
    /// How many servers keep each message.
    pub replicas: usize,
    /// The file with `USER:PASSWORD` or a token.
    pub credentials: Option<PathBuf>,
    /// The CA certificates, if not those of the system.
    pub ca: Option<PathBuf>,
    /// The client's certificate and its key.
    pub certificate: Option<(PathBuf, PathBuf)>,
    /// The largest payload of a message, in bytes.
    pub max_payload: u64,
}

/// The most completions that the server keeps: as many as an instance has in memory.
pub(super) const MOST_COMPLETIONS: u32 = 131_072;
const _: () = assert!(MOST_COMPLETIONS as usize == crate::enqueue::LOG_CAPACITY);
/// The most dead letters (arbitrary). While there are so many, further ones stay on the queue.
pub(super) const MOST_DEAD: i64 = 10_000;

impl NatsSettings {
    /// The stream of messages.
    pub(super) fn work_stream(&self) -> String {
        format!("FOO_{}", self.name)
    }

    /// The subject of messages.
    pub(super) fn work_subject(&self) -> String {
        format!("foo.{}.work", self.name)
    }

    /// The stream of completions.
    pub(super) fn done_stream(&self) -> String {
        format!("FOO_{}_LOG", self.name)
    }

    /// The subject of completions.
    pub(super) fn done_subject(&self) -> String {
        format!("foo.{}.done", self.name)
    }

    /// The stream of dead letters.
    pub(super) fn dead_stream(&self) -> String {
        format!("FOO_{}_DEAD", self.name)
    }

    /// The subject of dead letters.
    pub(super) fn dead_subject(&self) -> String {
        format!("foo.{}.dead", self.name)
    }
}
