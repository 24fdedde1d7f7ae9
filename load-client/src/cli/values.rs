//! How values are written on the command line: durations as 250ms, sizes as 64KiB, counts as 10k.

use std::time::Duration;

use foo_flags::whole;
use jiff::tz::TimeZone;

use crate::arrival::trace::zone_of_offset;

/// The most threads (arbitrary: more than a machine has cores).
const MOST_THREADS: u32 = 1024;
/// The longest duration that makes sense (arbitrary: a year, far from any overflow).
pub(super) const LONGEST: Duration = Duration::from_secs(366 * 24 * 3600);
/// The highest rate (arbitrary: no machine sends more).
pub(super) const HIGHEST_RATE: f64 = 100e6;
/// The lowest rate apart from 0 (arbitrary: one send in twelve days).
const LOWEST_RATE: f64 = 1e-6;
/// The most clients, or connections (arbitrary: so many clients take some gigabytes of memory).
const MOST_CLIENTS: u64 = 10_000_000;

pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let duration = humantime::parse_duration(text).map_err(|error| format!("{error}; write it as 250ms or 2s"))?;
    if duration > LONGEST {
        return Err("must be at most a year".to_owned());
    }
    Ok(duration)
}

pub(super) fn positive_duration(text: &str) -> Result<Duration, String> {
    match duration(text)? {
        Duration::ZERO => Err("must be more than 0".to_owned()),
        duration => Ok(duration),
    }
}

pub(super) fn number(text: &str) -> Result<u64, String> {
    whole(text).map_err(|error| format!("{error}; write it as 250, 10k or 1m"))
}

pub(super) fn positive_number(text: &str) -> Result<u64, String> {
    match number(text)? {
        0 => Err("must be at least 1".to_owned()),
        number => Ok(number),
    }
}

pub(super) fn count(text: &str) -> Result<u32, String> {
    u32::try_from(positive_number(text)?).map_err(|_| format!("must be at most {}", u32::MAX))
}

pub(super) fn clients(text: &str) -> Result<u32, String> {
    let count = positive_number(text)?;
    if count > MOST_CLIENTS {
        return Err(format!("must be at most {MOST_CLIENTS}"));
    }
    u32::try_from(count).map_err(|error| error.to_string())
}

pub(super) fn threads(text: &str) -> Result<u32, String> {
    match count(text)? {
        threads if threads > MOST_THREADS => Err(format!("must be at most {MOST_THREADS}")),
        threads => Ok(threads),
    }
}

pub(super) fn payload_size(text: &str) -> Result<usize, String> {
    let bytes = whole(text).map_err(|error| format!("{error}; write it as 64KiB"))?;
    if bytes > 64 << 20 {
        return Err("must be at most 64MiB".to_owned());
    }
    usize::try_from(bytes).map_err(|error| error.to_string())
}

/// Reads a rate per second; 0 is allowed.
pub(super) fn rate(text: &str) -> Result<f64, String> {
    let rate = match text.parse::<f64>() {
        Ok(rate) => rate,
        Err(_) => number(text)? as f64,
    };
    if rate != 0.0 && !(LOWEST_RATE..=HIGHEST_RATE).contains(&rate) {
        return Err(format!("must be 0, or from {LOWEST_RATE} to {HIGHEST_RATE} per second"));
    }
    Ok(rate)
}

/// Reads a rate per second, which must be more than 0.
pub(super) fn positive_rate(text: &str) -> Result<f64, String> {
    match rate(text)? {
        0.0 => Err("must be more than 0".to_owned()),
        rate => Ok(rate),
    }
}

/// Reads a share, such as `2%`, as a fraction, such as 0.02.
pub(super) fn share(text: &str) -> Result<f64, String> {
    let percent = text
        .strip_suffix('%')
        .and_then(|number| number.trim().parse::<f64>().ok());
    let percent = percent.filter(|percent| percent.is_finite());
    percent
        .map(|percent| percent / 100.0)
        .ok_or_else(|| "is not a share; write it as 2%".to_owned())
}

/// Loads as multiples of the capacity, in rising order; at least one.
#[derive(Debug, Clone, PartialEq)]
pub struct Factors(pub Vec<f64>);

/// Reads factors, such as `0.5,1,2`, sorts them and removes duplicates.
pub(super) fn factors(text: &str) -> Result<Factors, String> {
    let factor = |text: &str| {
        let factor = text.trim().parse::<f64>().ok();
        let factor = factor.filter(|factor| (0.001..=1000.0).contains(factor));
        factor.ok_or_else(|| format!("{text:?} is not a factor from 0.001 to 1000; write them as 0.5,1,2"))
    };
    let mut factors = text.split(',').map(factor).collect::<Result<Vec<_>, _>>()?;
    factors.sort_by(f64::total_cmp);
    factors.dedup();
    Ok(Factors(factors))
}

