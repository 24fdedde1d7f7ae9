//! Times for people: one by itself, or many that are compared and so have one unit.

use super::grid::MISSING;
pub use crate::span::time;

/// Seconds as [`time`] writes them, of a clock that ticks once a millisecond, if it is `virtual_time`: with no digit that it cannot know.
pub fn time_on(virtual_time: bool, seconds: f64) -> String {
    if virtual_time && seconds < 0.009_95 {
        let least = if seconds > 0.0 { 1.0 } else { 0.0 };
        return format!("{:.0} ms", (seconds * 1e3).round().max(least));
    }
    time(seconds)
}

/// How times that stand beside or below each other are written: all in the same unit, with as many digits as two of the
/// smallest take, but at most three.
#[derive(Debug, Clone, Copy)]
pub(super) struct Unit {
    name: &'static str,
    in_seconds: f64,
    digits: usize,
}

impl Unit {
    /// The one that fits these values; `virtual_time`: none of them has a digit below the millisecond.
    pub(super) fn of(values: impl IntoIterator<Item = f64>, virtual_time: bool) -> Self {
        let known = values.into_iter().filter(|value| value.is_finite() && *value > 0.0);
        let ends = known.fold(None, |ends: Option<(f64, f64)>, value| {
            Some(ends.map_or((value, value), |(least, most)| (least.min(value), most.max(value))))
        });
        let (least, most) = ends.unwrap_or((1.0, 1.0));
        let (name, in_seconds) = match most {
            most if most >= 600.0 && least >= 60.0 => ("min", 60.0),
            most if most >= 10.0 || (most >= 1.0 && least >= 0.01) => ("s", 1.0),
            most if most >= 0.001 || virtual_time => ("ms", 1e-3),
            _ => ("µs", 1e-6),
        };
        let finest = match (name, virtual_time) {
            ("µs", _) | ("ms", true) => 0,
            ("min", _) => 1,
            _ => 3,
        };
        let digits = match least / in_seconds {
            value if value >= 9.95 => 0,
            value if value >= 0.995 => 1,
            value if value >= 0.0995 => 2,
            _ => 3,
        };
        Self {
            name,
            in_seconds,
            digits: digits.min(finest),
        }
    }

    /// One of them.
    pub(super) fn show(self, seconds: f64) -> String {
        let value = format!("{:.digits$}", seconds / self.in_seconds, digits = self.digits);
        let rounded_away = seconds > 0.0 && value.bytes().all(|byte| matches!(byte, b'0' | b'.'));
        if rounded_away {
            let least = 10_f64.powi(-i32::try_from(self.digits).unwrap_or(0));
            return format!("<{least:.digits$} {}", self.name, digits = self.digits);
        }
        format!("{value} {}", self.name)
    }
}

/// A column of times in one unit.
pub(super) fn column(values: &[Option<f64>], virtual_time: bool) -> Vec<String> {
    let unit = Unit::of(values.iter().copied().flatten(), virtual_time);
    let cells = values.iter();
    cells
        .map(|value| value.map_or_else(|| MISSING.to_owned(), |value| unit.show(value)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_ticks_once_a_millisecond_knows_nothing_below_it() {
        let shown = [0.0, 0.000_893, 0.001_6, 0.25].map(|seconds| time_on(true, seconds));
        assert_eq!(shown, ["0 ms", "1 ms", "2 ms", "0.25 s"]);
        assert_eq!(time_on(false, 0.000_893), "893 µs");
    }

    #[test]
    fn a_column_has_one_unit() {
        for (values, shown) in [
            (&[0.17, 0.087][..], &["170 ms", "87 ms"][..]),
            (&[0.25, 10.2, 20.15], &["0.25 s", "10.20 s", "20.15 s"]),
            (&[299.9, 594.0, 597.1], &["300 s", "594 s", "597 s"]),
            (&[299.9, 804.0], &["5.0 min", "13.4 min"]),
            (&[0.000_041, 0.023_1], &["0.041 ms", "23.100 ms"]),
            (&[0.000_041, 0.000_9], &["41 µs", "900 µs"]),
            (&[0.000_041, 13.0], &["<0.001 s", "13.000 s"]),
        ] {
            let values: Vec<Option<f64>> = values.iter().copied().map(Some).collect();
            assert_eq!(column(&values, false), shown);
        }
        assert_eq!(
            column(&[Some(0.000_893), Some(0.25), None], true),
            ["1 ms", "250 ms", "–"]
        );
    }
}
