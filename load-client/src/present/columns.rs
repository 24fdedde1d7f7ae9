//! The columns of the table of results: the requests by outcome, then the levels and the times.

use super::{
    ends::{Of, ends},
    grid::{Column, Kind, MISSING, times_in_one_unit},
    words::method,
};
use crate::report::Run;

/// The columns of a table with a row for each run; `names` are those of the runs. Columns without a figure are left out.
pub(super) fn columns(runs: &[&Run], names: Vec<String>) -> Vec<Column> {
    let figures = |head: &str, cells| Column::new(Kind::Figures, head, cells);
    let whole = |of: &Of<u64>| -> Vec<String> {
        let counts = runs.iter().map(|run| of(run));
        counts
            .map(|count| count.map_or_else(|| MISSING.to_owned(), |count| count.to_string()))
            .collect()
    };
    let any = |of: &Of<u64>| runs.iter().any(|run| of(run).is_some_and(|count| count > 0));
    let mut all = vec![Column::new(Kind::Name, "", names)];
    if runs.len() > 1 {
        all.push(Column::new(
            Kind::Name,
            "RPC",
            runs.iter().map(|run| method(run)).collect(),
        ));
    }
    all.push(figures("scheduled", whole(&|run| Some(run.ledger.intended))));
    for end in ends() {
        if any(&end.count) || (end.always && runs.iter().any(|run| (end.count)(run).is_some())) {
            all.push(figures(end.head, whole(&end.count)));
        }
    }
    let each: Vec<Option<f64>> = runs.iter().map(|run| run.attempts.as_ref()?.per_request).collect();
    if each.iter().any(Option::is_some) {
        let cell = |each: Option<f64>| each.map_or_else(|| MISSING.to_owned(), |each| format!("{each:.2}"));
        all.push(figures("attempts per request", each.into_iter().map(cell).collect()));
    }
    let levels: [(&str, &Of<u64>); 2] = [
        ("queue at end of load", &|run| run.service.as_ref()?.queue_depth_end),
        ("most in system", &|run| Some(run.service.as_ref()?.in_system_max)),
    ];
    let second_part = all.len();
    for (head, of) in levels {
        if any(of) {
            all.push(figures(head, whole(of)));
        }
    }
    // If every answer means done, the time to done is the response time.
    let times = if runs.iter().any(|run| run.is_queued()) {
        "time to done"
    } else {
        "response time"
    };
    let virtual_time = runs.iter().any(|run| run.virtual_time);
    let columns: [(String, &Of<f64>); 3] = [
        (format!("{times}, median"), &|run| Some(run.time_to_done_seconds?.p50)),
        (format!("{times}, longest"), &|run| Some(run.time_to_done_seconds?.max)),
        ("busy after load".to_owned(), &|run| run.service.as_ref()?.drain_seconds),
    ];
    for (head, of) in columns {
        let values: Vec<Option<f64>> = runs.iter().map(|run| of(run)).collect();
        if values.iter().any(Option::is_some) {
            all.push(figures(&head, times_in_one_unit(&values, virtual_time)));
        }
    }
    if let Some(first) = all.get_mut(second_part) {
        first.begins_part = true;
    }
    all
}

#[cfg(test)]
pub(in crate::present) mod tests {
    use super::{super::words::samples, *};

    /// Runs that have, all together, every outcome of a request.
    pub(in crate::present) fn all_ends() -> Vec<Run> {
        let mut queued = samples::queued();
        queued.ledger.intended = 87;
        let audit = queued.audit.as_mut().unwrap();
        (audit.done, audit.discarded, audit.queued, audit.lost, audit.unknown) = (70, 4, 3, 2, 1);
        (queued.ledger.rejected, queued.ledger.expired, queued.ledger.withheld) = (1, 2, 4);
        let mut dropping = samples::queued();
        (
            dropping.service.as_mut().unwrap().counts.dropped,
            dropping.audit.as_mut().unwrap().discarded,
        ) = (30, 30);
        dropping.audit.as_mut().unwrap().done = 50;
        let mut unseen = samples::queued();
        (unseen.service, unseen.audit) = (None, None);
        let mut answered = samples::run("process");
        (
            answered.ledger.intended,
            answered.ledger.unavailable,
            answered.ledger.failed,
            answered.ledger.in_flight,
            answered.ledger.throttled,
        ) = (87, 1, 2, 3, 1);
        let mut runs = vec![queued, dropping, unseen, answered];
        for (run, name) in runs.iter_mut().zip(["queued", "dropping", "unseen", "answered"]) {
            name.clone_into(&mut run.name);
        }
        runs
    }

    #[test]
    fn every_row_adds_up() {
        let runs = all_ends();
        let all: Vec<&Run> = runs.iter().collect();
        let columns = columns(&all, vec![String::new(); all.len()]);
        let ends: Vec<&Column> = columns
            .iter()
            .filter(|column| super::ends().iter().any(|end| end.head == column.head))
            .collect();
        assert_eq!(ends.len(), super::ends().len(), "every end has a column");
        for (row, run) in runs.iter().enumerate() {
            let sum: u64 = ends
                .iter()
                .filter_map(|column| column.cells[row].parse::<u64>().ok())
                .sum();
            assert_eq!(sum, run.ledger.intended, "{}", run.name);
        }
    }
}
