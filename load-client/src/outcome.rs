//! How a request ended, and with which status: two closed sets.
//!
//! A new outcome needs a variant here, its columns in `ledger/requests.rs`, and in `call/mod.rs` the answers that mean it. Tables,
//! pages, gates, metrics and the live view follow from these.

use strum::{EnumCount, EnumString, IntoStaticStr, VariantArray};

/// How a request ended, as its client saw it. In reports, metrics and gates it has its name in snake case.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, EnumCount, EnumString, IntoStaticStr, VariantArray,
)]
#[strum(serialize_all = "snake_case")]
pub enum Outcome {
    /// Answered with OK.
    Ok,
    /// The service itself rejected it, because it had no room.
    Rejected,
    /// The deadline passed before the answer.
    Expired,
    /// The service could not be reached, went away, or is draining.
    Unavailable,
    /// Any other answer than OK.
    Failed,
    /// Not sent: the client itself held it back ([`crate::policy`]).
    Throttled,
}

impl Outcome {
    /// All outcomes, in the order of their discriminants.
    pub const ALL: [Self; Self::COUNT] = *Self::VARIANTS
        .first_chunk()
        .expect("there are as many variants as are counted");

    /// The name in reports and metrics.
    pub fn label(self) -> &'static str {
        self.into()
    }
}

/// The status of an answer, as gRPC names and numbers them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, EnumCount, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
#[expect(missing_docs, reason = "gRPC documents them")]
pub enum StatusCode {
    Ok,
    Cancelled,
    Unknown,
    InvalidArgument,
    DeadlineExceeded,
    NotFound,
    AlreadyExists,
    PermissionDenied,
    ResourceExhausted,
    FailedPrecondition,
    Aborted,
    OutOfRange,
    Unimplemented,
    Internal,
    Unavailable,
    DataLoss,
    Unauthenticated,
}

impl StatusCode {
    /// All statuses, in the order of their numbers.
    pub const ALL: [Self; Self::COUNT] = *Self::VARIANTS
        .first_chunk()
        .expect("there are as many variants as are counted");

    /// The name as gRPC writes it, like `NOT_FOUND`.
    pub fn label(self) -> &'static str {
        self.into()
    }
}

impl From<tonic::Code> for StatusCode {
    fn from(code: tonic::Code) -> Self {
        Self::ALL[code as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_the_name_of_its_number() {
        for (number, status) in (0..).zip(StatusCode::ALL) {
            let code = tonic::Code::from_i32(number);
            assert_eq!(StatusCode::from(code), status);
            assert_eq!(status.label().replace('_', ""), format!("{code:?}").to_uppercase());
        }
        assert_eq!(StatusCode::from(tonic::Code::from_i32(17)), StatusCode::Unknown);
    }

    #[test]
    fn every_outcome_has_the_place_of_its_discriminant_and_is_read_by_its_name() {
        for (place, outcome) in Outcome::ALL.into_iter().enumerate() {
            assert_eq!(outcome as usize, place);
            assert_eq!(outcome.label().parse(), Ok(outcome));
        }
    }
}
