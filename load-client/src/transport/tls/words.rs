//! Error messages of TLS, which say what to do.

use std::{
    io,
    time::{Duration, UNIX_EPOCH},
};

use rustls::{
    AlertDescription, CertificateError,
    pki_types::{ServerName, UnixTime},
};

/// The encoded object identifiers of signatures with SHA-1, with RSA and with ECDSA.
const SHA1: [&[u8]; 2] = [
    &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x05],
    &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x01],
];

/// The encoded object identifier of the curve P-521.
const P521: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x23];

/// Replaces an error of TLS by one with a message for the user. Any other error stays as it is.
pub(super) fn explained(error: io::Error) -> io::Error {
    match tls_error(&error) {
        None => error,
        Some(tls) => io::Error::new(io::ErrorKind::InvalidData, words(tls)),
    }
}

/// The TLS error inside an error of a stream, if there is one.
pub(super) fn tls_error(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref()?.downcast_ref()
}

fn words(error: &rustls::Error) -> String {
    use rustls::Error::{AlertReceived, InvalidCertificate, InvalidMessage};
    match error {
        InvalidMessage(_) => "it does not speak TLS there; write the URL with http://".to_owned(),
        InvalidCertificate(CertificateError::NotValidForNameContext { expected, presented }) => {
            not_for(expected, presented)
        }
        InvalidCertificate(CertificateError::UnknownIssuer) => {
            "the server's certificate is signed by an unknown CA; pass the CA with --cacert FILE".to_owned()
        }
        InvalidCertificate(certificate) => format!("the server's certificate {}", certificate_words(certificate)),
        AlertReceived(AlertDescription::CertificateRequired) => {
            "the server wants to see a certificate; show it one with --cert FILE --key FILE".to_owned()
        }
        AlertReceived(
            alert @ (AlertDescription::BadCertificate
            | AlertDescription::UnknownCA
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown
            | AlertDescription::AccessDenied),
        ) => format!(
            "the server does not take the certificate of --cert ({alert:?}); it wants one that is signed by its CA"
        ),
        AlertReceived(AlertDescription::UnsupportedCertificate) => {
            "the server does not take the certificate of --cert, because it is for another purpose; a client needs one \
             with the extended key usage clientAuth"
                .to_owned()
        }
        AlertReceived(AlertDescription::NoApplicationProtocol) => {
            "the server speaks TLS, but not HTTP/2 in it; is it a gRPC server?".to_owned()
        }
        AlertReceived(AlertDescription::ProtocolVersion) => {
            "the server speaks only versions of TLS before 1.2, which are no longer safe".to_owned()
        }
        other => format!("TLS failed: {other}"),
    }
}

/// What is wrong with a certificate, of a server or in a file: words that go after its name.
pub(super) fn certificate_words(error: &CertificateError) -> String {
    match error {
        CertificateError::ExpiredContext { not_after, .. } => {
            format!("has expired at {}; it needs a new one", time(*not_after))
        }
        CertificateError::NotValidYetContext { not_before, .. } => {
            format!("is not valid before {}; is a clock wrong?", time(*not_before))
        }
        CertificateError::UnsupportedSignatureAlgorithmContext {
            signature_algorithm_id, ..
        } => unsupported_signature(signature_algorithm_id),
        CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext {
            signature_algorithm_id,
            public_key_algorithm_id,
        } if public_key_algorithm_id.windows(P521.len()).any(|window| window == P521) => {
            unsupported_signature(signature_algorithm_id)
        }
        // The issuer is looked up by its name: its key is then found not to be the one that has signed.
        CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } | CertificateError::BadSignature => {
            "is signed by an unknown CA; a trusted CA of the same name has another key; pass the right CA with \
             --cacert FILE"
                .to_owned()
        }
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "is not for servers; it needs the extended key usage serverAuth".to_owned()
        }
        CertificateError::BadEncoding => "cannot be read; is the file damaged?".to_owned(),
        other => {
            // Causes that have no name of their own in the library.
            let cause = format!("{other:?}");
            if cause.contains("CaUsedAsEndEntity") {
                "is a CA's (CA:TRUE), which cannot be a server's as well; openssl req -x509 makes one for a server with \
                 -addext basicConstraints=critical,CA:FALSE"
                    .to_owned()
            } else if cause.contains("UnsupportedCertVersion") {
                "is an X.509 certificate of version 1, and TLS needs version 3; make a new one with extensions, with \
                 openssl x509 -req -extfile FILE, where FILE has subjectAltName=DNS:HOST"
                    .to_owned()
            } else {
                format!("is not accepted: {other}")
            }
        }
    }
}

fn unsupported_signature(algorithm: &[u8]) -> String {
    if SHA1
        .iter()
        .any(|sha1| algorithm.windows(sha1.len()).any(|window| window == *sha1))
    {
        "is signed with SHA-1, which is no longer safe; it needs one that is signed with SHA-256".to_owned()
    } else {
        "is signed with an algorithm that is not supported; supported are RSA, ECDSA (P-256, P-384) and Ed25519, with \
         SHA-256 or longer"
            .to_owned()
    }
}

fn not_for(expected: &ServerName<'_>, presented: &[String]) -> String {
    let expected = expected.to_str();
    let names: Vec<_> = presented.iter().map(|name| bare(name)).collect();
    if names.is_empty() {
        return format!(
            "the server's certificate has no names; it needs a new one with a subjectAltName for {expected}, such as {}",
            subject(&expected)
        );
    }
    if names.contains(&&*expected) {
        return format!(
            "the server's certificate has {expected} as a DNS name, not as an address; it needs a new one with {}",
            subject(&expected)
        );
    }
    format!(
        "the server's certificate is not for {expected} but for {}; --server-name says which one to expect",
        listed(&names)
    )
}

