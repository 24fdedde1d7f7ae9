//! What the columns of the results mean, for readers that see the page for the first time.

use super::markup::Markup;

/// The head of a column, and its meaning.
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
        "still queued",
        "accepted and not processed when the load client stopped waiting",
    ),
    ("lost", "accepted, and gone without a trace"),
    ("rejected", "refused by the service on arrival, because it had no room"),
    ("expired", "the deadline passed first"),
    ("unavailable", "the service could not be reached, or was shutting down"),
    ("failed", "answered with another error"),
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
        "time to drain",
        "from the end of the load until the service had finished everything",
    ),
];

/// Writes the meaning of each of these columns that has one.
pub(super) fn write(heads: &[String], page: &mut Markup) {
    let shown = TERMS.iter().filter(|(term, _)| {
        let is_of = |head: &String| head == term || head.starts_with(&format!("{term}, "));
        heads.iter().any(is_of)
    });
    page.new_line();
    page.element("dl", &[("class", "terms")], |list| {
        for (term, meaning) in shown {
            list.element("div", &[], |pair| {
                pair.line("dt", &[], term);
                pair.line("dd", &[], meaning);
            });
        }
    });
}
