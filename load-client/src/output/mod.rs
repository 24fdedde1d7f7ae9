//! What people and programs get to see: progress while it runs, a table and words at the end, JSON, a page for
//! a browser, live metrics.

pub mod changes;
pub mod console;
pub mod file;
pub mod gates;
pub(crate) mod grid;
pub mod html;
pub mod json;
pub mod layout;
mod picture;
pub mod progress;
pub mod prometheus;
pub mod series;
pub mod table;
pub mod times;
pub mod view;
pub mod words;