/// The first 12 names, and how many more there are: a certificate may have hundreds.
fn listed(names: &[&str]) -> String {
    const MOST: usize = 12;
    let left_out = names.len().saturating_sub(MOST);
    let first = names[..names.len() - left_out].join(", ");
    if left_out > 0 {
        format!("{first} and {left_out} more")
    } else {
        first
    }
}

/// The name as openssl writes it.
fn subject(name: &str) -> String {
    let kind = if name.parse::<std::net::IpAddr>().is_ok() {
        "IP"
    } else {
        "DNS"
    };
    format!("subjectAltName={kind}:{name}")
}

fn time(time: UnixTime) -> String {
    humantime::format_rfc3339_seconds(UNIX_EPOCH + Duration::from_secs(time.as_secs())).to_string()
}

/// A name as rustls lists it, `DnsName("example.com")`, without what is around it.
fn bare(presented: &str) -> &str {
    let inside = presented.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')'));
    inside.unwrap_or(presented).trim_matches('"')
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rcgen::{
        BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, PKCS_ECDSA_P256_SHA256,
        PKCS_ECDSA_P384_SHA384, PKCS_ED25519,
    };
    use rustls::{
        RootCertStore,
        client::{WebPkiServerVerifier, danger::ServerCertVerifier},
        crypto::ring,
        pki_types::{CertificateDer, pem::PemObject},
    };

    use super::*;

    fn certificate(file: &str) -> CertificateDer<'static> {
        let path = format!("{}/tests/pem/{file}", env!("CARGO_MANIFEST_DIR"));
        CertificateDer::from_pem_file(path).unwrap()
    }

    /// The error message for the server `name` that shows the certificate `shown`, if only the CA `trusted` is trusted;
    /// "nothing" if there is no error.
    fn said(name: &str, shown: &str, trusted: &str) -> String {
        said_of(name, &certificate(shown), certificate(trusted))
    }

    fn said_of(name: &str, shown: &CertificateDer<'_>, trusted: CertificateDer<'static>) -> String {
        let mut roots = RootCertStore::empty();
        roots.add(trusted).unwrap();
        let provider = Arc::new(ring::default_provider());
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
            .build()
            .unwrap();
        let name = ServerName::try_from(name.to_owned()).unwrap();
        let outcome = verifier.verify_server_cert(shown, &[], &name, &[], UnixTime::now());
        outcome.map_or_else(|error| words(&error), |_| "nothing".to_owned())
    }

    #[test]
    fn another_ca_of_the_same_name_is_called_unknown() {
        // Tried: with the message for algorithms that are not supported, this fails. A key of another kind is
        // supported.
        let ca = |algorithm| {
            let mut params = CertificateParams::default();
            params.distinguished_name.push(DnType::CommonName, "the CA");
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            let key = KeyPair::generate_for(algorithm).unwrap();
            (
                params.self_signed(&key).unwrap().der().clone(),
                Issuer::new(params, key),
            )
        };
        let kinds = [&PKCS_ECDSA_P256_SHA256, &PKCS_ECDSA_P384_SHA384, &PKCS_ED25519];
        let leaf_key = KeyPair::generate().unwrap();
        let leaf = CertificateParams::new(["localhost".to_owned()]).unwrap();
        for signing in kinds {
            let (right, issuer) = ca(signing);
            let shown = leaf.signed_by(&leaf_key, &issuer).unwrap().der().clone();
            assert_eq!(said_of("localhost", &shown, right), "nothing");
            for trusted in kinds {
                let said = said_of("localhost", &shown, ca(trusted).0);
                assert_eq!(
                    said,
                    "the server's certificate is signed by an unknown CA; a trusted CA of the same name has another key; \
                     pass the right CA with --cacert FILE"
                );
            }
        }
    }

    #[test]
    fn what_is_wrong_with_a_servers_certificate_is_said_with_the_cure() {
        for (name, shown, trusted, words) in [
            ("localhost", "leaf.pem", "ca.pem", "nothing"),
            (
                "localhost",
                "leaf.pem",
                "p521.pem",
                "is signed by an unknown CA; pass the CA with --cacert FILE",
            ),
            (
                "elsewhere",
                "leaf.pem",
                "ca.pem",
                "is not for elsewhere but for localhost, 127.0.0.1; --server-name",
            ),
            ("localhost", "one-liner.pem", "one-liner.pem", "is a CA's (CA:TRUE)"),
            ("localhost", "version1.pem", "ca.pem", "X.509 certificate of version 1"),
            ("localhost", "sha1.pem", "ca.pem", "is signed with SHA-1"),
            (
                "localhost",
                "no-names.pem",
                "ca.pem",
                "has no names; it needs a new one with a subjectAltName for localhost",
            ),
            (
                "127.0.0.1",
                "address-as-name.pem",
                "ca.pem",
                "as a DNS name, not as an address",
            ),
            (
                "127.0.0.1",
                "address-as-name.pem",
                "ca.pem",
                "subjectAltName=IP:127.0.0.1",
            ),
        ] {
            let said = said(name, shown, trusted);
            assert!(said.contains(words), "{shown}: {said}");
        }
    }
}
