//! The labs about collapses that outlive their causes. These tests measure the statements and tables of docs/metastable.md, in
//! virtual time. `UPDATE_METASTABLE=1 cargo test -p load-client --test suite metastable` writes the tables and pictures again,
//! and with `LONG_TESTS=1` also the map.

mod map;
mod page;
mod picture;
mod seeds;

use std::{ops::Range, path::PathBuf};

use crate::support::{assert_balanced, named, report};
use load_client::report::{Report, Run};

/// A lab, its table on the page, and the statements to check.
pub(crate) struct Shown {
    /// The name of the lab's file, without the extension.
    pub(crate) name: &'static str,
    /// Flags that replace values of the lab.
    flags: &'static str,
    /// The bounds of the periods in the lab's table, in seconds since the load began.
    cuts: &'static [u32],
    /// Asserts the statements that the page makes about the lab.
    claims: fn(&Measured<'_>),
}

/// The report of a lab, with assertions about the share of scheduled requests that is done within the SLO in a period.
struct Measured<'a>(&'a Report);

impl Measured<'_> {
    fn share(&self, strategy: &str, seconds: Range<u32>) -> f64 {
        share(named(self.0, strategy), seconds)
    }

    /// Asserts that less than 5 % are done in the period.
    fn is_down(&self, strategy: &str, seconds: Range<u32>) {
        let share = self.share(strategy, seconds);
        assert!(share < 0.05, "{strategy}: {share}");
    }

    /// Asserts that at least 97 % are done in the period.
    fn is_well(&self, strategy: &str, seconds: Range<u32>) {
        let share = self.share(strategy, seconds);
        assert!(share >= 0.97, "{strategy}: {share}");
    }
}

/// The labs, in the order in which they are on the page.
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
                // The service recovers within two timeouts after the cause has ended.
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
            // The throttle recovers within two of its windows after the failures have ended.
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

/// Runs a lab in virtual time with additional flags. Returns its report.
fn run<'a>(lab: &'a str, flags: impl IntoIterator<Item = &'a str>) -> Report {
    let words = ["compare", lab, "--virtual-time", "-q"];
    let (output, report) = report(words.into_iter().chain(flags));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{lab}: {said}");
    report.runs.iter().for_each(assert_balanced);
    report
}

/// The requests done within the SLO in a period, as a share of those scheduled in it. It can be above 1 if requests that were
/// scheduled earlier are done in it.
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
