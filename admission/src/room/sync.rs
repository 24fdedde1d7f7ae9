//! `Arc` and `Mutex`: from the standard library, and in this crate's unit tests from loom, which tries orders of threads.

#[cfg(test)]
pub(super) use loom::sync::{Arc, Mutex, MutexGuard};
#[cfg(not(test))]
pub(super) use std::sync::{Arc, Mutex, MutexGuard};
