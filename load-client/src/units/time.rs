//! Writes a single time. Each function is for one kind of place: how much room there is, and how exact the time must be.

use std::time::Duration;

use super::plain;

/// A time in a sentence or a cell, with two to three digits: 12 ms, 0.98 s, 13.4 s, 4.2 min, 1.5 h.
pub fn time(seconds: f64) -> String {
    match seconds {
        s if s < 0.000_95 => format!("{:.0} µs", s * 1e6),
        s if s < 0.009_95 => format!("{:.1} ms", s * 1e3),
        s if s < 0.099_5 => format!("{:.0} ms", s * 1e3),
        s if s < 9.995 => format!("{s:.2} s"),
        s if s < 300.0 => format!("{s:.1} s"),
        s if s < 3597.0 => format!("{:.1} min", s / 60.0),
        s => format!("{:.1} h", s / 3600.0),
    }
}

/// Like [`time()`]. In `virtual_time` the clock ticks once a millisecond, so no digit below the millisecond is shown.
pub fn time_on(virtual_time: bool, seconds: f64) -> String {
    if virtual_time && seconds < 0.009_95 {
        let least = if seconds > 0.0 { 1.0 } else { 0.0 };
        return format!("{:.0} ms", (seconds * 1e3).round().max(least));
    }
    time(seconds)
}

/// A time in at most seven columns, for a view whose columns are fixed.
pub fn compact_time(seconds: f64) -> String {
    match seconds {
        0.0 => "0".to_owned(),
        s if s < 0.000_95 => format!("{:.0} µs", s * 1e6),
        s if s < 0.009_95 => format!("{:.1} ms", s * 1e3),
        s if s < 0.995 => format!("{:.0} ms", s * 1e3),
        s if s < 9.95 => format!("{s:.1} s"),
        s if s < 119.5 => format!("{s:.0} s"),
        s if s < 7200.0 => format!("{:.0} min", s / 60.0),
        s => format!("{:.1} h", s / 3600.0),
    }
}

/// A round time at a tick of an axis, without zeros at its end: 500 µs, 20 ms, 1 s, 40 min.
pub fn round_time(seconds: f64) -> String {
    match seconds {
        0.0 => "0 s".to_owned(),
        s if s < 0.000_999 => format!("{} µs", plain(s * 1e6)),
        s if s < 0.999 => format!("{} ms", plain(s * 1e3)),
        s if s < 120.0 => format!("{} s", plain(s)),
        s if s < 7200.0 => format!("{} min", plain(s / 60.0)),
        s => format!("{} h", plain(s / 3600.0)),
    }
}

/// A tick of an axis of time whose ticks are `step` seconds apart, in the unit of the step.
pub fn tick_time(seconds: f64, step: f64) -> String {
    let (unit, name) = match step {
        step if step >= 3600.0 => (3600.0, "h"),
        step if step >= 60.0 => (60.0, "min"),
        _ => (1.0, "s"),
    };
    format!("{} {name}", plain(seconds / unit))
}

/// A time beside its bound: to a tenth of a millisecond, from a second on to a hundredth of a second.
pub fn fine_time(seconds: f64) -> String {
    if seconds < 1.0 {
        format!("{:.1} ms", 1e3 * seconds)
    } else {
        format!("{seconds:.2} s")
    }
}

/// A time with four digits, and with more if rounding would move it to the other side of a bound: `is_true` says whether a
/// number of seconds is on the right side.
pub fn time_at_bound(time: Duration, is_true: impl Fn(f64) -> bool) -> String {
    let (unit, in_unit, value) = match time.as_secs_f64() {
        s if s < 0.001 => ("µs", 1e6, s * 1e6),
        s if s < 1.0 => ("ms", 1e3, s * 1e3),
        s => ("s", 1.0, s),
    };
    let least = match value {
        v if v < 9.9995 => 3,
        v if v < 99.995 => 2,
        v if v < 999.95 => 1,
        _ => 0,
    };
    let texts = (least..=9).map(|digits| format!("{value:.digits$}"));
    let mut texts = texts.skip_while(|text| text.parse().is_ok_and(|rounded: f64| !is_true(rounded / in_unit)));
    format!("{} {unit}", texts.next().unwrap_or_else(|| value.to_string()))
}

/// A time on the clock of a run: 12.4 s, 5:07, 1:02:03.
pub fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        ..120 => format!("{:.1} s", time.as_secs_f64()),
        120..3600 => format!("{}:{:02}", seconds / 60, seconds % 60),
        _ => format!("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_keep_two_to_three_digits() {
        let shown: Vec<_> = [0.000_2, 0.002_1, 0.012, 0.25, 1.0, 60.04, 3600.0, 7200.0]
            .map(time)
            .into();
        assert_eq!(
            shown,
            [
                "200 µs", "2.1 ms", "12 ms", "0.25 s", "1.00 s", "60.0 s", "1.0 h", "2.0 h"
            ]
        );
    }

    #[test]
    fn a_clock_that_ticks_once_a_millisecond_knows_nothing_below_it() {
        let shown = [0.0, 0.000_893, 0.001_6, 0.25].map(|seconds| time_on(true, seconds));
        assert_eq!(shown, ["0 ms", "1 ms", "2 ms", "0.25 s"]);
        assert_eq!(time_on(false, 0.000_893), "893 µs");
    }

    #[test]
    fn a_compact_time_is_never_wider_than_seven_columns() {
        let mut seconds = 0.000_001_f64;
        while seconds < 1e6 {
            let words = compact_time(seconds);
            assert!(words.chars().count() <= 7, "{words}");
            seconds *= 1.07;
        }
    }

    #[test]
    fn a_time_at_a_bound_has_as_many_digits_as_tell_it_from_the_bound() {
        let shown = |micros| time_at_bound(Duration::from_micros(micros), |seconds| seconds > 1.0);
        assert_eq!([1_250_000, 1_000_040].map(shown), ["1.250 s", "1.00004 s"]);
        assert_eq!(time_at_bound(Duration::from_millis(155), |_| true), "155.0 ms");
    }

    #[test]
    fn the_clock_of_a_run_reads_as_one() {
        let shown = [12.44, 307.0, 3723.0].map(|seconds| clock(Duration::from_secs_f64(seconds)));
        assert_eq!(shown, ["12.4 s", "5:07", "1:02:03"]);
    }
}
