//! The queue in memory: it ends with the process.

mod lease;
mod queue;

pub use self::{lease::Lease, queue::Queue};
