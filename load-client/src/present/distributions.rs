//! All times of a run as a table of distributions: count, mean, quantiles, maximum.

use super::{
    grid::{Column, Grid, Kind},
    layout::Layout,
};
use crate::{
    outcome::Outcome,
    report::{DistributionReport, Run},
    units::SharedUnit,
};

/// The heads of a table of distributions, without the first ones, which name the run and the distribution.
pub(super) const DISTRIBUTION: [&str; 7] = ["count", "mean", "p50", "p90", "p99", "p99.9", "max"];

/// A table of all distributions of a run, as text.
pub(super) fn distributions(run: &Run, layout: Layout) -> String {
    let all = all_distributions(run);
    let unit = unit(&[(run, all.clone())]);
    let rows: Vec<Vec<String>> = all.iter().map(|(_, times)| cells(times, unit)).collect();
    let names = all.into_iter().map(|(name, _)| name).collect();
    let mut columns = vec![Column::new(Kind::Name, "", names)];
    for (index, head) in DISTRIBUTION.iter().enumerate() {
        let cells = rows.iter().map(|row| row[index].clone()).collect();
        columns.push(Column::new(Kind::Figures, *head, cells));
    }
    Grid::new(columns).text(layout.width)
}

/// The unit of all times in a table of distributions.
pub(super) fn unit(all: &[(&Run, Vec<(String, DistributionReport)>)]) -> SharedUnit {
    let times = all.iter().flat_map(|(_, times)| times);
    let values = times.flat_map(|(_, times)| [times.mean, times.p50, times.p90, times.p99, times.p999, times.max]);
    SharedUnit::of(values, all.iter().any(|(run, _)| run.virtual_time))
}

/// The cells of a distribution in a table: its count, then its times.
pub(super) fn cells(times: &DistributionReport, unit: SharedUnit) -> Vec<String> {
    let figures = [times.mean, times.p50, times.p90, times.p99, times.p999, times.max];
    let figures = figures.map(|seconds| unit.show(seconds));
    [vec![times.count.to_string()], figures.to_vec()].concat()
}

/// All distributions of a run, each with its name. The most important time comes first.
pub(super) fn all_distributions(run: &Run) -> Vec<(String, DistributionReport)> {
    let responses = run
        .response_time_seconds
        .iter()
        .map(|(outcome, times)| (response(run, outcome), Some(*times)));
    let services = run
        .service_time_seconds
        .iter()
        .map(|(outcome, times)| (format!("service time ({outcome})"), Some(*times)));
    // If every answer means done, the time to done is the response time, so it is left out.
    let done = run.time_to_done_seconds.filter(|_| run.is_queued());
    let others = [
        ("queue wait".to_owned(), run.queue_wait_seconds),
        ("start lag".to_owned(), run.start_lag_seconds),
    ];
    let all = [("time to done".to_owned(), done)].into_iter();
    let all = all.chain(responses).chain(services).chain(others);
    all.filter_map(|(name, times)| Some((name, times?))).collect()
}

/// The name of the time from the scheduled send to an answer with this outcome.
pub(super) fn response(run: &Run, outcome: &str) -> String {
    if run.is_queued() && outcome == Outcome::Ok.label() {
        "acknowledgement time".to_owned()
    } else {
        format!("response time ({outcome})")
    }
}

#[cfg(test)]
mod tests {
    use super::{super::words::samples, *};

    #[test]
    fn acknowledgement_time_has_its_own_name_and_comes_after_the_time_to_done() {
        let mut run = samples::queued();
        run.response_time_seconds
            .insert("rejected".to_owned(), samples::times(0.001));
        let names: Vec<String> = all_distributions(&run).into_iter().map(|(name, _)| name).collect();
        assert_eq!(
            names,
            [
                "time to done",
                "acknowledgement time",
                "response time (rejected)",
                "service time (ok)",
                "queue wait"
            ]
        );
    }
}
