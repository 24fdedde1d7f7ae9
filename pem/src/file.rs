//! Reads certificates and keys from PEM files, and says what is wrong with a file.

use std::{fs, path::Path};

use rustls::pki_types::{
    CertificateDer, PrivateKeyDer,
    pem::{Error, PemObject},
};

/// The byte order mark of UTF-8, which editors on Windows put at the start of a file.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// All certificates of a PEM file, in order; at least one.
///
/// # Errors
///
/// What is wrong with the file and how to mend it, without the file's name.
pub fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    certificates_in(&read(path)?)
}

/// All certificates of a text in PEM, in order; at least one. For files that the caller has read.
///
/// # Errors
///
/// What is wrong with the text and how to mend it.
pub fn certificates_in(text: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let text = plain(text)?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text).collect();
    let found = found.map_err(|error| broken(text, &error))?;
    if found.is_empty() {
        return Err(lacks(text, "certificate", "openssl x509 -inform der"));
    }
    Ok(found)
}

/// The private key of a PEM file: PKCS#8, PKCS#1 or SEC1.
///
/// # Errors
///
/// What is wrong with the file and how to mend it, without the file's name.
pub fn key(path: &Path) -> Result<PrivateKeyDer<'static>, String> {
    key_in(&read(path)?)
}

/// The private key of a text in PEM: PKCS#8, PKCS#1 or SEC1. For files that the caller has read.
///
/// # Errors
///
/// What is wrong with the text and how to mend it.
pub fn key_in(text: &[u8]) -> Result<PrivateKeyDer<'static>, String> {
    let text = plain(text)?;
    let encrypted = ["BEGIN ENCRYPTED PRIVATE KEY", "Proc-Type: 4,ENCRYPTED"];
    if encrypted.iter().any(|mark| contains(text, mark)) {
        return Err(
            "is encrypted with a password; decrypt it: openssl pkey -in FILE -out decrypted.key.pem".to_owned(),
        );
    }
    PrivateKeyDer::from_pem_slice(text).map_err(|error| match error {
        Error::NoItemsFound => lacks(text, "private key", "openssl pkey -inform der"),
        error => broken(text, &error),
    })
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|error| error.to_string())
}

/// The text without its byte order mark.
fn plain(text: &[u8]) -> Result<&[u8], String> {
    if text.starts_with(b"\xff\xfe") || text.starts_with(b"\xfe\xff") {
        return Err("is encoded in UTF-16; save it as UTF-8 or ASCII".to_owned());
    }
    Ok(text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text))
}

fn lacks(text: &[u8], wanted: &str, converter: &str) -> String {
    // A DER file is one ASN.1 sequence, which begins with the byte 0x30.
    if text.first() == Some(&0x30) && !contains(text, "-----BEGIN") {
        return format!("is in DER, not in PEM; convert it: {converter} -in FILE -out FILE.pem");
    }
    match labels(text).as_slice() {
        [] => format!("holds no {wanted} in PEM: it has no line that begins with -----BEGIN"),
        found => format!("holds no {wanted} but: {}", found.join(", ")),
    }
}

fn broken(text: &[u8], error: &Error) -> String {
    let reason = match error {
        Error::MissingSectionEnd { end_marker } => format!("it has no line {}", shown(end_marker)),
        Error::IllegalSectionStart { line } => format!("its line {:?} is malformed", shown(line)),
        Error::Base64Decode(reason) => format!("its base64 cannot be decoded ({reason})"),
        other => other.to_string(),
    };
    match labels(text).as_slice() {
        [] => format!("is no PEM: {reason}"),
        found => format!("is broken: {reason}; it holds: {}", found.join(", ")),
    }
}

/// The labels of the first few sections of a PEM file, such as "CERTIFICATE".
fn labels(text: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(text);
    let labels = text.lines().filter_map(|line| line.trim().strip_prefix("-----BEGIN "));
    labels
        .map(|label| shown(label.trim_end_matches('-').as_bytes()))
        .take(4)
        .collect()
}

/// The printable ASCII characters of a text, at most 60.
fn shown(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    text.chars()
        .filter(|c| c.is_ascii_graphic() || *c == ' ')
        .take(60)
        .collect()
}

fn contains(text: &[u8], mark: &str) -> bool {
    text.windows(mark.len()).any(|window| window == mark.as_bytes())
}
