//! Writes numbers other than times: bytes, counts and rates.

/// The factor from each unit of bytes to the next: from B to KiB, from KiB to MiB, and so on.
pub const KIB: f64 = 1024.0;

/// Bytes in the largest unit that leaves a number of 1 or more: 1.5 KiB, 23 MiB.
pub fn bytes(value: f64) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB"];
    let (mut value, mut at) = (value, 0);
    while value >= KIB && at + 1 < units.len() {
        value /= KIB;
        at += 1;
    }
    let digits = usize::from(value < 10.0 && at > 0 && value.fract() > 0.0);
    format!("{value:.digits$} {}", units[at])
}

/// A number in at most three digits, without zeros at the end. Whole numbers, and all from 100 on, have all their digits.
pub fn plain(value: f64) -> String {
    if value.abs() >= 100.0 || (value - value.round()).abs() < 1e-9 {
        return format!("{value:.0}");
    }
    let digits = if value.abs() >= 10.0 {
        1
    } else if value.abs() >= 1.0 {
        2
    } else {
        3
    };
    let text = format!("{value:.digits$}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A count in at most five columns: 812, 120k, 2.5M.
pub fn compact_count(count: f64) -> String {
    match count {
        n if n < 99_999.5 => format!("{n:.0}"),
        n if n < 999_500.0 => format!("{:.0}k", n / 1e3),
        n if n < 99.95e6 => format!("{:.1}M", n / 1e6),
        n if n < 999.5e6 => format!("{:.0}M", n / 1e6),
        n => format!("{:.1}G", n / 1e9),
    }
}

/// A number per second in at most five columns, without the unit.
pub fn compact_rate(rate: f64) -> String {
    if rate < 99.95 {
        format!("{rate:.1}")
    } else {
        compact_count(rate)
    }
}

/// A number and its noun: `1 request`, `2 requests`.
pub fn counted(number: u64, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {what}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_short() {
        let shown = [0.25, 1.5, 12.34, 240.0, 28_800.0, 3.0].map(plain);
        assert_eq!(shown, ["0.25", "1.5", "12.3", "240", "28800", "3"]);
        assert_eq!(bytes(1536.0), "1.5 KiB");
    }

    #[test]
    fn a_compact_number_is_never_wider_than_five_columns() {
        let mut value = 0.000_001_f64;
        while value < 1e9 {
            assert!(
                compact_count(value).len() <= 5 && compact_rate(value).len() <= 5,
                "{value}"
            );
            value *= 1.07;
        }
    }
}
