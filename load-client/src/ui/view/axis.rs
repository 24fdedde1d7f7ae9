//! Round numbers for axes, and short words for values: never wider than [`WIDTH`], so that nothing moves as they change.

use std::time::Duration;

use crate::units::{compact_count, compact_rate, compact_time};

/// The width of the widest value, in columns.
pub(super) const WIDTH: u16 = 7;

/// The possible distances between two ticks of the time axis, in seconds.
const TIME_STEPS: [f64; 16] = [
    1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0, 7200.0, 21600.0, 43200.0, 86400.0,
];
/// The possible lengths of a time axis, as multiples of the length of the load.
const REACH: [f64; 8] = [1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0, 6.0];
/// The length of a time axis at first, if the length of the load is not known.
const UNPLANNED: Duration = Duration::from_secs(30);

/// The unit of the values of a chart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    /// Times in seconds.
    Time,
    /// Numbers of messages.
    Count,
    /// Messages per second.
    Rate,
}

impl Unit {
    /// A value as text, with two or three digits.
    pub(super) fn words(self, value: f64) -> String {
        match self {
            Self::Time => compact_time(value),
            Self::Count => compact_count(value),
            Self::Rate => format!("{}/s", compact_rate(value)),
        }
    }

    /// The upper end of an axis for values up to `highest`: a round number, so that it rarely changes.
    pub(super) fn top(self, highest: f64) -> f64 {
        let least = match self {
            Self::Time => 0.001,
            Self::Count => 2.0,
            Self::Rate => 1.0,
        };
        let highest = highest.max(least);
        if self == Self::Time && highest > 50.0 {
            let beyond = TIME_STEPS.into_iter().find(|step| *step >= highest);
            return beyond.unwrap_or_else(|| (highest / 86400.0).ceil() * 86400.0);
        }
        let decade = 10_f64.powf(highest.log10().floor());
        let steps = [1.0, 2.0, 5.0, 10.0].map(|step| step * decade);
        // A little more, to allow for rounding errors.
        steps
            .into_iter()
            .find(|top| *top * 1.000_001 >= highest)
            .unwrap_or(highest)
    }
}

/// The end of a time axis, in seconds: at first the planned end of the load, and later the first of some fixed
/// multiples of it that is not before `elapsed`.
pub(super) fn span(planned: Option<Duration>, elapsed: Duration) -> f64 {
    let first = planned.filter(|planned| !planned.is_zero()).unwrap_or(UNPLANNED);
    let mut reach = REACH.into_iter().map(|lengths| first.as_secs_f64() * lengths);
    let elapsed = elapsed.as_secs_f64();
    reach.find(|end| *end >= elapsed).unwrap_or_else(|| {
        let mut end = first.as_secs_f64() * 8.0;
        while end < elapsed {
            end *= 2.0;
        }
        end
    })
}

/// The ticks of a time axis that ends at `end`: each a time in seconds and its label. Between them are at most `most`
/// steps.
pub(super) fn ticks(end: f64, most: usize) -> Vec<(f64, String)> {
    let coarsest = TIME_STEPS[TIME_STEPS.len() - 1];
    let fits = |step: &f64| end / step <= most.max(1) as f64;
    let step = TIME_STEPS.into_iter().find(fits).unwrap_or_else(|| {
        let days = end / coarsest / most.max(1) as f64;
        days.ceil() * coarsest
    });
    let mut ticks = Vec::new();
    let mut at = 0.0;
    while at <= end * 1.000_001 {
        let words = match at {
            0.0 => "0".to_owned(),
            s if step < 60.0 => format!("{s:.0} s"),
            s if step < 3600.0 => format!("{:.0} min", s / 60.0),
            s => format!("{:.0} h", s / 3600.0),
        };
        ticks.push((at, words));
        at += step;
    }
    ticks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_value_is_wider_than_there_is_room_for() {
        let mut value = 0.000_001_f64;
        while value < 1e9 {
            for unit in [Unit::Time, Unit::Count, Unit::Rate] {
                let words = unit.words(value.min(1e6));
                assert!(words.chars().count() <= WIDTH.into(), "{words}");
            }
            value *= 1.07;
        }
    }

    #[test]
    fn an_axis_ends_at_a_round_number_beyond_everything() {
        let tops = [0.3, 1.0, 2.1, 17.0, 240.0].map(|highest| Unit::Count.top(highest).to_string());
        assert_eq!(tops, ["2", "2", "5", "20", "500"]);
        let tops = [0.0, 0.26, 1.0, 31.0, 61.0, 200_000.0].map(|highest| Unit::Time.top(highest).to_string());
        assert_eq!(tops, ["0.001", "0.5", "1", "50", "120", "259200"]);
    }

    #[test]
    fn a_time_axis_reaches_the_planned_end_and_grows_in_strides() {
        let planned = Some(Duration::from_secs(20));
        let ends = [0, 20, 21, 26, 41, 1000].map(|elapsed| span(planned, Duration::from_secs(elapsed)).to_string());
        assert_eq!(ends, ["20", "20", "25", "30", "50", "1280"]);
        assert_eq!(span(None, Duration::ZERO).to_string(), "30");
        assert_eq!(span(Some(Duration::ZERO), Duration::ZERO).to_string(), "30");
    }

    #[test]
    fn ticks_are_round_and_fit() {
        let words = |end, most| -> Vec<String> { ticks(end, most).into_iter().map(|(_, words)| words).collect() };
        assert_eq!(words(15.0, 6), ["0", "5 s", "10 s", "15 s"]);
        assert_eq!(words(600.0, 5), ["0", "2 min", "4 min", "6 min", "8 min", "10 min"]);
        assert!(words(1e8, 4).len() <= 5);
        assert_eq!(words(0.5, 4), ["0"]);
    }
}
