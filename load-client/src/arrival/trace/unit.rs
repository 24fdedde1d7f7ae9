//! The unit of times that are numbers, and the exact parsing of such numbers.

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
    /// The value of the flag `--trace-time-unit` for this unit.
    pub fn name(self) -> &'static str {
        match self {
            Self::Seconds => "s",
            Self::Millis => "ms",
            Self::Micros => "us",
            Self::Nanos => "ns",
        }
    }

    /// The exponent: one unit has 10 to the power of this number of nanoseconds.
    pub(super) fn exponent(self) -> usize {
        match self {
            Self::Seconds => 9,
            Self::Millis => 6,
            Self::Micros => 3,
            Self::Nanos => 0,
        }
    }

    /// The unit that the end of a column's name suggests, such as `_ms`; `None` if it suggests none.
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

/// Multiplies a decimal number by 10 to the power of `exponent`, without loss, and rounds to a whole number. Numbers in
/// other forms, such as `1.7e9`, are parsed as floats and may lose digits. `None` if `text` is not a number or too
/// large.
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
