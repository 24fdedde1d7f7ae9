//! `grpc-timeout`, as the gRPC protocol writes it (PROTOCOL-HTTP2.md, "Timeout").

use std::time::Duration;

use http::HeaderValue;

/// What is said of one that makes no sense.
pub(super) const FORM: &str = "must be 1 to 8 digits and a unit of H, M, S, m, u or n";

/// How long the caller will wait; `None` if that makes no sense.
pub(super) fn parse(value: &HeaderValue) -> Option<Duration> {
    parse_text(value.to_str().ok()?)
}

fn parse_text(text: &str) -> Option<Duration> {
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
        assert_eq!(parse_text("2H"), Some(Duration::from_secs(7200)));
        assert_eq!(parse_text("3M"), Some(Duration::from_secs(180)));
        assert_eq!(parse_text("99999999S"), Some(Duration::from_secs(99_999_999)));
        assert_eq!(parse_text("250m"), Some(Duration::from_millis(250)));
        assert_eq!(parse_text("7u"), Some(Duration::from_micros(7)));
        assert_eq!(parse_text("0n"), Some(Duration::ZERO));
        for wrong in ["", "m", "1", "123456789m", "-1m", "1.5S", "1s", "1é", "+1S", "１S"] {
            assert_eq!(parse_text(wrong), None, "{wrong}");
        }
    }
}
