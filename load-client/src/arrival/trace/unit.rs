//! The unit of times that are numbers, and numbers in it.

/// The unit of times that are numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeUnit {
    /// Seconds.
    Seconds,
    /// Milliseconds.
    Millis,
    /// Microseconds.
    Micros,
    /// Nanoseconds.
    Nanos,
}

impl TimeUnit {
    /// As the flag `--trace-time-unit` has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Seconds => "s",
            Self::Millis => "ms",
            Self::Micros => "us",
            Self::Nanos => "ns",
        }
    }

    /// A unit is 10 to the power of this many nanoseconds.
    pub(super) fn exponent(self) -> usize {
        match self {
            Self::Seconds => 9,
            Self::Millis => 6,
            Self::Micros => 3,
            Self::Nanos => 0,
        }
    }

    /// What the name of a column says about its unit.
    pub(super) fn of_column(name: &str) -> Option<Self> {
        let name = name.to_lowercase();
        let name = name.trim_end_matches([')', ']', ' ']);
        let ends = |words: &[&str]| words.iter().any(|word| name.ends_with(word));
        let short = |unit: &str| {
            let before = name.strip_suffix(unit);
            before.is_some_and(|before| before.is_empty() || before.ends_with(['_', '-', ' ', '.', '(', '[']))
        };
        if ends(&["millis", "milliseconds", "msec"]) || short("ms") {
            Some(Self::Millis)
        } else if ends(&["micros", "microseconds", "usec"]) || short("us") || short("µs") {
            Some(Self::Micros)
        } else if ends(&["nanos", "nanoseconds", "nsec"]) || short("ns") {
            Some(Self::Nanos)
        } else if ends(&["seconds", "secs", "sec"]) || short("s") {
            Some(Self::Seconds)
        } else {
            None
        }
    }
}

/// A decimal number times 10 to the power of `exponent`, exactly, rounded to a whole number. Other ways to write a number
/// go through a float.
pub(super) fn decimal(text: &str, exponent: usize) -> Option<i128> {
    let digits = text
        .strip_prefix('-')
        .or_else(|| text.strip_prefix('+'))
        .unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let plain = |part: &str| part.len() <= 25 && part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !plain(whole) || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        let scaled = text.parse::<f64>().ok()? * 10_f64.powi(i32::try_from(exponent).ok()?);
        #[expect(clippy::cast_possible_truncation, reason = "it is in range, and rounded")]
        return (scaled.abs() < 1e24).then(|| scaled.round() as i128);
    }
    let kept: String = fraction.chars().chain(std::iter::repeat('0')).take(exponent).collect();
    let magnitude: i128 = format!("{whole}{kept}").parse().ok()?;
    let up = fraction.as_bytes().get(exponent).is_some_and(|digit| *digit >= b'5');
    let magnitude = magnitude + i128::from(up);
    Some(if text.starts_with('-') { -magnitude } else { magnitude })
}
