//! How values are written on the command line: durations as 250ms, sizes as 64KiB, counts as 10k.

use std::time::Duration;

use jiff::tz::TimeZone;

use crate::{arrival::trace::zone_of_offset, scenario::Stage};

/// The most threads (arbitrary: more than a machine has cores).
const MOST_THREADS: u32 = 1024;
/// The longest duration that makes sense (arbitrary: a year, far from where arithmetic ends).
pub(super) const LONGEST: Duration = Duration::from_secs(366 * 24 * 3600);
/// The highest rate (arbitrary: no machine sends more).
pub(super) const HIGHEST_RATE: f64 = 100e6;
/// The lowest rate apart from none (arbitrary: one send in twelve days).
const LOWEST_RATE: f64 = 1e-6;
/// The most clients, or connections (arbitrary: as many clients take some gigabytes).
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

/// A whole number with a unit. A fraction is allowed as long as the number is whole, as in 1.5k; the library would round it.
fn whole(text: &str) -> Result<u64, String> {
    let number = parse_size::parse_size(text).map_err(|error| error.to_string())?;
    if text.to_ascii_lowercase().contains("e-") {
        return Err("is no whole number".to_owned());
    }
    let Some((_, after)) = text.split_once('.') else {
        return Ok(number);
    };
    let places = after.trim_start().chars().take_while(char::is_ascii_digit).count();
    let without_point = parse_size::parse_size(text.replacen('.', "", 1)).map_err(|error| error.to_string())?;
    let parts = u32::try_from(places).ok().and_then(|places| 10_u64.checked_pow(places));
    match parts {
        Some(parts) if without_point.is_multiple_of(parts) => Ok(without_point / parts),
        _ => Err("is no whole number".to_owned()),
    }
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

/// Per second; 0 is allowed.
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

/// As `60x` or `60`.
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

/// A time zone, as its offset or its name.
pub(super) fn time_zone(text: &str) -> Result<TimeZone, String> {
    let wrong = |_| "is no time zone that this machine knows; write it as UTC, +02:00 or Europe/Berlin".to_owned();
    match zone_of_offset(text) {
        Some(zone) => Ok(zone),
        None if matches!(text, "UTC" | "Z") => Ok(TimeZone::UTC),
        None => TimeZone::get(text).map_err(wrong),
    }
}

/// A character that separates columns, as itself or by its name.
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

/// As `10s:100,30s:100..500`.
pub(super) fn stages(text: &str) -> Result<Stages, String> {
    let stages: Result<Vec<Stage>, String> = text.split(',').map(stage).collect();
    let stages = stages?;
    if stages.iter().all(|stage| stage.mean_rps() == 0.0) {
        return Err("these stages send no request; a stage needs a rate above 0, like 10s:100".to_owned());
    }
    if stages.iter().map(|stage| stage.length).sum::<Duration>() > LONGEST {
        return Err("the stages together must last at most a year".to_owned());
    }
    Ok(Stages(stages))
}

/// Stages, as one value of one flag.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Stages(pub(super) Vec<Stage>);

/// How a stage is written, for errors.
const STAGE: &str = "write a stage like 10s:100 or 10s:100..500";

fn stage(text: &str) -> Result<Stage, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err(format!("a stage is empty, before or after a comma; {STAGE}"));
    }
    let (length, rates) = text
        .split_once(':')
        .ok_or_else(|| format!("the stage {text:?} has no colon between its length and its rate; {STAGE}"))?;
    let length = length.trim();
    if length.is_empty() {
        return Err(format!("the stage {text:?} has no length; {STAGE}"));
    }
    let length = match duration(length).map_err(|error| format!("the length of the stage {text:?}: {error}"))? {
        Duration::ZERO => return Err(format!("the length of the stage {text:?} must be more than 0; {STAGE}")),
        length => length,
    };
    let rate_of = |part: &str, name: &str| {
        let part = part.trim();
        if part.is_empty() {
            return Err(format!("the stage {text:?} has no {name}; {STAGE}"));
        }
        rate(part).map_err(|error| format!("the {name} of the stage {text:?}, {part:?}: {error}"))
    };
    let Some((from, to)) = rates.split_once("..") else {
        return Ok(Stage::steady(length, rate_of(rates, "rate")?));
    };
    if to.contains("..") {
        return Err(format!(
            "the stage {text:?} has more than two rates, and a ramp has one at its start and one at its end; write several \
             ramps as several stages, like 10s:100..500,10s:500..100"
        ));
    }
    Ok(Stage {
        length,
        rps: rate_of(from, "rate at its start")?,
        end_rps: rate_of(to, "rate at its end")?,
    })
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
        let ramp = stages("10s:100..500,5s:1").unwrap().0;
        assert!((ramp[0].mean_rps() - 300.0).abs() < f64::EPSILON && ramp[1].is_steady());
        let stages = stages("10s:100, 30s:0.5").unwrap().0;
        assert_eq!(stages[1].length, Duration::from_secs(30));
        assert!((stages[1].rps - 0.5).abs() < f64::EPSILON);
    }

    #[test]
    fn errors_in_stages_say_which_part_of_which_stage_is_wrong() {
        for (text, right) in [
            (
                "1s:0",
                "these stages send no request; a stage needs a rate above 0, like 10s:100",
            ),
            (
                "1s:0..0,2s:0",
                "these stages send no request; a stage needs a rate above 0, like 10s:100",
            ),
            (
                "0s:20",
                "the length of the stage \"0s:20\" must be more than 0; write a stage like 10s:100 or 10s:100..500",
            ),
            (
                "1s:..20",
                "the stage \"1s:..20\" has no rate at its start; write a stage like 10s:100 or 10s:100..500",
            ),
            (
                "1s:20..",
                "the stage \"1s:20..\" has no rate at its end; write a stage like 10s:100 or 10s:100..500",
            ),
            (
                "1s:",
                "the stage \"1s:\" has no rate; write a stage like 10s:100 or 10s:100..500",
            ),
            (
                ":5",
                "the stage \":5\" has no length; write a stage like 10s:100 or 10s:100..500",
            ),
            (
                "1s:10,",
                "a stage is empty, before or after a comma; write a stage like 10s:100 or 10s:100..500",
            ),
            (
                "10",
                "the stage \"10\" has no colon between its length and its rate; write a stage like 10s:100 or 10s:100..500",
            ),
            (
                "1s:10..5..1",
                "the stage \"1s:10..5..1\" has more than two rates, and a ramp has one at its start and one at its end; write \
                 several ramps as several stages, like 10s:100..500,10s:500..100",
            ),
        ] {
            assert_eq!(stages(text), Err(right.to_owned()), "{text}");
        }
        for (text, part) in [
            ("x:5", "the length of the stage \"x:5\": "),
            ("1s:x", "the rate of the stage \"1s:x\", \"x\": "),
            ("1s:1..x", "the rate at its end of the stage \"1s:1..x\", \"x\": "),
        ] {
            let error = stages(text).unwrap_err();
            assert!(error.starts_with(part), "{text}: {error}");
        }
    }

    #[test]
    fn wrong_values_are_errors_with_a_hint() {
        for wrong in ["", "-1", "NaN", "inf", "1e99", "1e-19", "x"] {
            assert!(rate(wrong).is_err(), "{wrong}");
            assert!(speed(wrong).is_err(), "{wrong}");
            assert!(duration(wrong).is_err(), "{wrong}");
        }
        for wrong in ["", "10s", "10s:", ":5", "0s:5", "10s:-5", "10s:5,", "10s:0"] {
            assert!(stages(wrong).is_err(), "{wrong}");
        }
        for wrong in [
            "10s:1..",
            "10s:..5",
            "10s:1..-5",
            "10s:0..0",
            "10s:1..2..3",
            "300d:1,300d:1",
        ] {
            assert!(stages(wrong).is_err(), "{wrong}");
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
