//! Overload control for tower and tonic services: how many requests run at once, which of the others wait, in which order,
//! and which are rejected.
//!
//! A service that is offered more than it can do, and does not choose, answers every request too late. This crate chooses:
//! it lets as many requests run as bring further answers, lets those wait that can still be answered in time, and rejects the
//! others at once, with the time after which a retry makes sense. It needs no tuning: it works with the deadlines of the
//! callers and with the service times that it observes.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! use tower_admission::{limit::Outcome, room::{Admission, Ticket}};
//!
//! // 4 requests at once. Which ones wait, and how long, follows from their deadlines.
//! let admission = Admission::builder().workers(4).build();
//! match admission.enter(Ticket::new()).await {
//!     Ok(permit) => {
//!         // … the work …
//!         permit.finish(Outcome::Success);
//!     }
//!     Err(rejected) => println!("{rejected}; try again in {:?}", rejected.retry_after),
//! }
//! # }
//! ```
//!
//! # Two ways in
//!
//! - **A layer** around the whole service: [`grpc::GrpcAdmissionLayer`] for tonic (feature `grpc`), [`layer::AdmissionLayer`] for
//!   any other tower service. Requests wait before their bodies are read. Exempt health checks, and streams that last.
//! - **[`Admission::enter`](room::Admission::enter)** inside a handler. Requests wait after they have been decoded, and only the
//!   methods wait that need the scarce resource. This is the better place for large requests and for streams.
//!
//! A [`Permit`](room::Permit) ends with an [`Outcome`](limit::Outcome). A permit that is dropped counts as cancelled, so a caller
//! that goes away gives its place back wherever it was.
//!
//! # Two questions
//!
//! - *How many requests run at once?* is the [concurrency limit](limit). The limit `auto` is the number of workers if that is known
//!   ([`Builder::workers`](room::Builder::workers)), and searches for it otherwise.
//! - *Which of the others wait, in which order, and which are rejected?* is the [waiting line](mod@line). The line `auto`
//!   serves the oldest request first, and the newest one while overload lasts. It rejects requests that cannot be answered in
//!   time. With [classes](room::Builder::classes) more urgent requests go first.
//!
//! The other limits and lines are well-known algorithms, each in a file of its own with its formula and its source.
//!
//! # Properties
//!
//! - The crate reads time from tokio's clock, so everything runs under a paused clock, and tests need no real time.
//! - A request that finds a free place takes one lock twice and allocates nothing. There is one place where requests wait, and
//!   [`Admission::status`](room::Admission::status) says how many.
//! - An [`Observe`](observe::Observe) is called for each admission, rejection and end, for metrics.
//! - A [`Controller`](controller::Controller) makes the same decisions without lock and clock, for simulations.
//!
//! The modules stand in the order in which data flows; a module imports only from modules below it.

#[cfg(feature = "grpc")]
pub mod grpc;

pub mod layer;

pub mod room;

pub mod observe;

pub mod controller;

pub mod line;

pub mod limit;

pub mod service_time;

/// Compiles and runs the code of docs/your-own-service.md as documentation tests.
#[cfg(all(doctest, feature = "grpc"))]
#[doc = include_str!("../../docs/your-own-service.md")]
pub struct YourOwnService;
