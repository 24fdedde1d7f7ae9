//! The order of the page: the most important parts come first.

use super::{charts, heads, minute, page_of};
use crate::support::markup::Element;
use load_client::{
    present::words::{choose, conclude, explain},
    report::Run,
};

#[test]
fn load_and_capacity_come_first_then_the_table_then_which_to_choose_then_the_charts() {
    let folder = tempfile::tempdir().unwrap();
    let (page, report) = minute(folder.path());
    assert_eq!(page.named("h1")[0].text(), "5 strategies under the same load");
    let text = page.text();
    let runs: Vec<(&str, &Run)> = report.runs.iter().map(|run| (run.name.as_str(), run)).collect();
    let choice = choose(&runs).unwrap();
    let texts = [
        "4 clients want to send 8 requests per second, 2 each.",
        "The service has 1 worker that takes 0.25 s per message, so its capacity is 4 messages per second. With async-scaled \
         there are 2 workers, and the capacity is 8 per second. The load is 200 % of the capacity (async-scaled: 100 %).",
        "60.0 s of load in virtual time",
        "Results",
        "A dash (–) means",
        "accepted, then thrown away because the queue was full; the client is not told",
        &conclude(&report.runs[0]),
        &conclude(&report.runs[4]),
        "Which one to choose",
        &choice.advice,
        "requests that are done late",
        &choice.options[3].1,
        "How long a message took until it was done",
        "How many messages were in the service",
        &explain(&report.runs[0]),
        "Do the counts add up?",
        "How this page was made",
    ];
    let places = texts.map(|what| text.find(what).unwrap_or_else(|| panic!("{what:?} is missing")));
    assert!(places.is_sorted(), "{places:?}");
    // Every column heading of the results, except the first two, is explained in the list of terms.
    let terms = page.named("dl").into_iter().find(|list| list.is("terms")).unwrap();
    let terms: Vec<String> = terms.named("dt").into_iter().map(Element::text).collect();
    for head in heads(&page, "Results").iter().skip(2) {
        assert!(
            terms.iter().any(|term| head.starts_with(term)),
            "{head} is in none of {terms:?}"
        );
    }
}

#[test]
fn every_chart_has_the_command_that_makes_it_again() {
    let folder = tempfile::tempdir().unwrap();
    let (page, report) = minute(folder.path());
    for chart in charts(&page) {
        let commands: Vec<String> = chart.named("code").into_iter().map(Element::text).collect();
        assert_eq!(commands, [report.command.clone().unwrap()], "{}", chart.get("id"));
    }
}

#[test]
fn a_run_limited_by_its_client_says_so_before_anything_else() {
    let folder = tempfile::tempdir().unwrap();
    let (_, mut report) = minute(folder.path());
    report.runs[1].verdict.client_limited = true;
    "the generator was late".clone_into(&mut report.runs[1].verdict.reason);
    report.runs[2].ledger.ok -= 1;
    let page = page_of(folder.path(), &report);
    let alerts = page.named("p").into_iter().filter(|text| text.is("alert"));
    let alerts: Vec<String> = alerts.map(Element::text).collect();
    assert!(
        alerts[0].starts_with("CLIENT-LIMITED: async-scaled: the generator was late."),
        "{alerts:?}"
    );
    assert!(
        alerts[1].contains("async-bounded: the ledger does not balance"),
        "{alerts:?}"
    );
    let text = page.text();
    let place = |what: &str| text.find(what).unwrap();
    assert!(place("CLIENT-LIMITED") < place("4 clients want to send"));
    assert!(place("FAIL: sync: withheld") < place("4 clients want to send"));
}
