//! How a send ended: a closed set. The lowest module.

/// How a send that was made ended, as its client saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// Answered with OK.
    Ok,
    /// The service refused it for want of room, and said so itself.
    Rejected,
    /// Its deadline passed.
    Expired,
    /// The service could not be reached, went away, or is draining.
    Unavailable,
    /// Any other answer than OK.
    Failed,
}

impl Outcome {
    /// All, in the order of their discriminants.
    pub const ALL: [Self; 5] = [Self::Ok, Self::Rejected, Self::Expired, Self::Unavailable, Self::Failed];

    /// Its name in reports and metrics.
    pub fn label(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Rejected => "rejected",
            Self::Expired => "expired",
            Self::Unavailable => "unavailable",
            Self::Failed => "failed",
        }
    }
}
