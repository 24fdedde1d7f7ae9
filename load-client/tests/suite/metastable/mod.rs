//! The labs about collapses that outlive their causes: what docs/metastable.md says of them is measured, in virtual time.
//! `UPDATE_METASTABLE=1 cargo test -p load-client --test suite metastable` writes the tables and pictures anew, and with
//! `LONG_TESTS=1` the map as well.

mod map;
mod page;
mod picture;
mod seeds;

use std::{ops::Range, path::PathBuf};

use crate::support::{assert_balanced, named, report};
use load_client::report::{Report, Run};

/// A lab and how it is shown.
pub(crate) struct Shown {
    /// The name of its file.
    pub(crate) name: &'static str,
    /// Flags that are laid over it.
    flags: &'static str,
    /// Where the periods of its table begin and end, in seconds since the load began.
    cuts: &'static [u32],
    /// What the page says of it.
    claims: fn(&Measured<'_>),
}

/// The share of the scheduled requests that a strategy has done in a period.
struct Measured<'a>(&'a Report);

impl Measured<'_> {
    fn share(&self, strategy: &str, seconds: Range<u32>) -> f64 {
        share(named(self.0, strategy), seconds)
    }

    /// Less than a twentieth is done in that period.
    fn is_down(&self, strategy: &str, seconds: Range<u32>) {
        let share = self.share(strategy, seconds);
        assert!(share < 0.05, "{strategy}: {share}");
    }

    /// At least 97 % are done in that period.
    fn is_well(&self, strategy: &str, seconds: Range<u32>) {
        let share = self.share(strategy, seconds);
        assert!(share >= 0.97, "{strategy}: {share}");
    }
}

/// The labs, in the order of the page.
pub(crate) const LABS: [Shown; 6] = [
    Shown {
        name: "metastable",
        flags: "-z 120s",
        cuts: &[5, 20, 30, 40, 60, 90, 120],
        claims: |measured| {
            for strategy in ["naive", "backoff", "pushback"] {
                measured.is_down(strategy, 30..120);
            }
            for strategy in ["no-retries", "budget", "naive-auto"] {
                measured.is_well(strategy, 30..40);
                measured.is_well(strategy, 40..120);
            }
            measured.is_well("throttle", 60..120);
            let meanwhile = |strategy| measured.share(strategy, 20..30);
            assert!(meanwhile("naive-auto") > 2.0 * meanwhile("no-retries"));
            assert!(meanwhile("budget") >= meanwhile("no-retries"));
        },
    },
    Shown {
        name: "metastable-retry",
        flags: "",
        cuts: &[0, 5, 10, 15, 30, 60],
        claims: |measured| {
            measured.is_down("naive", 15..60);
            for strategy in ["no-retries", "budget", "naive-exponential"] {
                // Within two timeouts of the end of the cause.
                measured.is_well(strategy, 12..30);
                measured.is_well(strategy, 30..60);
            }
        },
    },
    Shown {
        name: "timeout-cascade",
        flags: "",
        cuts: &[0, 60, 120, 180, 240, 300],
        claims: |measured| {
            measured.is_down("naive", 180..300);
            measured.is_down("queue", 150..240);
            measured.is_well("naive-auto", 0..300);
        },
    },
    Shown {
        name: "death-spiral",
        flags: "",
        cuts: &[0, 15, 20, 25, 40, 60],
        claims: |measured| {
            measured.is_down("naive", 25..60);
            measured.is_well("no-retries", 25..60);
            measured.is_well("naive-limited", 25..60);
        },
    },
    Shown {
        name: "goodput-collapse",
        flags: "",
        cuts: &[0, 8, 16, 20, 40, 60, 80],
        claims: |measured| {
            measured.is_down("unbounded", 16..50);
            measured.is_well("unbounded", 65..80);
            measured.is_well("bounded", 25..80);
            measured.is_well("message-ttl", 20..80);
            assert!(measured.share("message-ttl", 16..20) > 10.0 * measured.share("bounded", 16..20));
        },
    },
    Shown {
        name: "throttle",
        flags: "",
        cuts: &[0, 30, 90, 120, 150, 180, 210, 270, 510, 600],
        claims: |measured| {
            // Within two windows of the end of the failures.
            measured.is_well("adaptive-30s", 150..600);
            measured.is_well("adaptive-2m", 510..600);
            measured.is_down("book-30s", 90..150);
            measured.is_down("book-2m", 270..600);
        },
    },
];

fn lab(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../labs")
        .join(format!("{name}.toml"))
}

/// Runs a lab in virtual time.
fn run<'a>(lab: &'a str, flags: impl IntoIterator<Item = &'a str>) -> Report {
    let words = ["compare", lab, "--virtual-time", "-q"];
    let (output, report) = report(words.into_iter().chain(flags));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{lab}: {said}");
    report.runs.iter().for_each(assert_balanced);
    report
}

/// Done within the SLO in that period, as a share of what was scheduled in it: more than 1 where late work is done.
fn share(run: &Run, seconds: Range<u32>) -> f64 {
    let (from, to) = (f64::from(seconds.start), f64::from(seconds.end));
    let points = run.series.iter().filter(|point| (from..to).contains(&point.t));
    let (mut good, mut offered) = (0.0, 0.0);
    for point in points {
        good += point.goodput_rps.unwrap_or(0.0);
        offered += point.offered_rps;
    }
    good / offered
}
