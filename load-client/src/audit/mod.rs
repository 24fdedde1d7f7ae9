//! Follows every queued message from its send to its end, by the number it carries. So it counts exactly the messages that
//! were lost, done twice, or done without having been acknowledged. If the end of a message cannot be known, it counts as
//! unknown.
//!
//! An entry is held only while its message is open; a settled message leaves only a count. Two sides write, in either
//! order: the client that sends (sent, acknowledged, …), and the observer that receives completions.

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
