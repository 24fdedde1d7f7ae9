//! The tables at the end: how every request ended, how long things took, and what that means in words.

use std::fmt::Write;

use super::{
    grid::{Column, Grid, Kind, MISSING, times_in_one_unit},
    layout::{Layout, wrap},
    picture::picture,
    words::{counted, driven, explain, generator, label, method, unanswered, warning},
};
use crate::{
    ledger::{self, AuditCounts, Ledger, Part},
    outcome::Outcome,
    report::{DistributionReport, Run},
    scenario::Rpc,
    units::{SharedUnit, time},
};

/// A figure of a run; `None` if it is not known.
type Of<T> = dyn Fn(&Run) -> Option<T>;

/// A way in which a scheduled request can end.
struct End {
    head: &'static str,
    /// `None` if it is not known of a run.
    count: Box<Of<u64>>,
    /// Whether it is shown even if it is zero.
    always: bool,
}

fn end(head: &'static str, always: bool, count: impl Fn(&Run) -> Option<u64> + 'static) -> End {
    End {
        head,
        count: Box::new(count),
        always,
    }
}

/// Each scheduled request is in exactly one of them, so the columns of a row add up to `scheduled`: an ok of Enqueue is
/// where its message has come to.
fn ends() -> Vec<End> {
    let mut ends = vec![
        end("done", true, |run| match &run.audit {
            Some(audit) => Some(audit.done),
            None => (!is_queued(run)).then_some(run.ledger.ok),
        }),
        end("accepted", false, |run| {
            (is_queued(run) && run.audit.is_none()).then_some(run.ledger.ok)
        }),
        end("dropped", false, |run| discarded(run, true)),
        end("discarded", false, |run| discarded(run, false)),
    ];
    let audit = AuditCounts::COLUMNS.iter();
    let audit = audit.filter(|column| matches!(column.part, Part::Bad | Part::Open) && column.name != "discarded");
    ends.extend(audit.map(|column| end(column.label, false, |run| run.audit.as_ref().map(column.of))));
    let ledger = Ledger::COLUMNS.iter();
    let ledger = ledger.filter(|column| matches!(column.part, Part::Bad | Part::Open));
    ends.extend(ledger.map(|column| {
        let always = ["rejected", "withheld"].contains(&column.name);
        end(column.label, always, |run| Some((column.of)(&run.ledger)))
    }));
    ends
}

/// Messages that were accepted and not processed: dropped by the policy of a full queue, if `by_policy`; for any other
/// reason, or several, otherwise.
fn discarded(run: &Run, by_policy: bool) -> Option<u64> {
    let (audit, service) = (run.audit.as_ref()?, run.service.as_ref()?);
    let all_dropped = audit.discarded <= service.dropped && service.abandoned == 0;
    Some(if all_dropped == by_policy { audit.discarded } else { 0 })
}

/// Whether an OK says no more than that a message is on the queue.
fn is_queued(run: &Run) -> bool {
    run.rpc == Rpc::Enqueue.label()
}

