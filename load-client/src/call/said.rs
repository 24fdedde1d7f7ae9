//! The reason in words when a request has failed, for people.

use std::sync::Arc;

use crate::{outcome::StatusCode, plain};

/// The reason that a request failed. It becomes text only when it is shown, because there may be thousands of
/// rejections.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// There is no reason: the answer is OK, the client's deadline passed, or the request was not sent.
    Nothing,
    /// The status of the answer, with its message.
    Status(StatusCode, String),
    /// The reason that there was no connection.
    NotConnected(Arc<str>),
    /// The reason that there was no answer, or that it could not be read.
    Broken(String),
}

impl Said {
    /// The reason as text of bounded length, with control characters escaped; `None` if there is no reason.
    pub fn text(&self) -> Option<String> {
        match self {
            Self::Nothing => None,
            Self::Status(status, message) if message.is_empty() => Some(status.label().to_owned()),
            Self::Status(status, message) => Some(format!("{}: {}", status.label(), plain::word(message))),
            Self::NotConnected(reason) => Some(plain::word(reason)),
            Self::Broken(reason) => Some(plain::word(reason)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_has_its_status_in_front_and_is_fit_for_a_terminal() {
        let said = |message: &str| Said::Status(StatusCode::ResourceExhausted, message.to_owned()).text();
        assert_eq!(
            said("the queue is full").unwrap(),
            "RESOURCE_EXHAUSTED: the queue is full"
        );
        assert_eq!(said("full\n\u{1b}").unwrap(), r"RESOURCE_EXHAUSTED: full\n\u{1b}");
        assert_eq!(said("").unwrap(), "RESOURCE_EXHAUSTED");
        assert!(said(&"x".repeat(10_000)).unwrap().len() < 1000);
        assert_eq!(Said::Nothing.text(), None);
        assert_eq!(Said::NotConnected("refused".into()).text().unwrap(), "refused");
        assert_eq!(Said::Broken("not\rgRPC".to_owned()).text().unwrap(), r"not\rgRPC");
    }
}
