//! Certificates and keys from files, in PEM. An error names the flag and the file.

use std::path::Path;

use foo_pem::Fault;
use rustls::{
    crypto::CryptoProvider,
    pki_types::{CertificateDer, PrivateKeyDer},
    sign::CertifiedKey,
};

use super::error::TlsError;
use crate::input;

/// The certificates of a file, at least one.
pub(super) fn certificates(flag: &'static str, path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    foo_pem::certificates_in(&read(flag, path)?).map_err(|reason| wrong(flag, path, reason))
}

/// The certificate with its chain, and the key of the certificate.
pub(super) fn identity(cert: &Path, key: &Path, provider: &CryptoProvider) -> Result<CertifiedKey, TlsError> {
    let chain = certificates("--cert", cert)?;
    foo_pem::pair(chain, private_key(key)?, provider).map_err(|fault| match fault {
        Fault::Certificate(reason) => wrong("--cert", cert, reason),
        Fault::Key(reason) => wrong("--key", key, format!("{reason} (--cert {})", cert.display())),
    })
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    foo_pem::key_in(&read("--key", path)?).map_err(|reason| wrong("--key", path, reason))
}

fn read(flag: &'static str, path: &Path) -> Result<Vec<u8>, TlsError> {
    input::bytes(path).map_err(|error| wrong(flag, path, error.to_string()))
}

pub(super) fn wrong(flag: &'static str, path: &Path, reason: String) -> TlsError {
    TlsError::File {
        flag,
        path: path.to_owned(),
        reason,
    }
}
