//! Overload control for tower and tonic services: how many requests run at once, which of the others wait, in which order,
//! and which are rejected.
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
