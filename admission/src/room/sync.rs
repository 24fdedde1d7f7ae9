//! The lock and the shared pointer. The library's own tests run under loom, which tries every order of threads.

#[cfg(test)]
pub(super) use loom::sync::{Arc, Mutex, MutexGuard};
#[cfg(not(test))]
pub(super) use std::sync::{Arc, Mutex, MutexGuard};
