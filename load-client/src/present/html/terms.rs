//! The meaning of the columns of the tables, for readers that see the page for the first time.

use super::markup::Markup;
use crate::ledger::Column;

/// The head of a column or of a row of times, and its meaning.
const TERMS: &[(&str, &str)] = &[
    ("scheduled", "requests that were due, whether or not they could be sent"),
    ("done", "processed"),
    (
        "accepted",
        "put on the queue; what became of the message later is not known",
    ),
    (
        "dropped",
        "accepted, then thrown away because the queue was full; the client is not told",
    ),
    ("discarded", "accepted, then given up before it was processed"),
    (
        "queued",
        "accepted and not processed when the load client stopped waiting",
    ),
    ("lost", "accepted, and gone without a trace"),
    ("unknown", "accepted, and it cannot be known what became of it"),
    ("rejected", "refused by the service, because it had no room"),
    ("expired", "the deadline passed first"),
    ("unavailable", "the service could not be reached, or was shutting down"),
    ("failed", "answered with another error"),
    (
        "throttled",
        "not sent, because the client itself held it back after too many refusals",
    ),
    (
        "withheld",
        "not sent, because the client was still waiting for an earlier answer",
    ),
    ("in flight", "sent, and not answered when the run ended"),
    (
        "queue at end of load",
        "messages on the queue when the clients stopped sending",
    ),
    (
        "most in system",
        "the most messages that waited or were being processed at one time",
    ),
    (
        "time to done",
        "from the scheduled send until the message was processed",
    ),
    ("response time", "from the scheduled send to the answer"),
    (
        "busy after load",
        "how long the service worked after the load had ended, until everything was done",
    ),
    (
        "attempts per request",
        "how often a request was sent, on average: clients try again after a failure",
    ),
    (
        "acknowledgement time",
        "from the scheduled send to the answer of Enqueue",
    ),
    ("service time", "from the actual send to the answer"),
    (
        "queue wait",
        "from a message's arrival at the service until a worker took it",
    ),
    ("start lag", "how late the load client itself sent"),
    (
        "p50, p90, p99, p99.9",
        "50 %, 90 %, 99 % or 99.9 % of the times were at most this long",
    ),
];

/// Writes the meaning of each of these heads that has one.
pub(super) fn write(heads: &[String], page: &mut Markup) {
    let is_of = |head: &str, term: &str| {
        let rest = head.strip_prefix(term);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(", ") || rest.starts_with(" ("))
    };
    let has = |term: &str| heads.iter().any(|head| is_of(head, term));
    list(TERMS.iter().copied().filter(|(term, _)| has(term)), page);
}

/// Writes the meaning of each count of a table.
pub(super) fn counts<T>(columns: &[Column<T>], page: &mut Markup) {
    list(columns.iter().map(|column| (column.label, column.about.trim())), page);
}

fn list<'a>(terms: impl Iterator<Item = (&'a str, &'a str)>, page: &mut Markup) {
    page.new_line();
    page.element("dl", &[("class", "terms")], |list| {
        for (term, meaning) in terms {
            list.element("div", &[], |pair| {
                pair.line("dt", &[], term);
                pair.element("dd", &[], |dd| dd.prose(meaning));
            });
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        present::columns::{columns, tests::all_ends},
        report::Run,
    };

    #[test]
    fn every_column_of_the_results_has_a_meaning() {
        let runs = all_ends();
        let runs: Vec<&Run> = runs.iter().collect();
        let heads = columns(&runs, vec![String::new(); runs.len()]).into_iter();
        let mut page = Markup::default();
        let heads: Vec<String> = heads.map(|column| column.head).skip(2).collect();
        write(&heads, &mut page);
        let page = page.into_string();
        for head in heads {
            let term = head.split(", ").next().unwrap();
            assert!(page.contains(&format!("<dt>{term}</dt>")), "{head}");
        }
    }
}
