//! Parsers for the values of flags: numbers, sizes and durations, with their units and ranges. A value out of range is refused,
//! never rounded or cut off.

use std::time::Duration;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use foo_flags::whole;
use tower_admission::{
    limit::{self, LimitKind},
    line::{self, LineKind},
};

const HOUR: Duration = Duration::from_secs(3600);
/// The most workers (arbitrary: far more than a process can use).
const MAX_WORKERS: u32 = 65_536;

pub(super) fn duration_up_to_an_hour(text: &str) -> Result<Duration, String> {
    let duration = humantime::parse_duration(text).map_err(|error| format!("{error}; write it as 250ms or 2s"))?;
    if duration > HOUR {
        return Err("must be at most 1h".to_owned());
    }
    Ok(duration)
}

pub(super) fn number(text: &str) -> Result<u64, String> {
    whole(text).map_err(|error| format!("{error}; write it as 250, 10k or 1m"))
}

pub(super) fn count_or_none(text: &str) -> Result<u32, String> {
    u32::try_from(number(text)?).map_err(|_| format!("must be at most {}", u32::MAX))
}

pub(super) fn count(text: &str) -> Result<u32, String> {
    match count_or_none(text)? {
        0 => Err("must be at least 1".to_owned()),
        count => Ok(count),
    }
}

pub(super) fn workers(text: &str) -> Result<u32, String> {
    match count(text)? {
        workers if workers > MAX_WORKERS => Err(format!("must be at most {MAX_WORKERS}")),
        workers => Ok(workers),
    }
}

pub(super) fn workers_or_none(text: &str) -> Result<u32, String> {
    if count_or_none(text) == Ok(0) {
        Ok(0)
    } else {
        workers(text)
    }
}

/// The parser of `--limit`. Each limit of the crate `tower-admission` is a value of the flag, also one that is added later.
pub(super) fn limit_kind() -> impl TypedValueParser<Value = &'static LimitKind> {
    let values = limit::LIMITS
        .iter()
        .map(|kind| PossibleValue::new(kind.name).help(kind.about));
    PossibleValuesParser::new(values).map(|name| limit::by_name(&name).expect("one of the possible values"))
}

/// The parser of `--line`. Each line of the crate `tower-admission` is a value of the flag, also one that is added later.
pub(super) fn line_kind() -> impl TypedValueParser<Value = &'static LineKind> {
    let values = line::LINES
        .iter()
        .map(|kind| PossibleValue::new(kind.name).help(kind.about));
    PossibleValuesParser::new(values).map(|name| line::by_name(&name).expect("one of the possible values"))
}

pub(super) fn payload_size(text: &str) -> Result<u64, String> {
    let bytes = whole(text).map_err(|error| format!("{error}; write it as 64KiB or 1MiB"))?;
    // The decoding limit is a little over twice this size. It should not be far above the windows of HTTP/2's flow control.
    if bytes > 64 << 20 {
        return Err("must be at most 64MiB".to_owned());
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_sizes_take_units_and_keep_their_range() {
        assert_eq!(count("10k"), Ok(10_000));
        assert_eq!(count("1m"), Ok(1_000_000));
        assert_eq!(count("1.5k"), Ok(1500));
        for wrong in ["1.5", "0.4", "15e-1", "1.2345k", "18446744073709551615.5k"] {
            assert!(
                count(wrong).is_err() && payload_size(wrong).is_err() && number(wrong).is_err(),
                "{wrong}"
            );
        }
        assert!(count("0").is_err() && count("5g").is_err() && count("-1").is_err());
        assert_eq!(payload_size("64KiB"), Ok(65_536));
        assert!(payload_size("65MiB").is_err());
        assert!(duration_up_to_an_hour("61m").is_err() && duration_up_to_an_hour("5").is_err());
    }
}
