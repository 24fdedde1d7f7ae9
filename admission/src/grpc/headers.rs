//! Reads deadline, class and status from gRPC headers, and writes the headers of a rejection.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, Response, header::CONTENT_TYPE};
use tokio::time::Instant;
use tonic::{Code, Status};

use crate::{
    limit::Outcome,
    line::Class,
    room::{Rejected, Ticket},
};

const TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");
const STATUS: HeaderName = HeaderName::from_static("grpc-status");
const MESSAGE: HeaderName = HeaderName::from_static("grpc-message");
const PRIORITY: HeaderName = HeaderName::from_static("priority");
/// The header that tells a client how many milliseconds to wait before it retries (gRPC retry design, A6).
pub const PUSHBACK: HeaderName = HeaderName::from_static("grpc-retry-pushback-ms");

/// The ticket of a request that arrived at `arrival`. Headers that cannot be parsed are ignored.
pub fn ticket(headers: &HeaderMap, arrival: Instant) -> Ticket {
    let timeout = headers.get(TIMEOUT).and_then(timeout);
    let deadline = timeout.and_then(|timeout| arrival.checked_add(timeout));
    Ticket::new().deadline(deadline).class(class(headers))
}

/// The class that the header `priority: u=0…7` asks for (RFC 9218); the default class if the header is missing or wrong.
pub fn class(headers: &HeaderMap) -> Class {
    let value = headers.get(PRIORITY).and_then(|value| value.to_str().ok());
    value.and_then(urgency).unwrap_or_default()
}

/// The ticket of a request that its handler has just received: the deadline counts from now.
pub fn ticket_of<T>(request: &tonic::Request<T>) -> Ticket {
    ticket(request.metadata().as_ref(), Instant::now())
}

/// The duration in a `grpc-timeout` header: 1 to 8 digits and a unit of H, M, S, m, u or n (PROTOCOL-HTTP2.md, "Timeout").
/// `None` if the value has another form.
pub fn timeout(value: &HeaderValue) -> Option<Duration> {
    let text = value.to_str().ok()?;
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

/// The class from the member `u` of a `priority` header such as `u=1, i`.
fn urgency(text: &str) -> Option<Class> {
    let value = text.split(',').find_map(|member| member.trim().strip_prefix("u="))?;
    Class::new(value.split(';').next()?.trim().parse().ok()?)
}

/// The outcome that the `grpc-status` in a response's headers or trailers means; `None` without a `grpc-status`.
pub fn outcome(headers: &HeaderMap) -> Option<Outcome> {
    let status = headers.get(STATUS)?;
    Some(match Code::from_bytes(status.as_bytes()) {
        Code::Ok => Outcome::Success,
        Code::DeadlineExceeded => Outcome::Expired,
        Code::Cancelled => Outcome::Cancelled,
        Code::ResourceExhausted | Code::Unavailable => Outcome::Overload,
        _ => Outcome::Failure,
    })
}

/// The value of [`PUSHBACK`] for a time to wait: whole milliseconds, at least 1.
///
/// HPACK keeps no copy of it. Each rejection has another value, and they would displace all other headers from its table.
pub fn pushback(wait: Duration) -> HeaderValue {
    let mut value = HeaderValue::from(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX).max(1));
    value.set_sensitive(true);
    value
}

impl From<Rejected> for Status {
    fn from(rejected: Rejected) -> Self {
        let mut status = Self::resource_exhausted(rejected.to_string());
        status
            .metadata_mut()
            .as_mut()
            .insert(PUSHBACK, pushback(rejected.retry_after));
        status
    }
}

/// The response to a rejected request: RESOURCE_EXHAUSTED, in the headers.
pub(super) fn refusal<B>(rejected: Rejected, body: B) -> Response<B> {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    headers.insert(STATUS, HeaderValue::from_static("8"));
    // The messages have no character that needs an escape.
    headers.insert(MESSAGE, HeaderValue::from_static(rejected.reason.message()));
    headers.insert(PUSHBACK, pushback(rejected.retry_after));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_timeouts_as_grpc_writes_them() {
        let read = |text: &str| timeout(&HeaderValue::from_bytes(text.as_bytes()).unwrap());
        assert_eq!(read("2H"), Some(Duration::from_secs(7200)));
        assert_eq!(read("3M"), Some(Duration::from_secs(180)));
        assert_eq!(read("99999999S"), Some(Duration::from_secs(99_999_999)));
        assert_eq!(read("250m"), Some(Duration::from_millis(250)));
        assert_eq!(read("7u"), Some(Duration::from_micros(7)));
        assert_eq!(read("0n"), Some(Duration::ZERO));
        for wrong in ["", "m", "1", "123456789m", "-1m", "1.5S", "1s", "1é", "+1S", "１S"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn reads_the_urgency_of_rfc_9218() {
        assert_eq!(urgency("u=0"), Class::new(0));
        assert_eq!(urgency("i, u=7"), Class::new(7));
        assert_eq!(urgency("u=5;x=1"), Class::new(5));
        for wrong in ["", "i", "u=8", "u=-1", "u=a", "urgency=1"] {
            assert_eq!(urgency(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_status_is_an_outcome() {
        let of = |status| {
            let mut headers = HeaderMap::new();
            headers.insert(STATUS, HeaderValue::from_static(status));
            outcome(&headers)
        };
        assert_eq!(of("0"), Some(Outcome::Success));
        assert_eq!(of("4"), Some(Outcome::Expired));
        assert_eq!(of("14"), Some(Outcome::Overload));
        assert_eq!(of("3"), Some(Outcome::Failure));
        assert_eq!(outcome(&HeaderMap::new()), None);
    }
}