/// Runs side by side: a row each, with the given names. Columns that have nothing to say are left out.
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
    // Where every answer means done, there is but one time.
    let times = if runs.iter().any(|run| is_queued(run)) {
        "time to done"
    } else {
        "response time"
    };
    let virtual_time = runs.iter().any(|run| run.virtual_time);
    let columns: [(String, &Of<f64>); 3] = [
        (format!("{times}, median"), &|run| Some(run.time_to_done_seconds?.p50)),
        (format!("{times}, longest"), &|run| Some(run.time_to_done_seconds?.max)),
        ("time to drain".to_owned(), &|run| run.service.as_ref()?.drain_seconds),
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

/// Rows side by side, with some sentences on each; on top, whose figures are not the service's, and what was driven if that
/// is a service of the user's. All pictures have the same scale.
pub fn comparison(runs: &[Run], layout: Layout) -> String {
    let mut text = String::new();
    for warning in warning(runs).lines() {
        text.extend(wrap(warning, layout.sentence(0)).into_iter().map(|line| line + "\n"));
    }
    let addressed = |run: &&Run| {
        let target = run.configuration.as_ref().and_then(|made| made.target.as_deref());
        target.is_some_and(|target| target.contains("://"))
    };
    for run in runs.iter().filter(addressed) {
        let name = if runs.len() > 1 {
            label(run) + ": "
        } else {
            String::new()
        };
        let driven = driven(run).unwrap_or_default();
        text.extend(
            wrap(&format!("{name}{driven}"), layout.sentence(0))
                .into_iter()
                .map(|line| line + "\n"),
        );
    }
    if !text.is_empty() {
        text.push('\n');
    }
    let all: Vec<&Run> = runs.iter().collect();
    let names: Vec<String> = runs.iter().map(label).collect();
    text.push_str(&Grid::new(columns(&all, names.clone())).text(layout.width));
    text.push('\n');
    let highest = runs
        .iter()
        .filter_map(|run| run.service.as_ref())
        .map(|service| service.in_system_max)
        .max();
    let several = runs.len() > 1;
    let indent = if several {
        names.iter().map(|name| name.chars().count()).max().unwrap_or(0) + 2
    } else {
        0
    };
    for (run, name) in runs.iter().zip(&names) {
        let mut lines = Vec::new();
        let picture = picture(run, highest.unwrap_or(1));
        if !picture.is_empty() {
            let most = run.service.as_ref().map_or(0, |service| service.in_system_max);
            lines.push(format!("{picture}  in system, at most {most}"));
        }
        lines.extend(wrap(&explain(run), layout.sentence(indent)));
        for (index, line) in lines.into_iter().enumerate() {
            let name = if several && index == 0 { name.as_str() } else { "" };
            let _ = writeln!(text, "{name:indent$}{line}");
        }
    }
    text
}

/// One run in full.
pub fn single(run: &Run, layout: Layout) -> String {
    let mut text = comparison(std::slice::from_ref(run), layout);
    let per_second = |rate: Option<f64>| rate.map_or_else(|| MISSING.to_owned(), |rate| format!("{rate:.2}/s"));
    let _ = writeln!(
        text,
        "\noffered {} for {}, goodput {}",
        per_second(run.load.offered_rps),
        time(run.load.duration_seconds),
        per_second(run.goodput_rps),
    );

    for sum in sums(run) {
        let lines = wrap(&sum, layout.width.saturating_sub(2));
        for (index, line) in lines.iter().enumerate() {
            let _ = writeln!(text, "{}{line}", if index == 0 { "" } else { "  " });
        }
    }
    let _ = writeln!(text, "\n{}", distributions(run, layout).trim_end());
    let mut last = Vec::new();
    last.extend(unanswered(run));
    last.push(generator(run));
    for sentence in last {
        let _ = writeln!(text, "\n{}", wrap(&sentence, layout.sentence(0)).join("\n"));
    }
    text
}

/// The ledger and the audit, each as a sum.
fn sums(run: &Run) -> Vec<String> {
    let ledger = sum(&Ledger::COLUMNS, &run.ledger);
    let audit = run.audit.as_ref().map(|audit| sum(&AuditCounts::COLUMNS, audit));
    [ledger].into_iter().chain(audit).chain(answers(run)).collect()
}

/// What the sums do not say: statuses, if there are others than OK, and each URL, if there are several.
fn answers(run: &Run) -> Vec<String> {
    let mut lines = Vec::new();
    let statuses = run.status_codes.iter().flatten();
    let statuses: Vec<String> = statuses.map(|(status, count)| format!("{status} {count}")).collect();
    if !statuses.is_empty() && !statuses.iter().all(|status| status.starts_with("OK ")) {
        lines.push(format!("answers by gRPC status: {}", statuses.join(", ")));
    }
    let targets = run.targets.as_deref().filter(|targets| targets.len() > 1);
    for target in targets.unwrap_or_default() {
        let sum = sum(&Ledger::COLUMNS, &target.ledger);
        let connections = counted(target.connected, "connection");
        lines.push(format!("{}: {sum}; {connections} at the end", target.url));
    }
    lines
}

/// A table of counts as a sum, `scheduled 5 = ok 3 + rejected 2`, without the counts that are zero.
fn sum<T>(columns: &[ledger::Column<T>], counts: &T) -> String {
    let shown = columns.iter().enumerate();
    let shown = shown.filter(|(place, column)| *place < 2 || (column.of)(counts) > 0);
    let terms = shown.map(|(place, column)| {
        let before = match column.part {
            _ if place == 0 => "",
            Part::Beside => "; ",
            _ if place == 1 => " = ",
            _ => " + ",
        };
        format!("{before}{} {}", column.label, (column.of)(counts))
    });
    terms.collect()
}

/// The heads of a table of distributions, after those that say whose and which.
pub(super) const DISTRIBUTION: [&str; 7] = ["count", "mean", "p50", "p90", "p99", "p99.9", "max"];

fn distributions(run: &Run, layout: Layout) -> String {
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

/// The one in which all times of a table of distributions are.
pub(super) fn unit(all: &[(&Run, Vec<(String, DistributionReport)>)]) -> SharedUnit {
    let times = all.iter().flat_map(|(_, times)| times);
    let values = times.flat_map(|(_, times)| [times.mean, times.p50, times.p90, times.p99, times.p999, times.max]);
    SharedUnit::of(values, all.iter().any(|(run, _)| run.virtual_time))
}

/// A distribution in a table of them: its count, its times.
pub(super) fn cells(times: &DistributionReport, unit: SharedUnit) -> Vec<String> {
    let figures = [times.mean, times.p50, times.p90, times.p99, times.p999, times.max];
    let figures = figures.map(|seconds| unit.show(seconds));
    [vec![times.count.to_string()], figures.to_vec()].concat()
}

/// All distributions of a run, each with its name. The time that counts comes first.
pub(super) fn all_distributions(run: &Run) -> Vec<(String, DistributionReport)> {
    let responses = run
        .response_time_seconds
        .iter()
        .map(|(outcome, times)| (response(run, outcome), Some(*times)));
    let services = run
        .service_time_seconds
        .iter()
        .map(|(outcome, times)| (format!("service time ({outcome})"), Some(*times)));
    // Where every answer means done, it is the response time once more.
    let done = run.time_to_done_seconds.filter(|_| is_queued(run));
    let others = [
        ("queue wait".to_owned(), run.queue_wait_seconds),
        ("start lag".to_owned(), run.start_lag_seconds),
    ];
    let all = [("time to done".to_owned(), done)].into_iter();
    let all = all.chain(responses).chain(services).chain(others);
    all.filter_map(|(name, times)| Some((name, times?))).collect()
}

/// What the time from the scheduled send to an answer is called.
pub(super) fn response(run: &Run, outcome: &str) -> String {
    if is_queued(run) && outcome == Outcome::Ok.label() {
        "acknowledgement time".to_owned()
    } else {
        format!("response time ({outcome})")
    }
}

#[cfg(test)]
mod tests {
    use super::{super::words::tests, *};
    use crate::report::TargetReport;

    fn rows(runs: &[Run], width: usize) -> String {
        comparison(runs, Layout { width })
    }

    /// One run for each way that a request can end.
    fn all_ends() -> Vec<Run> {
        let mut queued = tests::queued();
        queued.ledger.intended = 87;
        let audit = queued.audit.as_mut().unwrap();
        (audit.done, audit.discarded, audit.queued, audit.lost, audit.unknown) = (70, 4, 3, 2, 1);
        (queued.ledger.rejected, queued.ledger.expired, queued.ledger.withheld) = (1, 2, 4);
        let mut dropping = tests::queued();
        (
            dropping.service.as_mut().unwrap().dropped,
            dropping.audit.as_mut().unwrap().discarded,
        ) = (30, 30);
        dropping.audit.as_mut().unwrap().done = 50;
        let mut unseen = tests::queued();
        (unseen.service, unseen.audit) = (None, None);
        let mut answered = tests::run("process");
        (
            answered.ledger.intended,
            answered.ledger.unavailable,
            answered.ledger.failed,
            answered.ledger.in_flight,
        ) = (86, 1, 2, 3);
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

    #[test]
    fn no_line_is_longer_than_the_terminal() {
        for width in [60, 80, 100, 120] {
            let text = rows(&all_ends(), width);
            assert!(text.lines().all(|line| line.chars().count() <= width), "{text}");
            let single = single(&all_ends()[0], Layout { width });
            assert!(single.lines().all(|line| line.chars().count() <= width), "{single}");
        }
    }

    #[test]
    fn a_service_of_ones_own_has_no_empty_columns_and_no_time_twice() {
        let mut run = tests::run("helloworld.Greeter/SayHello");
        run.service = None;
        let text = single(&run, Layout::default());
        assert!(!text.contains(MISSING), "{text}");
        assert_eq!(
            text.lines().take(5).collect::<Vec<_>>(),
            [
                "helloworld.Greeter/SayHello at http://127.0.0.1:50051: 4 clients, 8 requests per",
                "second (constant arrivals), for 10.0 s.",
                "",
                "                                                   response       response",
                "          scheduled  done  rejected  withheld  time, median  time, longest",
            ]
        );
        assert!(!text.contains("time to done"), "{text}");
        assert!(text.contains("service time (ok)"), "{text}");
    }

    #[test]
    fn acknowledgement_time_has_its_own_name_and_comes_after_the_time_to_done() {
        let mut run = tests::queued();
        run.response_time_seconds
            .insert("rejected".to_owned(), tests::times(0.001));
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

    #[test]
    fn only_ends_that_occurred_are_in_the_sums() {
        let mut run = tests::queued();
        assert_eq!(sums(&run), ["scheduled 80 = ok 80", "acknowledged 80 = done 80"]);
        run.status_codes = Some([("OK".to_owned(), 80)].into());
        assert_eq!(sums(&run).len(), 2, "what is said already");
        run.status_codes = Some([("NOT_FOUND".to_owned(), 4), ("OK".to_owned(), 76)].into());
        let target = |url: &str, ok, unavailable, connected| TargetReport {
            url: url.to_owned(),
            connected,
            ledger: Ledger {
                intended: 40,
                ok,
                unavailable,
                ..Ledger::default()
            },
        };
        run.targets = Some(vec![target("http://a:1", 40, 0, 1), target("http://b:1", 0, 40, 0)]);
        assert_eq!(
            sums(&run)[2..],
            [
                "answers by gRPC status: NOT_FOUND 4, OK 76",
                "http://a:1: scheduled 40 = ok 40; 1 connection at the end",
                "http://b:1: scheduled 40 = ok 0 + unavailable 40; 0 connections at the end",
            ]
        );
        (run.status_codes, run.targets) = (None, None);
        (run.ledger.ok, run.ledger.in_flight) = (0, 80);
        run.audit.as_mut().unwrap().duplicated = 1;
        assert_eq!(
            sums(&run),
            [
                "scheduled 80 = ok 0 + in flight 80",
                "acknowledged 80 = done 80; done twice 1"
            ]
        );
    }
}
