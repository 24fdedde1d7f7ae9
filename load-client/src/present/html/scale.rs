//! Converts values into places in a chart, and chooses the ticks of an axis.

use crate::units::{KIB, bytes, plain, round_time, tick_time};

/// The unit of a value, which decides how the value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    /// A number per second.
    Rate,
    /// A number of messages.
    Count,
    /// Bytes of memory.
    Bytes,
    /// A duration, in seconds.
    Seconds,
}

/// Converts a value into its place between the ends of an axis.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Scale {
    /// A linear scale, from 0 to this value.
    Linear(f64),
    /// A logarithmic scale, from one power of ten to another, by their exponents. Smaller values are at the lower end.
    Log(i32, i32),
}

/// A place on an axis, and its label.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tick {
    /// The place, from 0 to 1.
    pub(super) place: f64,
    pub(super) label: String,
}

impl Scale {
    /// A linear scale, from 0 to a little over the highest value.
    pub(super) fn linear(highest: f64, unit: Unit) -> Self {
        let highest = if highest > 0.0 { highest } else { 1.0 };
        let step = step(highest, unit);
        Self::Linear((highest * 1.02 / step).ceil() * step)
    }

    /// A logarithmic scale, between the powers of ten around all values over 0.
    pub(super) fn log(values: impl Iterator<Item = f64>) -> Self {
        let positive = values.filter(|value| *value > 0.0);
        let (low, high) = positive.fold((f64::INFINITY, 0.0_f64), |(low, high), value| {
            (low.min(value), high.max(value))
        });
        if high == 0.0 {
            return Self::Log(-3, 0);
        }
        let (low, high) = (power(low.log10().floor()), power(high.log10().ceil()));
        Self::Log(low, high.max(low + 1))
    }

    /// The place of a value, from 0 to 1.
    pub(super) fn place(self, value: f64) -> f64 {
        match self {
            Self::Linear(end) => (value / end).clamp(0.0, 1.0),
            Self::Log(low, high) => ((value.log10() - f64::from(low)) / f64::from(high - low)).clamp(0.0, 1.0),
        }
    }

    /// A few ticks, at round values.
    pub(super) fn ticks(self, unit: Unit) -> Vec<Tick> {
        let tick = |value: f64| Tick {
            place: self.place(value),
            label: round(value, unit),
        };
        match self {
            Self::Linear(end) => {
                let step = step(end / 1.02, unit);
                multiples(step, end).map(tick).collect()
            }
            Self::Log(low, high) => {
                let parts: &[f64] = if high - low > 2 { &[1.0] } else { &[1.0, 2.0, 5.0] };
                let every = if high - low > 6 { 2 } else { 1 };
                let decades = (low..=high).filter(|decade| (decade - low) % every == 0);
                let values = decades.flat_map(|decade| parts.iter().map(move |part| part * 10_f64.powi(decade)));
                values
                    .filter(|value| *value <= 10_f64.powi(high) * 1.001)
                    .map(tick)
                    .collect()
            }
        }
    }
}

/// Round steps of an axis of time, in seconds.
const STEPS: [f64; 19] = [
    0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 1800.0, 3600.0, 7200.0, 14400.0,
    43200.0,
];

/// The ticks of an axis of time that ends at `end` seconds: at round values, in at most ten steps.
pub(super) fn time_ticks(end: f64) -> Vec<Tick> {
    let few = |step: &f64| end / step <= 10.0;
    // A longer axis has steps of whole days.
    let step = STEPS
        .into_iter()
        .find(few)
        .unwrap_or_else(|| (end / 864_000.0).ceil() * 86400.0);
    multiples(step, end)
        .map(|value| Tick {
            place: value / end,
            label: tick_time(value, step),
        })
        .collect()
}

/// The step between two ticks: the first round value from a fourth of the highest value on.
fn step(highest: f64, unit: Unit) -> f64 {
    if unit == Unit::Seconds && highest > 40.0 {
        let enough = |step: &f64| step * 4.0 >= highest;
        return STEPS
            .into_iter()
            .find(enough)
            .unwrap_or_else(|| (highest / 345_600.0).ceil() * 86400.0);
    }
    let base = match unit {
        Unit::Bytes => KIB.powf((highest.max(1.0).ln() / KIB.ln()).floor()),
        _ => 1.0,
    };
    let raw = highest / 4.0 / base;
    let decade = 10_f64.powf(raw.log10().floor());
    let part = [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .find(|part| part * decade >= raw * 0.999);
    let step = part.unwrap_or(10.0) * decade * base;
    // There is no half of a message.
    if unit == Unit::Count { step.max(1.0) } else { step }
}

fn multiples(step: f64, end: f64) -> impl Iterator<Item = f64> {
    (0_u32..)
        .map(move |index| f64::from(index) * step)
        .take_while(move |value| *value <= end * 1.001)
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the logarithm of a float is a small number"
)]
fn power(exponent: f64) -> i32 {
    exponent as i32
}

/// A round value in few characters.
fn round(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Rate | Unit::Count => plain(value),
        Unit::Bytes => bytes(value),
        Unit::Seconds => round_time(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(ticks: &[Tick]) -> Vec<&str> {
        ticks.iter().map(|tick| tick.label.as_str()).collect()
    }

    #[test]
    fn ticks_are_round_and_few() {
        let rates = Scale::linear(8.3, Unit::Rate);
        assert_eq!(labels(&rates.ticks(Unit::Rate)), ["0", "5", "10"]);
        let counts = Scale::linear(2.0, Unit::Count);
        assert_eq!(labels(&counts.ticks(Unit::Count)), ["0", "1", "2", "3"]);
        let memory = Scale::linear(23.0 * KIB * KIB, Unit::Bytes);
        assert_eq!(
            labels(&memory.ticks(Unit::Bytes)),
            ["0 B", "10 MiB", "20 MiB", "30 MiB"]
        );
        let times = |highest| Scale::linear(highest, Unit::Seconds);
        assert_eq!(
            labels(&times(0.5).ticks(Unit::Seconds)),
            ["0 s", "200 ms", "400 ms", "600 ms"]
        );
        assert_eq!(
            labels(&times(3590.0).ticks(Unit::Seconds)),
            ["0 s", "20 min", "40 min", "60 min", "80 min"]
        );
        assert_eq!(
            labels(&time_ticks(40.3)),
            ["0 s", "5 s", "10 s", "15 s", "20 s", "25 s", "30 s", "35 s", "40 s"]
        );
        assert_eq!(
            labels(&time_ticks(7200.0)),
            ["0 min", "20 min", "40 min", "60 min", "80 min", "100 min", "120 min"]
        );
    }

    #[test]
    fn a_log_scale_reaches_from_a_power_of_ten_to_another() {
        let scale = Scale::log([0.004, 0.0, 3.0].into_iter());
        assert_eq!(scale, Scale::Log(-3, 1));
        assert_eq!(
            labels(&scale.ticks(Unit::Seconds)),
            ["1 ms", "10 ms", "100 ms", "1 s", "10 s"]
        );
        assert!((scale.place(0.1) - 0.5).abs() < 1e-9);
        assert!(scale.place(0.0).abs() < 1e-9, "nothing is smaller than the axis");
        assert_eq!(Scale::log(std::iter::empty()), Scale::Log(-3, 0));
    }
}
