//! Pushback: what a service says about retries, in the metadata `grpc-retry-pushback-ms` of gRFC A6.

use std::time::Duration;

/// The name of the metadata.
pub const PUSHBACK: &str = "grpc-retry-pushback-ms";

/// What a service says about another attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pushback {
    /// The next attempt must wait this long after the answer.
    After(Duration),
    /// The service wants no further attempt.
    Never,
}

impl Pushback {
    /// Reads the value of the metadata: milliseconds. A negative value means never, and so does one that is not a number, as
    /// gRFC A6 says.
    pub fn read(value: &[u8]) -> Self {
        let text = std::str::from_utf8(value).ok();
        let millis = text.and_then(|text| text.trim().parse::<i32>().ok());
        match millis.map(u64::try_from) {
            Some(Ok(millis)) => Self::After(Duration::from_millis(millis)),
            _ => Self::Never,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_kept_and_everything_else_means_never() {
        assert_eq!(Pushback::read(b"200"), Pushback::After(Duration::from_millis(200)));
        assert_eq!(Pushback::read(b"0"), Pushback::After(Duration::ZERO));
        for never in [&b"-1"[..], b"", b"soon", b"99999999999", b"\xff"] {
            assert_eq!(Pushback::read(never), Pushback::Never, "{never:?}");
        }
    }
}
