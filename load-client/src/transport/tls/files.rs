//! Certificates and keys from files, in PEM; where a file does not do, which one and what to do.

use std::path::Path;

use rustls::{
    Error, InconsistentKeys,
    crypto::CryptoProvider,
    pki_types::{
        CertificateDer, PrivateKeyDer,
        pem::{self, PemObject},
    },
    sign::CertifiedKey,
};

use super::{TlsError, words::certificate_words};
use crate::input;

/// The certificates of a file, at least one.
pub(super) fn certificates(flag: &'static str, path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let pem = read(flag, path)?;
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(&pem)
        .collect::<Result<_, _>>()
        .map_err(|error| wrong(flag, path, error.to_string()))?;
    if certificates.is_empty() {
        let holds = if has(&pem, "PRIVATE KEY-----") {
            "; it holds a private key"
        } else if pem.first() == Some(&0x30) {
            "; it seems to be DER: openssl x509 -inform DER -in FILE -out FILE.pem makes PEM of it"
        } else {
            ""
        };
        return Err(wrong(
            flag,
            path,
            format!("it holds no certificate in PEM (BEGIN CERTIFICATE){holds}"),
        ));
    }
    Ok(certificates)
}

/// The private key of a file.
pub(super) fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    let flag = "--key";
    let pem = read(flag, path)?;
    if has(&pem, "BEGIN ENCRYPTED PRIVATE KEY") || has(&pem, "Proc-Type: 4,ENCRYPTED") {
        let reason = format!(
            "it is encrypted; openssl pkey -in {} -out plain.key writes it without its password",
            path.display()
        );
        return Err(wrong(flag, path, reason));
    }
    PrivateKeyDer::from_pem_slice(&pem).map_err(|error| {
        let reason = match error {
            pem::Error::NoItemsFound if has(&pem, "BEGIN CERTIFICATE") => {
                "it holds a certificate and no private key (BEGIN PRIVATE KEY)".to_owned()
            }
            pem::Error::NoItemsFound => "it holds no private key in PEM (BEGIN PRIVATE KEY)".to_owned(),
            error => error.to_string(),
        };
        wrong(flag, path, reason)
    })
}

/// Why a certificate and a key do not make an identity: which of the two files it is, and what to do.
pub(super) fn unfit(
    error: &Error,
    provider: &CryptoProvider,
    (cert, chain): (&Path, &[CertificateDer<'static>]),
    (key, private): (&Path, PrivateKeyDer<'static>),
) -> TlsError {
    match error {
        Error::InvalidCertificate(certificate) => wrong("--cert", cert, format!("it {}", certificate_words(certificate))),
        Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
            let signer = provider.key_provider.load_private_key(private).ok();
            let is_of_key = |certificate: &CertificateDer<'static>| {
                let signer = signer.clone();
                signer.is_some_and(|signer| CertifiedKey::new(vec![certificate.clone()], signer).keys_match().is_ok())
            };
            if chain.iter().any(is_of_key) {
                let reason = "it is in the wrong order; the certificate of --key comes first, then the one that signed it";
                wrong("--cert", cert, reason.to_owned())
            } else {
                let reason = format!("it is not the key of --cert {}", cert.display());
                wrong("--key", key, reason)
            }
        }
        Error::General(_) => wrong(
            "--key",
            key,
            "it is of a kind that is not supported; supported are RSA (2048 to 8192 bits), ECDSA (P-256, P-384) and Ed25519"
                .to_owned(),
        ),
        other => wrong("--key", key, format!("{other}; it must be the key of --cert")),
    }
}

fn read(flag: &'static str, path: &Path) -> Result<Vec<u8>, TlsError> {
    input::bytes(path).map_err(|error| wrong(flag, path, error.to_string()))
}

fn has(pem: &[u8], text: &str) -> bool {
    pem.windows(text.len()).any(|window| window == text.as_bytes())
}

pub(super) fn wrong(flag: &'static str, path: &Path, reason: String) -> TlsError {
    TlsError::File {
        flag,
        path: path.to_owned(),
        reason,
    }
}
