//! Numbers with their units as people read them: times, bytes, counts and rates. Everything that writes a figure for a
//! person takes it from here, so that one figure looks the same on the terminal, in the table and on the page.

mod number;
mod shared;
mod time;

pub use self::{
    number::{KIB, bytes, compact_count, compact_rate, counted, plain},
    shared::SharedUnit,
    time::{clock, compact_time, fine_time, round_time, tick_time, time, time_at_bound, time_on},
};

/// Units that stay on the line of their number when a text is broken into lines.
pub const NAMES: [&str; 7] = ["µs", "ms", "s", "min", "h", "%", "MiB"];
