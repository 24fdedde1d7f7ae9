//! What was said when a request ended, for people.

use std::sync::Arc;

use crate::{outcome::StatusCode, plain};

/// What was said when a request ended. It becomes text only where it is shown, because rejections come by the thousand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// Nothing: the answer is OK, or there is none.
    Nothing,
    /// A status, with its message.
    Status(StatusCode, String),
    /// Why there was no connection.
    NotConnected(Arc<str>),
    /// Why there was no answer, or none that can be read.
    Broken(String),
}

impl Said {
    /// The text, visible and of bounded length; `None` if nothing was said.
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
