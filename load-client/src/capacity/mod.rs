//! `load-client capacity` searches for the highest rate that a service holds. Each test is a run like any other;
//! [`crate::search`] chooses the next rate.

mod answer;
mod command;
mod find;
mod growth;
mod judge;

pub use self::{
    command::of_service,
    find::{Found, Lengths, Setting, find},
};
