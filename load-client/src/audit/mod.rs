//! Follows every queued message from its send to its end, by the number it carries. So it counts exactly the messages
//! that were lost, done twice, or done without an acknowledgement. If the end of a message cannot be known, it counts
//! as unknown.
//!
//! The audit keeps an entry only while its message is open; a settled message leaves only a count. Two sides report to
//! it, in any order: the client that sends (sent, acknowledged, …), and the observer that receives completions.

mod closing;
mod entry;
mod follow;
#[cfg(test)]
mod tests;

pub use self::{
    closing::{Audited, Closing},
    entry::{End, Fate},
    follow::Audit,
};
