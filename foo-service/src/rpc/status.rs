//! The one place where a refusal becomes a gRPC status.
//!
//! Under overload most answers are refusals, so they must cost little. A handler returns a status without text ([`of`]), because
//! tonic would encode the text anew for each call. The outermost layer then adds the text, which was encoded once ([`complete`]).

use std::{sync::LazyLock, time::Duration};

use http::{HeaderMap, HeaderName, HeaderValue, Response};
use tonic::{Code, Status, body::Body};
use tower_admission::grpc;

use crate::job::{Reason, RequestOutcome};

/// The text of a status.
const MESSAGE: HeaderName = HeaderName::from_static("grpc-message");

/// The texts of all reasons. They have no character that needs an escape.
static TEXTS: LazyLock<[HeaderValue; Reason::ALL.len()]> = LazyLock::new(|| {
    Reason::ALL.map(|reason| HeaderValue::from_str(&reason.to_string()).expect("a text without control characters"))
});

/// A refused call: the reason for the counts, and more details for the caller.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    /// A field has a wrong value.
    #[error("{field}: {reason}")]
    Invalid {
        /// The name of the field in foo.proto.
        field: &'static str,
        /// What is wrong with the field, and what would be right.
        reason: String,
    },
    /// A part of the call is larger than a limit for which gRPC prescribes a status.
    #[error("{field}: {reason}")]
    TooLarge {
        /// The part of the call that is too large.
        field: &'static str,
        /// How large it is, and what the limit is.
        reason: String,
    },
    /// The reason says everything.
    #[error(transparent)]
    For(#[from] Reason),
}

impl Refusal {
    /// The reason with which the refusal is counted.
    pub(super) fn reason(&self) -> Reason {
        match self {
            // The request is wrong; it is not rejected because there is no room.
            Self::Invalid { .. } | Self::TooLarge { .. } => Reason::Invalid,
            Self::For(reason) => *reason,
        }
    }
}

fn code(reason: Reason) -> Code {
    match reason.outcome() {
        RequestOutcome::Ok => Code::Ok,
        RequestOutcome::Rejected => Code::ResourceExhausted,
        RequestOutcome::Unavailable => Code::Unavailable,
        RequestOutcome::Expired => Code::DeadlineExceeded,
        RequestOutcome::Cancelled => Code::Cancelled,
        RequestOutcome::Invalid => Code::InvalidArgument,
        RequestOutcome::Failed => Code::Internal,
    }
}

/// The status of a refusal that a handler returns. It lacks the text of a [`Reason`]: [`complete`] adds it.
pub(super) fn of(refusal: &Refusal) -> Status {
    match refusal {
        Refusal::TooLarge { .. } => Status::new(Code::ResourceExhausted, refusal.to_string()),
        Refusal::Invalid { .. } => Status::new(code(Reason::Invalid), refusal.to_string()),
        Refusal::For(reason) => Status::new(code(*reason), ""),
    }
}

/// Adds to the headers of a refusal for `reason` the text, if they have none, and the time to wait before a retry.
pub(super) fn complete(headers: &mut HeaderMap, reason: Reason, retry_after: Option<Duration>) {
    headers.entry(MESSAGE).or_insert_with(|| TEXTS[reason as usize].clone());
    if let Some(wait) = retry_after {
        headers.insert(grpc::PUSHBACK, grpc::pushback(wait));
    }
}

/// The whole answer to a call that a layer refuses, not a handler.
pub(super) fn answer(refusal: &Refusal) -> Response<Body> {
    let mut answer = of(refusal).into_http();
    complete(answer.headers_mut(), refusal.reason(), None);
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_has_a_character_that_grpc_escapes() {
        // "Percent-Byte-Unencoded" of gRPC's PROTOCOL-HTTP2.md.
        for reason in Reason::ALL {
            let text = &TEXTS[reason as usize];
            assert_eq!(text.to_str().unwrap(), reason.to_string());
            assert!(
                !text.is_empty()
                    && text
                        .as_bytes()
                        .iter()
                        .all(|byte| (0x20..=0x7e).contains(byte) && *byte != b'%')
            );
        }
    }

    #[test]
    fn a_refusal_has_its_code_its_text_and_the_time_to_wait() {
        let mut answer = of(&Reason::Displaced.into()).into_http::<Body>();
        complete(answer.headers_mut(), Reason::Displaced, Some(Duration::from_millis(70)));
        let headers = answer.headers();
        assert_eq!(headers["grpc-status"], "8");
        assert_eq!(
            headers["grpc-message"],
            "no room: a newer request took the place of this one"
        );
        assert_eq!(headers["grpc-retry-pushback-ms"], "70");
        assert!(headers["grpc-retry-pushback-ms"].is_sensitive(), "HPACK keeps no copy");
    }

    #[test]
    fn a_text_that_names_a_field_stays() {
        let refusal = Refusal::Invalid {
            field: "message.id",
            reason: "is 50% too long".into(),
        };
        let answer = answer(&refusal);
        assert_eq!(answer.headers()["grpc-status"], "3");
        assert_eq!(
            answer.headers()["grpc-message"],
            "message.id:%20is%2050%25%20too%20long"
        );
        assert!(!answer.headers().contains_key("grpc-retry-pushback-ms"));
    }
}
