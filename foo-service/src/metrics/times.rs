//! Histograms of the durations that are measured for every message.
//!
//! The exporter's histograms keep each sample, with a clock reading of its own, until samples are folded. That costs 1% of the
//! time of a small call, and memory without a bound. Here each duration is counted in a bucket at once.

use std::{
    fmt::Write,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

/// Upper bounds of all histogram buckets, in seconds: steps of 1, 2.5 and 5, finer around the usual service times and deadlines
/// (0.1 s to 2.5 s), and up to one hour, which a wait in an unbounded queue can reach.
pub(super) const BUCKETS: [f64; 24] = [
    0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.35, 0.5, 0.75, 1.0, 1.5, 2.5, 5.0, 10.0,
    30.0, 60.0, 120.0, 600.0, 3600.0,
];

/// [`BUCKETS`] in nanoseconds.
const BOUNDS: [u64; BUCKETS.len()] = {
    let mut bounds = [0; BUCKETS.len()];
    let mut index = 0;
    while index < BUCKETS.len() {
        bounds[index] = nanos(BUCKETS[index]);
        index += 1;
    }
    bounds
};

/// Converts seconds to nanoseconds. Rounds to microseconds, because each bound is a whole number of them.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an hour at most")]
const fn nanos(seconds: f64) -> u64 {
    ((seconds * 1e6 + 0.5) as u64) * 1000
}

/// A histogram of durations, with the same buckets as all other histograms.
#[derive(Debug, Default)]
pub(super) struct Times {
    /// Per bucket: the number of durations up to its bound and above the one before. The last bucket has no bound.
    counts: [AtomicU64; BUCKETS.len() + 1],
    /// The sum of all durations, in nanoseconds.
    sum: AtomicU64,
}

impl Times {
    /// Counts a duration.
    pub(super) fn record(&self, time: Duration) {
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let bucket = BOUNDS.partition_point(|bound| *bound < nanos);
        self.counts[bucket].fetch_add(1, Relaxed);
        self.sum.fetch_add(nanos, Relaxed);
    }

    /// Adds the series of metric `name` with `label` to a page in Prometheus' text format.
    fn write(&self, page: &mut String, name: &str, label: &str) {
        let mut count = 0;
        let bounds = BUCKETS.iter().map(f64::to_string).chain(["+Inf".to_owned()]);
        for (bound, bucket) in bounds.zip(&self.counts) {
            count += bucket.load(Relaxed);
            line(page, format_args!("{name}_bucket{{{label},le=\"{bound}\"}} {count}"));
        }
        let sum = self.sum.load(Relaxed) as f64 / 1e9;
        line(page, format_args!("{name}_sum{{{label}}} {sum}"));
        line(page, format_args!("{name}_count{{{label}}} {count}"));
    }
}

/// Adds a histogram of several series, each with its label, to a page in Prometheus' text format.
pub(super) fn family<'a>(
    page: &mut String,
    name: &str,
    about: &str,
    series: impl IntoIterator<Item = (String, &'a Times)>,
) {
    line(page, format_args!("# HELP {name} {about}"));
    line(page, format_args!("# TYPE {name} histogram"));
    for (label, times) in series {
        times.write(page, name, &label);
    }
    line(page, format_args!(""));
}

fn line(page: &mut String, text: std::fmt::Arguments<'_>) {
    writeln!(page, "{text}").expect("a string takes everything");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_in_the_first_bucket_that_is_not_below_it() {
        let times = Times::default();
        for micros in [0, 500, 501, 1000, 3_600_000_000, 3_600_000_001] {
            times.record(Duration::from_micros(micros));
        }
        let mut page = String::new();
        family(&mut page, "t", "About.", [("a=\"b\"".to_owned(), &times)]);
        let lines: Vec<_> = page.lines().collect();
        assert_eq!(lines[..2], ["# HELP t About.", "# TYPE t histogram"]);
        assert_eq!(lines[2], r#"t_bucket{a="b",le="0.0005"} 2"#);
        assert_eq!(lines[3], r#"t_bucket{a="b",le="0.001"} 4"#);
        assert_eq!(lines[25], r#"t_bucket{a="b",le="3600"} 5"#);
        assert_eq!(lines[26], r#"t_bucket{a="b",le="+Inf"} 6"#);
        assert_eq!(lines[27..29], [r#"t_sum{a="b"} 7200.002002"#, r#"t_count{a="b"} 6"#]);
    }

    #[test]
    fn every_bound_is_the_one_that_the_page_names() {
        for (nanos, seconds) in BOUNDS.iter().zip(BUCKETS) {
            assert!((*nanos as f64 / 1e9 - seconds).abs() < 1e-12, "{seconds}");
        }
    }
}