/// Reads a factor, such as `60x` or `60`.
pub(super) fn speed(text: &str) -> Result<f64, String> {
    let factor = text.strip_suffix('x').unwrap_or(text);
    let factor: f64 = factor
        .parse()
        .map_err(|_| "is not a factor; write it as 60x".to_owned())?;
    if !(1e-6..=1e6).contains(&factor) {
        return Err("must be from 0.000001x to 1000000x".to_owned());
    }
    Ok(factor)
}

/// Reads a time zone, as its offset or its name.
pub(super) fn time_zone(text: &str) -> Result<TimeZone, String> {
    let wrong = |_| "is no time zone that this machine knows; write it as UTC, +02:00 or Europe/Berlin".to_owned();
    match zone_of_offset(text) {
        Some(zone) => Ok(zone),
        None if matches!(text, "UTC" | "Z") => Ok(TimeZone::UTC),
        None => TimeZone::get(text).map_err(wrong),
    }
}

/// Reads the character that separates columns, as itself or by its name.
pub(super) fn separator(text: &str) -> Result<u8, String> {
    match text {
        "comma" => Ok(b','),
        "semicolon" => Ok(b';'),
        "tab" | "\\t" => Ok(b'\t'),
        "pipe" => Ok(b'|'),
        _ => match text.as_bytes() {
            [one] if one.is_ascii_punctuation() && *one != b'"' || matches!(one, b'\t' | b' ') => Ok(*one),
            _ => Err("is no separator; write it as a character, or as comma, semicolon, tab or pipe".to_owned()),
        },
    }
}

/// The servers of a queue that services share, as foo-service names them. A build without such a queue says how to get it.
pub(super) fn nats_servers(text: &str) -> Result<String, String> {
    #[cfg(feature = "embedded")]
    if foo_service::enqueue::CAN_SHARE {
        let servers: foo_service::config::NatsServers = text.parse()?;
        return Ok(servers.to_string());
    }
    let _ = text;
    Err("this program was built without the cargo feature nats: build it with cargo build --release -p load-client --features nats".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_take_their_units() {
        assert_eq!(rate("0.5"), Ok(0.5));
        assert_eq!(rate("10k"), Ok(10_000.0));
        assert_eq!(speed("60x"), Ok(60.0));
        assert_eq!(count("1m"), Ok(1_000_000));
        assert_eq!(count("1.5k"), Ok(1_500));
        assert_eq!(number("18446744073709551615"), Ok(u64::MAX));
        assert_eq!(payload_size("64KiB"), Ok(65_536));
        for (text, whole) in [
            ("1.5k", 1500),
            ("2.3k", 2300),
            ("1e3", 1000),
            ("1.0", 1),
            ("1 000", 1000),
        ] {
            assert_eq!(number(text), Ok(whole), "{text}");
        }
        for (text, byte) in [
            (";", b';'),
            ("tab", b'\t'),
            ("\\t", b'\t'),
            ("\t", b'\t'),
            ("comma", b','),
            (":", b':'),
        ] {
            assert_eq!(separator(text), Ok(byte), "{text}");
        }
        assert!(time_zone("+02:00").is_ok() && time_zone("UTC").is_ok() && time_zone("-0330").is_ok());
    }

    #[test]
    fn wrong_values_are_errors_with_a_hint() {
        for wrong in ["", "-1", "NaN", "inf", "1e99", "1e-19", "x"] {
            assert!(rate(wrong).is_err(), "{wrong}");
            assert!(speed(wrong).is_err(), "{wrong}");
            assert!(duration(wrong).is_err(), "{wrong}");
        }
        for wrong in [
            "0.5",
            "1.5",
            "1.2345k",
            "1e-1",
            "18446744073709551616",
            "1e30",
            "-1",
            "",
        ] {
            assert!(number(wrong).is_err(), "{wrong}");
        }
        for wrong in ["", "ab", "a", "\"", "1", "µ"] {
            assert!(separator(wrong).is_err(), "{wrong}");
        }
        assert!(time_zone("Mars/Olympus").is_err() && time_zone("+2").is_err());
        assert!(count("0").is_err() && duration("2y").is_err());
        for wrong in ["1.5", "10.7", "1.0001k", "18446744073709551616", ".5", "20EB"] {
            assert!(number(wrong).is_err(), "{wrong}: {:?}", number(wrong));
        }
    }
}
