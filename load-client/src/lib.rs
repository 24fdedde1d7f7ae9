//! The load client: many clients that drive a gRPC service, here or on another machine, and an honest report of what
//! happened.
//!
//! The modules stand in the order in which data flows; a module imports only from modules below it
//! (`architecture/tests/rules.rs` checks that).

#![warn(clippy::unwrap_used)]
// `print!` and `eprint!` panic if their output is full or closed; `ui/console.rs` does not.
#![warn(clippy::print_stderr, clippy::print_stdout)]

#[cfg(feature = "embedded")]
pub mod selftest;

#[cfg(feature = "embedded")]
pub mod sweep;

pub mod capacity;
pub mod compare;
pub mod run;
pub mod saved;

pub mod health;

#[cfg(feature = "embedded")]
pub mod lab;

pub mod cli;

pub mod ui;

#[cfg(feature = "embedded")]
pub mod embedded;

pub mod measure;

pub mod observer;

pub mod fleet;

pub mod client;

pub mod call;

pub mod schema;

pub mod transport;

pub mod present;

pub mod gates;

pub mod verdict;

pub mod report;

pub mod audit;

pub mod metrics;

pub mod live;

pub mod recorder;

pub mod ledger;

pub mod effort;

pub mod arrival;

pub mod scenario;

pub mod policy;

pub mod theory;

pub mod search;

pub mod stop;

pub mod outcome;

pub mod input;

pub mod nearest;

pub mod plain;

pub mod units;
