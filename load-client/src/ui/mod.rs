//! What a person at the terminal sees, and where a report goes: progress, the live view, standard output, report files, and
//! the metrics of a run over HTTP.

pub mod console;
pub mod file;
pub mod progress;
pub mod prometheus;
pub mod terminal;
pub mod view;
pub mod watched;
