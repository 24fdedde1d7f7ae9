//! The tables of the page: their figures equal those of the report, and every term in them is explained.

use std::collections::{BTreeMap, BTreeSet};

use super::{heads, minute, page_of, pages, seconds, table};
use crate::support::{load_client, markup::Element};
use load_client::{
    ledger::{AttemptCounts, AuditCounts, Ledger, ServiceCounts},
    present::words::explain,
    report::AttemptsReport,
};

/// Counts that are all different: `first`, `first` + 1 and so on.
fn counts<const N: usize>(first: u64) -> [u64; N] {
    std::array::from_fn(|place| first + place as u64)
}

#[test]
fn every_count_of_every_table_is_on_the_page_and_in_the_text() {
    let folder = tempfile::tempdir().unwrap();
    let args = [
        "compare",
        "--virtual-time",
        "-z",
        "5s",
        "-q",
        "--strategy",
        "async-bounded",
    ];
    let (_, mut report) = pages(folder.path(), args);
    let run = &mut report.runs[0];
    run.ledger = Ledger::from(counts(1000));
    run.audit = Some(AuditCounts::from(counts(2000)));
    run.service.as_mut().unwrap().counts = ServiceCounts::from(counts(3000));
    run.attempts = Some(Box::new(AttemptsReport {
        counts: AttemptCounts::from(counts(4000)),
        per_request: None,
        time_seconds: BTreeMap::new(),
    }));
    let page = page_of(folder.path(), &report);
    let shown = load_client(["report"])
        .arg(folder.path().join("changed.json"))
        .output()
        .unwrap();
    let text = String::from_utf8(shown.stdout).unwrap();
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let terms = page.named("dl").into_iter().filter(|list| list.is("terms"));
    let terms: BTreeSet<String> = terms.flat_map(|list| list.named("dt")).map(Element::text).collect();
    let in_both = |caption: &str, labels: &[&str], first: u64| {
        let heads = heads(&page, caption);
        let row = &table(&page, caption)[0];
        for (label, count) in labels.iter().zip(first..) {
            let place = heads.iter().position(|head| head == label);
            assert_eq!(
                row[place.unwrap_or_else(|| panic!("{caption}: no {label}"))],
                count.to_string()
            );
            assert!(text.contains(&format!("{label} {count}")), "{label} {count}: {text}");
            assert!(terms.contains(*label), "{label} has no meaning");
        }
    };
    let caption = "The clients' ledger: how every scheduled request ended. The counts from “ok” to “in flight” add up to \
                   “scheduled”.";
    in_both(caption, &Ledger::COLUMNS.map(|column| column.label), 1000);
    in_both("The audit", &AuditCounts::COLUMNS.map(|column| column.label), 2000);
    in_both("The attempts", &AttemptCounts::COLUMNS.map(|column| column.label), 4000);
    let service = table(&page, "What the service reported");
    for (column, count) in ServiceCounts::COLUMNS.iter().zip(3000..) {
        let row = [column.label.to_owned(), count.to_string()];
        assert!(service.contains(&row.to_vec()), "{row:?}");
        assert!(terms.contains(column.label), "{row:?} has no meaning");
    }
}

#[test]
fn the_figures_are_those_of_the_report() {
    let folder = tempfile::tempdir().unwrap();
    let (page, report) = minute(folder.path());
    let runs = table(&page, "Results");
    let columns = heads(&page, "Results");
    let responses = table(&page, "Times, all from the scheduled send");
    let ledger = table(&page, "The clients' ledger");
    let text = page.text();
    for (run, (row, balance)) in report.runs.iter().zip(runs.iter().zip(&ledger)) {
        let service = run.service.as_ref().unwrap();
        let done = run.time_to_done_seconds.unwrap();
        assert_eq!(row[0], run.name);
        let cell = |head: &str| row[columns.iter().position(|column| column == head).unwrap()].as_str();
        assert_eq!(cell("RPC").to_lowercase(), run.rpc);
        assert_eq!(cell("scheduled"), run.ledger.intended.to_string());
        assert_eq!(cell("withheld"), run.ledger.withheld.to_string());
        assert_eq!(cell("most in system"), service.in_system_max.to_string());
        for (head, time) in [("time to done, median", done.p50), ("time to done, longest", done.max)] {
            let shown = seconds(cell(head));
            assert!((shown - time).abs() < 0.006, "{head}: {shown}, not {time}");
        }
        assert!(
            !columns.iter().any(|column| column == "failed"),
            "nothing failed: {columns:?}"
        );
        for (outcome, times) in &run.response_time_seconds {
            let name = match (run.rpc.as_str(), outcome.as_str()) {
                ("enqueue", "ok") => "acknowledgement time".to_owned(),
                (_, outcome) => format!("response time ({outcome})"),
            };
            let row = responses
                .iter()
                .find(|row| row[0] == run.name && row[1] == name)
                .unwrap();
            assert_eq!(row[2], times.count.to_string());
            for (shown, time) in row[3..7].iter().zip([times.mean, times.p50, times.p90, times.p99]) {
                assert!((seconds(shown) - time).abs() < 0.006, "{name}: {shown}, not {time}");
            }
        }
        assert_eq!(balance[2], run.ledger.ok.to_string());
        assert_eq!(balance.last().unwrap(), "yes");
        assert!(text.contains(&explain(run)));
    }
    let gates = table(&page, "Gates");
    let met: Vec<bool> = gates.iter().map(|row| row[1] == "FAIL").collect();
    let expected: Vec<bool> = report.runs.iter().map(|run| run.gates[0].met == Some(true)).collect();
    assert_eq!(met, expected);
    assert!(met.contains(&true) && met.contains(&false));
}

#[test]
fn a_table_that_is_wider_than_a_telephone_says_that_it_scrolls() {
    let folder = tempfile::tempdir().unwrap();
    let (page, _) = minute(folder.path());
    let section = page.named("section").into_iter().next().unwrap();
    let hint = section.named("p").into_iter().next().unwrap();
    assert!(hint.is("hint") && hint.is("below-1000"), "{:?}", hint.attributes);
    assert!(hint.text().contains("Scroll it sideways"));
}
