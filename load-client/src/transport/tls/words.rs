//! What went wrong with TLS, in words that say what to do.

use std::{
    io,
    time::{Duration, UNIX_EPOCH},
};

use rustls::{AlertDescription, CertificateError, pki_types::UnixTime};

/// The same error, in words for whoever runs this, if it is one of TLS.
pub(super) fn explained(error: io::Error) -> io::Error {
    match tls_error(&error) {
        None => error,
        Some(tls) => io::Error::new(io::ErrorKind::InvalidData, words(tls)),
    }
}

/// The error of TLS in one of a stream.
pub(super) fn tls_error(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref()?.downcast_ref()
}

fn words(error: &rustls::Error) -> String {
    use rustls::Error::{AlertReceived, InvalidCertificate, InvalidMessage};
    match error {
        InvalidMessage(_) => "it does not speak TLS there; write the URL with http://".to_owned(),
        InvalidCertificate(certificate) => match certificate {
            CertificateError::ExpiredContext { not_after, .. } => format!(
                "the server's certificate has expired at {}; it needs a new one",
                time(*not_after)
            ),
            CertificateError::NotValidYetContext { not_before, .. } => format!(
                "the server's certificate is not valid before {}; is a clock wrong?",
                time(*not_before)
            ),
            CertificateError::NotValidForNameContext { expected, presented } => {
                let presented: Vec<_> = presented.iter().map(|name| bare(name)).collect();
                format!(
                    "the server's certificate is not for {} but for {}; --server-name says which one to expect",
                    expected.to_str(),
                    if presented.is_empty() {
                        "no name at all".to_owned()
                    } else {
                        presented.join(", ")
                    },
                )
            }
            CertificateError::UnknownIssuer => {
                "nobody known here has signed the server's certificate; --cacert FILE names who has".to_owned()
            }
            other => format!("the server's certificate will not do: {other}"),
        },
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
        AlertReceived(AlertDescription::NoApplicationProtocol) => {
            "the server speaks TLS, but not HTTP/2 in it; is it a gRPC server?".to_owned()
        }
        other => format!("TLS failed: {other}"),
    }
}

fn time(time: UnixTime) -> String {
    humantime::format_rfc3339_seconds(UNIX_EPOCH + Duration::from_secs(time.as_secs())).to_string()
}

/// A name as rustls lists it, `DnsName("example.com")`, without what is around it.
fn bare(presented: &str) -> &str {
    let inside = presented.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')'));
    inside.unwrap_or(presented).trim_matches('"')
}
