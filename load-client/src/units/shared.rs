//! One unit for times that a reader compares.

/// A unit for times that stand beside or below each other. All are written in it, with as many decimals as give the smallest
/// time two digits, but at most three decimals.
#[derive(Debug, Clone, Copy)]
pub struct SharedUnit {
    name: &'static str,
    in_seconds: f64,
    digits: usize,
}

impl SharedUnit {
    /// The unit that fits these values, in seconds. `virtual_time`: no value has a digit below the millisecond.
    pub fn of(values: impl IntoIterator<Item = f64>, virtual_time: bool) -> Self {
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

    /// A time, given in seconds, in this unit and with the unit's name.
    pub fn show(self, seconds: f64) -> String {
        let value = format!("{:.digits$}", seconds / self.in_seconds, digits = self.digits);
        let rounded_away = seconds > 0.0 && value.bytes().all(|byte| matches!(byte, b'0' | b'.'));
        if rounded_away {
            let least = 10_f64.powi(-i32::try_from(self.digits).unwrap_or(0));
            return format!("<{least:.digits$} {}", self.name, digits = self.digits);
        }
        format!("{value} {}", self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_that_are_compared_have_one_unit() {
        for (values, shown) in [
            (&[0.17, 0.087][..], &["170 ms", "87 ms"][..]),
            (&[0.25, 10.2, 20.15], &["0.25 s", "10.20 s", "20.15 s"]),
            (&[299.9, 594.0, 597.1], &["300 s", "594 s", "597 s"]),
            (&[299.9, 804.0], &["5.0 min", "13.4 min"]),
            (&[0.000_041, 0.023_1], &["0.041 ms", "23.100 ms"]),
            (&[0.000_041, 0.000_9], &["41 µs", "900 µs"]),
            (&[0.000_041, 13.0], &["<0.001 s", "13.000 s"]),
        ] {
            let unit = SharedUnit::of(values.iter().copied(), false);
            let words: Vec<String> = values.iter().map(|value| unit.show(*value)).collect();
            assert_eq!(words, shown);
        }
        let unit = SharedUnit::of([0.000_893, 0.25], true);
        assert_eq!([0.000_893, 0.25].map(|value| unit.show(value)), ["1 ms", "250 ms"]);
    }
}
