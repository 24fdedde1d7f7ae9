//! The result of a search for the capacity, as text: the answer, and below it all tests by their rates, so that the knee
//! shows.

use super::{
    grid::{Column, Grid, Kind, MISSING, times_in_one_unit},
    layout::{Layout, wrap},
};
use crate::{
    report::{FoundReport, ProbeReport, ProbeResult, Report, Run},
    units::plain,
};

/// The length of the longest bar, in columns.
const BAR: f64 = 10.0;
/// The last block of a bar, by eighths.
const PARTS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/// The tests of a search by their rates, each with its run; those of one rate in the order in which they were made.
pub(super) fn by_rate<'a>(report: &'a Report, found: &'a FoundReport) -> Vec<(&'a ProbeReport, &'a Run)> {
    let tests = found.probes.iter();
    let mut tests: Vec<_> = tests
        .filter_map(|probe| Some((probe, report.run(&probe.run)?)))
        .collect();
    tests.sort_by(|(one, _), (other, _)| one.rps.total_cmp(&other.rps));
    tests
}

/// The result of a test, in words.
pub(super) fn result(probe: &ProbeReport) -> String {
    let last = if probe.long { " (last test)" } else { "" };
    // If the rate holds, the figures beside it say why.
    let why = if probe.result == ProbeResult::Holds {
        String::new()
    } else {
        format!(": {}", probe.says)
    };
    format!("{}{last}{why}", probe.result.label())
}

/// A rate per second, if it is known.
pub(super) fn per_second(rate: Option<f64>) -> String {
    rate.map_or_else(|| MISSING.to_owned(), |rate| format!("{}/s", plain(rate)))
}

/// The answer, and a picture of the knee: goodput and p99 by rate.
pub fn knee(report: &Report, found: &FoundReport, layout: Layout) -> String {
    let tests = by_rate(report, found);
    let virtual_time = tests.first().is_some_and(|(_, run)| run.virtual_time);
    let goodputs: Vec<Option<f64>> = tests.iter().map(|(_, run)| run.goodput_rps).collect();
    let highest = goodputs.iter().copied().flatten().fold(0.0, f64::max);
    let p99s: Vec<Option<f64>> = tests
        .iter()
        .map(|(_, run)| run.judged_times().map(|times| times.p99))
        .collect();
    let known = || p99s.iter().copied().flatten().filter(|p99| *p99 > 0.0);
    let (least, most) = (known().fold(f64::INFINITY, f64::min), known().fold(0.0, f64::max));
    let goodput_bars = goodputs
        .iter()
        .map(|goodput| goodput.map_or_else(String::new, |goodput| bar(goodput / highest)));
    // On a log scale. The shortest bar is a single block.
    let p99_bars = p99s.iter().map(|p99| {
        let place = p99.map(|p99| (p99 / least).ln() / (most / least).ln().max(f64::MIN_POSITIVE));
        place.map_or_else(String::new, |place| bar(0.1 + 0.9 * place))
    });
    let table = Grid::new(vec![
        Column::new(
            Kind::Figures,
            "rate",
            tests
                .iter()
                .map(|(probe, _)| format!("{}/s", plain(probe.rps)))
                .collect(),
        ),
        Column::new(
            Kind::Figures,
            "goodput",
            goodputs.iter().map(|rate| per_second(*rate)).collect(),
        ),
        Column::new(Kind::Name, "", goodput_bars.collect()),
        Column::new(Kind::Figures, "p99", times_in_one_unit(&p99s, virtual_time)),
        Column::new(Kind::Name, "", p99_bars.collect()),
        Column::new(Kind::Words, "", tests.iter().map(|(probe, _)| result(probe)).collect()),
    ]);
    let answer = wrap(&found.says, layout.sentence(0)).join("\n");
    format!(
        "{answer}\n\n{}\nGoodput and the 99th percentile of the response time (of Enqueue: of the time to done) in each test.\n",
        table.text(layout.width)
    )
}

/// A bar for a share from 0 to 1.
fn bar(share: f64) -> String {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 80")]
    let eighths = (share.clamp(0.0, 1.0) * BAR * 8.0).round() as usize;
    format!("{}{}", "█".repeat(eighths / 8), PARTS[eighths % 8])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_as_long_as_its_share() {
        assert_eq!([0.0, 0.5, 0.5625, 2.0].map(bar), ["", "█████", "█████▋", "██████████"]);
        assert_eq!(bar(f64::NAN), "");
    }
}
