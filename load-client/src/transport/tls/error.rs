//! Why TLS cannot even be tried.

use std::path::PathBuf;

/// Why TLS cannot even be tried.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file does not do.
    #[error("{flag} {}: {reason}", path.display())]
    File {
        /// The flag that names the file.
        flag: &'static str,
        /// The path as it was given.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// No certificate can be for that.
    #[error("{0:?} is no name that a certificate can have; say with --server-name which one to expect")]
    Name(String),
}
