//! Plain sentences about runs, from their figures alone. A sentence is written only if the figures prove it.

mod answered;
mod choice;
mod conclusion;
mod enqueued;
mod explained;
mod generator;
mod named;
mod parts;
#[cfg(test)]
pub(crate) mod samples;
#[cfg(test)]
mod tests;
mod withheld;

pub(super) use self::parts::percent;
pub use self::{
    choice::{Choice, choose},
    conclusion::conclude,
    explained::{explain, reasons},
    generator::{client_limited, generator, warning},
    named::{driven, label, method},
    withheld::unanswered,
};
