//! When a call arrived, and by when it must be answered: both instants, taken once, at the edge.
//!
//! tonic starts its own clock for `grpc-timeout` right after this one, so a deadline is always noticed here first and
//! answered DEADLINE_EXCEEDED, where tonic would say CANCELLED.

use std::time::Duration;

use tokio::time::Instant;
use tonic::metadata::MetadataMap;

use crate::job::Refusal;

/// When the headers of a call arrived, before its body was read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Arrival(pub(super) Instant);

/// Notes the arrival in the extensions of the request. For the outermost layer of the server.
pub fn stamp_arrival<B>(mut request: http::Request<B>) -> http::Request<B> {
    request.extensions_mut().insert(Arrival(Instant::now()));
    request
}

/// The instant by which the caller wants its answer: `grpc-timeout` after the arrival; `None` if it did not say.
pub(super) fn deadline(metadata: &MetadataMap, arrival: Arrival) -> Result<Option<Instant>, Refusal> {
    let Some(value) = metadata.get("grpc-timeout") else {
        return Ok(None);
    };
    let timeout = value
        .to_str()
        .ok()
        .and_then(parse_timeout)
        .ok_or_else(|| Refusal::Invalid {
            field: "grpc-timeout",
            reason: "must be 1 to 8 digits and a unit of H, M, S, m, u or n".to_owned(),
        })?;
    Ok(arrival.0.checked_add(timeout))
}

/// A timeout in the form of the gRPC protocol (PROTOCOL-HTTP2.md, "Timeout").
fn parse_timeout(text: &str) -> Option<Duration> {
    let unit = text.chars().next_back().filter(char::is_ascii)?;
    let digits = &text[..text.len() - 1];
    if digits.is_empty() || digits.len() > 8 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let count: u64 = digits.parse().ok()?;
    Some(match unit {
        'H' => Duration::from_secs(count * 3600),
        'M' => Duration::from_secs(count * 60),
        'S' => Duration::from_secs(count),
        'm' => Duration::from_millis(count),
        'u' => Duration::from_micros(count),
        'n' => Duration::from_nanos(count),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_unit_and_nothing_else() {
        assert_eq!(parse_timeout("2H"), Some(Duration::from_secs(7200)));
        assert_eq!(parse_timeout("3M"), Some(Duration::from_secs(180)));
        assert_eq!(parse_timeout("99999999S"), Some(Duration::from_secs(99_999_999)));
        assert_eq!(parse_timeout("250m"), Some(Duration::from_millis(250)));
        assert_eq!(parse_timeout("7u"), Some(Duration::from_micros(7)));
        assert_eq!(parse_timeout("0n"), Some(Duration::ZERO));
        for wrong in ["", "m", "1", "123456789m", "-1m", "1.5S", "1s", "1é", "+1S", "１S"] {
            assert_eq!(parse_timeout(wrong), None, "{wrong}");
        }
    }
}
