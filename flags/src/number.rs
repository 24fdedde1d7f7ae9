//! Whole numbers with units, such as 10k and 64KiB. Numbers that the parsing library would change without an error are refused.

/// Parses a whole number with a unit: 250, 10k, 64KiB, 1e3, `1 000`. A fraction is allowed if the result is whole, as in 1.5k.
///
/// # Errors
///
/// The end of a sentence about what is wrong, to which the caller adds an example. Also refused are numbers that the library
/// would round because they are not whole, and digits above 2^64, where it would overflow.
pub fn whole(text: &str) -> Result<u64, String> {
    const NOT_WHOLE: &str = "is no whole number";
    if text.to_ascii_lowercase().contains("e-") {
        return Err(NOT_WHOLE.to_owned());
    }
    let Some((before, after)) = text.split_once('.') else {
        return parse(text);
    };
    if after.contains('.') {
        return Err(NOT_WHOLE.to_owned());
    }
    let after = after.trim_start();
    let places = after.chars().take_while(char::is_ascii_digit).count();
    let (fraction, unit) = after.split_at(places);
    // Zeros at the end of a fraction change nothing.
    let fraction = fraction.trim_end_matches('0');
    let parts = u32::try_from(fraction.len())
        .ok()
        .and_then(|places| 10_u64.checked_pow(places));
    let without_point = parse(&format!("{before}{fraction}{unit}"))?;
    match parts {
        Some(parts) if without_point.is_multiple_of(parts) => Ok(without_point / parts),
        _ => Err(NOT_WHOLE.to_owned()),
    }
}

/// Parses a number without a point. The library does that exactly or with an error, except for digits above 2^64, which
/// are refused here.
fn parse(text: &str) -> Result<u64, String> {
    let digits = text.chars().filter(|c| !matches!(c, '_' | ' '));
    let digits: String = digits.take_while(char::is_ascii_digit).collect();
    if !digits.is_empty() && digits.parse::<u64>().is_err() {
        return Err("is too large".to_owned());
    }
    parse_size::parse_size(text).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_are_whole_are_read_exactly() {
        for (text, number) in [
            ("0", 0),
            ("250", 250),
            ("10k", 10_000),
            ("1.5k", 1500),
            ("2.3k", 2300),
            ("1.0", 1),
            ("2.", 2),
            ("1.50k", 1500),
            ("1.00001m", 1_000_010),
            ("64KiB", 65_536),
            ("1.5MiB", 1_572_864),
            ("1e3", 1000),
            ("1 000", 1000),
            ("18446744073709551615", u64::MAX),
        ] {
            assert_eq!(whole(text), Ok(number), "{text}");
        }
    }

    #[test]
    fn numbers_that_are_not_whole_or_too_large_are_refused() {
        for text in [
            "",
            "-1",
            "x",
            "0.4",
            "1.5",
            "15e-1",
            "1.5e-3k",
            "1.2345k",
            "1.00001k",
            "1.0.5",
            "18446744073709551615.5k",
            "18446744073709551615.9",
            "18446744073709551615.0k",
            "18446744073709551616",
            "18446744073709551616k",
            "1_8446744073709551619",
            "1e30",
            "1.5e30",
            "99999999999999999999.5",
        ] {
            assert!(whole(text).is_err(), "{text}");
        }
    }
}
