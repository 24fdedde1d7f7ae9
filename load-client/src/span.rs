//! A time for people, wherever a sentence names one.

/// Seconds for people: 12 ms, 0.98 s, 13.4 s, 4.2 min, 1.5 h.
pub fn time(seconds: f64) -> String {
    match seconds {
        s if s < 0.000_95 => format!("{:.0} µs", s * 1e6),
        s if s < 0.009_95 => format!("{:.1} ms", s * 1e3),
        s if s < 0.099_5 => format!("{:.0} ms", s * 1e3),
        s if s < 9.995 => format!("{s:.2} s"),
        s if s < 300.0 => format!("{s:.1} s"),
        s if s < 3597.0 => format!("{:.1} min", s / 60.0),
        s => format!("{:.1} h", s / 3600.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_keep_two_to_three_digits() {
        let shown: Vec<_> = [0.000_2, 0.002_1, 0.012, 0.25, 1.0, 60.04, 3600.0, 7200.0]
            .map(time)
            .into();
        assert_eq!(
            shown,
            [
                "200 µs", "2.1 ms", "12 ms", "0.25 s", "1.00 s", "60.0 s", "1.0 h", "2.0 h"
            ]
        );
    }
}
