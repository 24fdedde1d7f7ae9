//! The settings of a shared queue, and the names of its streams on the server.

use std::{path::PathBuf, time::Duration};

/// The settings of a shared queue, from the flags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NatsSettings {
    /// True if the connection must be encrypted.
    pub tls: bool,
    /// The servers, each as HOST:PORT; at least one.
    pub hosts: Vec<String>,
    /// The name of the queue; instances with the same name share it.
    pub name: String,
    /// The most messages, waiting or in service, of all instances together.
    pub places: u32,
    /// The time without a renewal after which a message is delivered again.
    pub lease: Duration,
    /// How many times a message is delivered before it becomes a dead letter.
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
/// The most dead letters (arbitrary). When there are so many, further ones stay on the queue.
pub(super) const MOST_DEAD: i64 = 10_000;

impl NatsSettings {
    /// The name of the stream of messages.
    pub(super) fn work_stream(&self) -> String {
        format!("FOO_{}", self.name)
    }

    /// The subject under which messages are published.
    pub(super) fn work_subject(&self) -> String {
        format!("foo.{}.work", self.name)
    }

    /// The name of the stream of completions.
    pub(super) fn done_stream(&self) -> String {
        format!("FOO_{}_LOG", self.name)
    }

    /// The subject under which completions are published.
    pub(super) fn done_subject(&self) -> String {
        format!("foo.{}.done", self.name)
    }

    /// The name of the stream of dead letters.
    pub(super) fn dead_stream(&self) -> String {
        format!("FOO_{}_DEAD", self.name)
    }

    /// The subject under which dead letters are published.
    pub(super) fn dead_subject(&self) -> String {
        format!("foo.{}.dead", self.name)
    }
}
