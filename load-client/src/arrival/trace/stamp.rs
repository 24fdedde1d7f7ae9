//! Parses timestamps in the forms that programs commonly write, and the zones at their ends.

use jiff::{
    Timestamp,
    civil::DateTime,
    tz::{Offset, TimeZone},
};

/// A timestamp, with or without a time zone.
pub(super) enum Stamp {
    Zoned(Timestamp),
    Local(DateTime),
}

impl Stamp {
    pub(super) fn read(text: &str) -> Option<Self> {
        if let Ok(at) = text.parse::<Timestamp>() {
            return Some(Self::Zoned(at));
        }
        if let Ok(at) = text.parse::<DateTime>() {
            return Some(Self::Local(at));
        }
        let (local, zone) = zone_at_end(text)?;
        let at = local.trim_end().parse::<DateTime>().ok()?;
        Some(Self::Zoned(zone.to_timestamp(at).ok()?))
    }
}

/// Splits off a zone at the end that is not in the form of RFC 3339: ` UTC`, ` GMT`, ` Z`, `+0000`, ` +02`.
fn zone_at_end(text: &str) -> Option<(&str, TimeZone)> {
    for name in ["UTC", "GMT", "Z"] {
        if let Some(local) = text.strip_suffix(name) {
            return Some((local, TimeZone::UTC));
        }
    }
    // The offset begins at the last sign after the first colon; signs before that belong to the date.
    let time = text.find(':')?;
    let sign = time + text[time..].rfind(['+', '-'])?;
    let (local, offset) = text.split_at(sign);
    Some((local, zone_of_offset(offset)?))
}

/// The time zone with the offset `text`, such as `+02`, `+0200` or `+02:00`; `None` for any other form.
pub fn zone_of_offset(text: &str) -> Option<TimeZone> {
    let (digits, sign) = match (text.strip_prefix('+'), text.strip_prefix('-')) {
        (Some(digits), _) => (digits, 1),
        (_, Some(digits)) => (digits, -1),
        _ => return None,
    };
    let digits = digits.replacen(':', "", 1);
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) || ![2, 4].contains(&digits.len()) {
        return None;
    }
    let (hours, minutes) = digits.split_at(2);
    let minutes = if minutes.is_empty() { "0" } else { minutes };
    let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
    if minutes >= 60 {
        return None;
    }
    let offset = Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok()?;
    Some(TimeZone::fixed(offset))
}
