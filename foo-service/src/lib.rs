//! FooService: one pool of workers behind two RPCs, `Enqueue` (fire-and-forget) and `Process` (synchronous).
//!
//! The modules stand in the order in which data flows; a module imports only from modules below it
//! (`architecture/tests/rules.rs` checks this).

#![warn(clippy::unwrap_used)]

pub mod app;

pub mod health;
pub mod tls;

pub mod config;
pub mod rpc;

pub mod admin;

pub mod enqueue;
pub mod process;

pub mod turns;

pub mod workers;

pub mod work;

pub mod metrics;

pub mod ledger;

pub mod lifecycle;

pub mod role;

pub mod accepting;
pub mod log;

pub mod permits;

pub mod job;
