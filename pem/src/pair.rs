//! Combines a certificate with its key: says which of the two is wrong, and what peers will object to.

use std::sync::Arc;

use rustls::{
    CertificateError, Error, RootCertStore,
    client::{verify_server_cert_signed_by_trust_anchor, verify_server_name},
    crypto::CryptoProvider,
    pki_types::{CertificateDer, DnsName, PrivateKeyDer, ServerName, UnixTime},
    server::ParsedCertificate,
    sign::CertifiedKey,
};

/// The command that makes a certificate that clients accept.
const MAKE_ANOTHER: &str = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem -out cert.pem \
                            -days 365 -subj /CN=HOST -addext basicConstraints=critical,CA:FALSE -addext \
                            subjectAltName=DNS:HOST";

/// Which of the two files is wrong, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The file of the certificate is wrong, for this reason.
    Certificate(String),
    /// The file of the key is wrong, for this reason.
    Key(String),
}

/// Combines a certificate with its key. The certificate is the first in `chain`; those of its issuers follow.
///
/// # Errors
///
/// Which of the two is wrong, and how to mend it.
pub fn pair(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    provider: &CryptoProvider,
) -> Result<CertifiedKey, Fault> {
    for (number, certificate) in (1..).zip(&chain) {
        if let Err(error) = ParsedCertificate::try_from(certificate) {
            return Err(Fault::Certificate(unusable(number, &error)));
        }
    }
    let signing = provider.key_provider.load_private_key(key).map_err(|_| {
        Fault::Key(
            "is of a kind that is not supported: RSA from 2048 to 4096 bits, ECDSA P-256 and P-384, and Ed25519 are; make \
             another one, and a certificate for it: openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out key.pem"
                .to_owned(),
        )
    })?;
    let pair = CertifiedKey::new(chain, signing);
    match pair.keys_match() {
        Err(Error::InconsistentKeys(_)) => Err(mismatch(&pair)),
        Err(error) => Err(Fault::Certificate(unusable(1, &error))),
        Ok(()) => Ok(pair),
    }
}

fn mismatch(pair: &CertifiedKey) -> Fault {
    let is_of_key = |certificate: &CertificateDer<'static>| {
        CertifiedKey::new(vec![certificate.clone()], Arc::clone(&pair.key))
            .keys_match()
            .is_ok()
    };
    match pair.cert.iter().position(is_of_key) {
        Some(at) => Fault::Certificate(format!(
            "has its certificates in the wrong order: the one of the key is number {} and must be the first, the one of its \
             issuer the second",
            at + 1
        )),
        None => Fault::Key("does not belong to the certificate: its public key is another one".to_owned()),
    }
}

fn unusable(number: usize, error: &Error) -> String {
    let which = match number {
        1 => "the certificate".to_owned(),
        number => format!("certificate number {number}"),
    };
    // rustls wraps webpki's error, and gives access only to its debug text.
    if format!("{error:?}").contains("UnsupportedCertVersion") {
        return format!(
            "{which} is of X.509 version 1, and TLS needs version 3: make another one, with extensions: {MAKE_ANOTHER}"
        );
    }
    format!("{which} cannot be used: {}", reason(error))
}

fn reason(error: &Error) -> String {
    match error {
        Error::InvalidCertificate(CertificateError::BadEncoding) => "it is no X.509 certificate".to_owned(),
        error => error.to_string(),
    }
}

/// What peers will object to in a service's own certificate: a sentence for each fault, which also says how to mend it.
pub fn caveats(certificate: &CertificateDer<'_>, provider: &CryptoProvider) -> Vec<String> {
    let Ok(parsed) = ParsedCertificate::try_from(certificate) else {
        return Vec::new();
    };
    let mut caveats = Vec::new();
    let algorithms = provider.signature_verification_algorithms.all;
    // The set of trusted CAs is empty, because only faults of the certificate itself matter here.
    let verified =
        verify_server_cert_signed_by_trust_anchor(&parsed, &RootCertStore::empty(), &[], UnixTime::now(), algorithms);
    match verified {
        Err(Error::InvalidCertificate(CertificateError::Expired | CertificateError::ExpiredContext { .. })) => {
            caveats.push("the certificate has expired: clients reject it".to_owned());
        }
        Err(Error::InvalidCertificate(CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. })) => {
            caveats.push("the certificate is not valid yet: clients reject it".to_owned());
        }
        Err(error) if format!("{error:?}").contains("CaUsedAsEndEntity") => caveats.push(format!(
            "the certificate is that of a CA, which some clients (those that use rustls) reject; make one that is not: \
             {MAKE_ANOTHER}"
        )),
        _ => {}
    }
    let any = DnsName::try_from("name.invalid").map(ServerName::DnsName);
    if let Ok(any) = any
        && let Err(Error::InvalidCertificate(CertificateError::NotValidForNameContext { presented, .. })) =
            verify_server_name(&parsed, &any)
        && presented.is_empty()
    {
        caveats.push(format!(
            "the certificate names no host (it has no subjectAltName): clients reject it; make another one: {MAKE_ANOTHER}"
        ));
    }
    caveats
}
