//! The times of a trace: numbers in a unit, or timestamps. Times that are ambiguous are rejected, and the error names the
//! flag that settles them. A unit that is wrong by a factor of 1,000 makes a replay that is wrong by a factor of 1,000.

use std::borrow::Cow;

use jiff::tz::{AmbiguousOffset, TimeZone};

use super::{
    stamp::Stamp,
    unit::{TimeUnit, decimal},
};

/// Limits in seconds, with the likely unit of larger numbers. From 10¹¹ (the year 5138) a number is too large for an
/// epoch in seconds and is likely one in milliseconds; from 10¹⁴ one in microseconds; from 10¹⁷ one in nanoseconds.
const TOO_LARGE: [(i128, TimeUnit); 3] = [
    (10_i128.pow(17), TimeUnit::Nanos),
    (10_i128.pow(14), TimeUnit::Micros),
    (10_i128.pow(11), TimeUnit::Millis),
];
/// The smallest number of seconds, in nanoseconds, that is taken for an epoch (the year 2001). As an epoch in any
/// smaller unit, the same number would be in the years 1970 to 1973.
const FIRST_EPOCH: i128 = 10_i128.pow(18);
/// Numbers from here on, in nanoseconds, are refused: a thousand million million seconds, more than any clock shows.
const MOST_NANOS: i128 = 10_i128.pow(24);

type Reason = Cow<'static, str>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Number,
    /// A timestamp with its zone.
    Zoned,
    /// A timestamp without a time zone.
    Local,
}

/// Reads the times of one column, which are all of one kind.
pub(super) struct Times<'a> {
    column: &'a str,
    unit: Option<TimeUnit>,
    zone: Option<&'a TimeZone>,
    kind: Option<Kind>,
    /// True while all numbers so far are as large as epochs in seconds are.
    epochs: bool,
}

impl<'a> Times<'a> {
    /// Reads the column of that name; `unit` and `zone` are those of the flags, if given.
    pub(super) fn new(column: &'a str, unit: Option<TimeUnit>, zone: Option<&'a TimeZone>) -> Self {
        Self {
            column,
            unit,
            zone,
            kind: None,
            epochs: true,
        }
    }

    /// True if the times are numbers of unknown unit: neither a flag, nor the column's name, nor their size tells it.
    pub(super) fn unit_is_assumed(&self) -> bool {
        let said = self.unit.or_else(|| TimeUnit::of_column(self.column));
        self.kind == Some(Kind::Number) && said.is_none() && !self.epochs
    }

    /// Reads a time, in nanoseconds. The error is the end of a sentence that begins with the text of the time.
    pub(super) fn read(&mut self, text: &str) -> Result<i128, Reason> {
        if text.parse::<f64>().is_ok() {
            self.is_a(Kind::Number)?;
            if self.zone.is_some() {
                return Err("is a number, and --trace-time-zone is for timestamps".into());
            }
            return self.number(text);
        }
        let timestamp = Stamp::read(text);
        if let (Some(unit), Some(_)) = (self.unit, &timestamp) {
            return Err(format!("is a timestamp, and --trace-time-unit {} is for numbers", unit.name()).into());
        }
        match timestamp {
            Some(Stamp::Zoned(at)) => {
                self.is_a(Kind::Zoned)?;
                Ok(at.as_nanosecond())
            }
            Some(Stamp::Local(at)) => {
                self.is_a(Kind::Local)?;
                let zone = self.zone.cloned().unwrap_or(TimeZone::UTC);
                let at = zone.to_ambiguous_timestamp(at);
                match at.offset() {
                    AmbiguousOffset::Unambiguous { .. } => {}
                    AmbiguousOffset::Gap { .. } => {
                        return Err(
                            "does not exist in its time zone, because the clocks are put forward over it; write the \
                                    times with their offsets, like 2024-03-31T03:30:00+02:00"
                                .into(),
                        );
                    }
                    AmbiguousOffset::Fold { .. } => {
                        return Err(
                            "happens twice in its time zone, because the clocks are put back over it; write the \
                                    times with their offsets, like 2024-10-27T02:30:00+02:00"
                                .into(),
                        );
                    }
                }
                let at = at.unambiguous().map_err(|_| "is out of range")?;
                Ok(at.as_nanosecond())
            }
            None => Err("is neither a number of seconds nor a timestamp".into()),
        }
    }

    /// Checks that this time is of the same kind as the times before it.
    fn is_a(&mut self, kind: Kind) -> Result<(), Reason> {
        let before = *self.kind.get_or_insert(kind);
        match (before, kind) {
            _ if before == kind => Ok(()),
            (Kind::Number, _) | (_, Kind::Number) => Err("is of another kind than the times before it".into()),
            _ if self.zone.is_some() => Ok(()),
            (_, Kind::Local) => {
                Err("has no time zone, unlike the times before it; --trace-time-zone says which one it is in".into())
            }
            (_, Kind::Zoned) => {
                Err("has a time zone, unlike the times before it; --trace-time-zone says which one they are in".into())
            }
        }
    }

    fn number(&mut self, text: &str) -> Result<i128, Reason> {
        let unit = match (self.unit, TimeUnit::of_column(self.column)) {
            (Some(unit), _) => unit,
            (None, None | Some(TimeUnit::Seconds)) => TimeUnit::Seconds,
            (None, Some(unit)) => {
                return Err(format!(
                    "is a number without a unit, and the column's name suggests --trace-time-unit {}",
                    unit.name()
                )
                .into());
            }
        };
        let out_of_range = "is too large for a time, or not finite";
        let nanos = decimal(text, unit.exponent()).ok_or(out_of_range)?;
        if self.unit.is_none() {
            let seconds = nanos.abs() / 10_i128.pow(9);
            if let Some((_, likely)) = TOO_LARGE.iter().find(|(from, _)| seconds >= *from) {
                return Err(format!(
                    "is too large for seconds; --trace-time-unit says which unit it has, such as {}",
                    likely.name()
                )
                .into());
            }
        }
        if nanos.abs() >= MOST_NANOS {
            return Err(out_of_range.into());
        }
        self.epochs &= nanos >= FIRST_EPOCH;
        Ok(nanos)
    }
}

