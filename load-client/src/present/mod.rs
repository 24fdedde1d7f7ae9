//! The report as people and programs read it: tables, sentences, a page, JSON, CSV. It has no I/O of its own: each function
//! returns text, or writes into a writer that it is given.

pub(crate) mod attempts;
pub mod changes;
mod classes;
mod columns;
pub mod conditions;
mod differences;
mod distributions;
mod ends;
pub mod gates;
pub(crate) mod grid;
pub mod html;
pub mod json;
pub mod knee;
pub mod layout;
mod picture;
pub mod rules;
pub mod series;
pub mod svg;
pub mod sweep;
pub mod table;
pub(crate) mod theory;
pub mod verdict;
pub mod words;
