//! The text at the end of a run: the results of runs side by side, or one run in full, with sentences about each.

use std::fmt::Write;

use super::{
    classes,
    columns::columns,
    distributions::distributions,
    grid::{Grid, MISSING},
    layout::{Layout, wrap},
    picture::picture,
    theory,
    words::{driven, explain, generator, label, unanswered, warning},
};
use crate::{
    ledger::{self, AttemptCounts, AuditCounts, Ledger, Part},
    report::Run,
    units::{counted, time},
};

/// A table with a row for each run, and some sentences about each. Above it are the warnings about runs in which the load
/// client was the limit, and the call and the load of each run against a URL. The bars of all runs have the same scale.
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
    if let Some(columns) = classes::columns(&all, &names) {
        let _ = writeln!(text, "{}:\n{}", classes::CAPTION, Grid::new(columns).text(layout.width));
    }
    let highest = runs
        .iter()
        .filter_map(|run| run.service.as_ref())
        .map(|service| service.in_system_max)
        .max();
    let several = runs.len() > 1;
    let predicted = runs.iter().any(theory::predicts);
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
        if let Some(theory) = theory::sentence(run, predicted) {
            lines.extend(wrap(&theory, layout.sentence(indent)));
        }
        for (index, line) in lines.into_iter().enumerate() {
            let name = if several && index == 0 { name.as_str() } else { "" };
            let _ = writeln!(text, "{name:indent$}{line}");
        }
    }
    text
}

/// One run with all its figures, as text for a terminal.
pub fn single(run: &Run, layout: Layout) -> String {
    let mut text = comparison(std::slice::from_ref(run), layout);
    let per_second = |rate: Option<f64>| rate.map_or_else(|| MISSING.to_owned(), |rate| format!("{rate:.2}/s"));
    let _ = writeln!(
        text,
        "\noffered load {} for {}, goodput {}",
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
    let attempts = run.attempts.as_ref();
    let attempts = attempts.map(|attempts| sum(&AttemptCounts::COLUMNS, &attempts.counts));
    [ledger]
        .into_iter()
        .chain(attempts)
        .chain(audit)
        .chain(answers(run))
        .collect()
}

/// The lines after the sums: the statuses, if there are others than OK, and each URL, if there are several.
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

#[cfg(test)]
mod tests {
    use super::{
        super::{columns::tests::all_ends, words::samples},
        *,
    };
    use crate::report::TargetReport;

    fn rows(runs: &[Run], width: usize) -> String {
        comparison(runs, Layout { width })
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
        let mut run = samples::run("helloworld.Greeter/SayHello");
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
    fn only_ends_that_occurred_are_in_the_sums() {
        let mut run = samples::queued();
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