#[cfg(test)]
mod tests {
    use super::{super::stamp::zone_of_offset, *};

    fn read(unit: Option<TimeUnit>, texts: &[&str]) -> Result<Vec<i128>, String> {
        let mut times = Times::new("when", unit, None);
        texts
            .iter()
            .map(|text| times.read(text).map_err(|reason| format!("{text} {reason}")))
            .collect()
    }

    #[test]
    fn numbers_are_read_exactly_in_their_unit() {
        for (unit, text, nanos) in [
            (TimeUnit::Nanos, "1700000000123456789", 1_700_000_000_123_456_789),
            (TimeUnit::Micros, "1700000000123456.7894", 1_700_000_000_123_456_789),
            (TimeUnit::Millis, "1700000000123.5", 1_700_000_000_123_500_000),
            (TimeUnit::Seconds, "-1.0000000005", -1_000_000_001),
            (TimeUnit::Seconds, "1.7e9", 1_700_000_000_000_000_000),
            (TimeUnit::Seconds, ".25", 250_000_000),
        ] {
            assert_eq!(read(Some(unit), &[text]), Ok(vec![nanos]), "{text}");
        }
    }

    #[test]
    fn a_number_that_cannot_be_seconds_is_refused_with_the_flag() {
        for (text, unit) in [
            ("1700000000000", "ms"),
            ("1700000000000000", "us"),
            ("1700000000000000000", "ns"),
            ("1.7e12", "ms"),
        ] {
            let reason = read(None, &["0", text]).unwrap_err();
            let right =
                format!("{text} is too large for seconds; --trace-time-unit says which unit it has, such as {unit}");
            assert_eq!(reason, right);
        }
        assert!(read(None, &["1700000000.25"]).is_ok() && read(Some(TimeUnit::Seconds), &["1700000000000"]).is_ok());
        for column in ["ms", "ts_ms", "Time (ms)", "offset_millis", "startMicros", "t.ns"] {
            let reason = Times::new(column, None, None).read("17").unwrap_err();
            assert!(reason.contains("suggests --trace-time-unit "), "{column}: {reason}");
        }
        for column in ["items", "when", "columns", "bus"] {
            assert_eq!(
                Times::new(column, None, None).read("17"),
                Ok(17_000_000_000),
                "{column}"
            );
        }
    }

    #[test]
    fn timestamps_take_the_zones_that_are_written() {
        let five = 1_700_154_305_000_000_000;
        for text in [
            "2023-11-16T17:05:05Z",
            "2023-11-16 17:05:05 UTC",
            "2023-11-16 17:05:05UTC",
            "2023-11-16 17:05:05 Z",
            "2023-11-16 17:05:05.000 GMT",
            "2023-11-16 17:05:05+0000",
            "2023-11-16 17:05:05 +0000",
            "2023-11-16 18:05:05+01",
            "2023-11-16T18:05:05 +01:00",
            "2023-11-16T12:35:05-0430",
            "2023-11-16 17:05:05",
        ] {
            assert_eq!(read(None, &[text]), Ok(vec![five]), "{text}");
        }
        for text in [
            "2023-11-16 17:05:05 CEST",
            "2023-11-16 17:05:05 +1",
            "2023-11-16 17:05:05 +0099",
            "noon",
            "",
        ] {
            assert!(read(None, &[text]).is_err(), "{text}");
        }
    }

    #[test]
    fn local_times_that_are_none_or_two_are_refused() {
        let zone = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
        let read = |text: &str| Times::new("when", None, Some(&zone)).read(text);
        for (text, why) in [
            ("2024-03-31 02:30:00", "does not exist"),
            ("2024-10-27 02:30:00", "happens twice"),
        ] {
            let reason = read(text).unwrap_err();
            assert!(reason.contains(why) && reason.contains("offsets"), "{text}: {reason}");
        }
        for text in [
            "2024-03-31 03:00:00",
            "2024-10-27 03:00:00",
            "2024-10-27T02:30:00+02:00",
        ] {
            assert!(read(text).is_ok(), "{text}: {:?}", read(text));
        }
        let reason = read("17").unwrap_err();
        assert_eq!(reason, "is a number, and --trace-time-zone is for timestamps");
    }

    #[test]
    fn local_times_are_in_the_zone_of_the_flag() {
        let zone = zone_of_offset("+02:00").unwrap();
        let mut times = Times::new("when", None, Some(&zone));
        assert_eq!(times.read("2023-11-16 19:05:05"), Ok(1_700_154_305_000_000_000));
        assert_eq!(times.read("2023-11-16 17:05:05Z"), Ok(1_700_154_305_000_000_000));
        let mixed = read(None, &["2023-11-16 19:05:05Z", "2023-11-16 19:05:05"]).unwrap_err();
        assert!(mixed.contains("--trace-time-zone"), "{mixed}");
        let mixed = read(None, &["2023-11-16 19:05:05", "2023-11-16 19:05:05Z"]).unwrap_err();
        assert!(mixed.contains("--trace-time-zone"), "{mixed}");
    }
}
