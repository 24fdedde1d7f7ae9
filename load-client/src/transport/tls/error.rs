//! Errors of TLS settings.

use std::path::PathBuf;

/// Why TLS cannot be set up for a target.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be used.
    #[error("{flag} {}: {reason}", path.display())]
    File {
        /// The flag that names the file.
        flag: &'static str,
        /// The path as it was given.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// No certificate can be for this name.
    #[error("{0:?} is no name that a certificate can have; say with --server-name which one to expect")]
    Name(String),
}
