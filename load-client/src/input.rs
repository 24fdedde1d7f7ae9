//! Files that this program reads: `-` is standard input, and the byte order mark that some editors put in front is skipped.

use std::{
    fs,
    io::{self, Read},
    path::Path,
};

/// The name that stands for standard input.
pub const STANDARD: &str = "-";
/// A byte order mark in UTF-8.
const MARK: &[u8] = "\u{feff}".as_bytes();

/// Whether a path stands for standard input.
pub fn is_standard(path: &Path) -> bool {
    path == Path::new(STANDARD)
}

/// Reads a whole file, without its byte order mark. Standard input can be read only once.
///
/// # Errors
///
/// If it cannot be read.
pub fn bytes(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if is_standard(path) {
        io::stdin().lock().read_to_end(&mut bytes)?;
    } else {
        bytes = fs::read(path)?;
    }
    if bytes.starts_with(MARK) {
        bytes.drain(..MARK.len());
    }
    Ok(bytes)
}

/// Reads a whole file as text, without its byte order mark. Standard input can be read only once.
///
/// # Errors
///
/// If it cannot be read, or is not UTF-8.
pub fn text(path: &Path) -> io::Result<String> {
    String::from_utf8(bytes(path)?).map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8 text"))
}
