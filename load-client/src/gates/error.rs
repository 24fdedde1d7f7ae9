//! Why a rule cannot be parsed, with the rule that was probably meant.

use super::rule::Count;
use crate::outcome::Outcome;

/// Why a rule cannot be parsed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// The rule has no comparison, and is not `client-limited`.
    #[error("is no rule; write FIGURE>BOUND, like 'p99>250ms', with > >= < or <=, or 'client-limited'")]
    NoComparison,
    /// The left side of the rule is not a known figure.
    #[error("{0:?} is no figure of a report; there are {TIMES}, each with (SCOPE) or without, and {counts}", counts = counts())]
    Figure(String),
    /// The left side of the rule is a name from another tool.
    #[error("{0:?} is no figure of a report; {1}")]
    OtherName(String, &'static str),
    /// The text in brackets is not a known scope.
    #[error("{0:?} has no times; the scopes are {scopes}", scopes = scopes())]
    Scope(String),
    /// The text in brackets begins with `u=`, but is not a class of urgency.
    #[error("u={0} is no class; the classes are u=0 (the most urgent) to u=7, like p99(u=0)")]
    Class(String),
    /// The rule is about a class of urgency, but this count is not known for each class.
    #[error(
        "{0} is not known for each class; by class there are pN, mean, max, goodput and the outcomes of requests, like ok(u=0)"
    )]
    NotByClass(String),
    /// The number of the percentile is out of range.
    #[error("p{0} is no percentile; it must be more than 0 and less than 100, like p99.9, and the largest is max")]
    Percentile(String),
    /// The bound of a count has a decimal point: a share without `%`, or a fraction of a request.
    #[error("{bound} is no whole number of requests; write {instead}")]
    Fraction {
        /// The right side, as it was written.
        bound: String,
        /// The rule that is probably meant.
        instead: String,
    },
    /// The bound is a share of more than 100 % of the scheduled requests.
    #[error("{0}% is more than all scheduled requests; write a share from 0% to 100%, like 5%")]
    OverAll(String),
    /// The right side of the rule does not fit the left side.
    #[error("{bound:?} is no {wanted}")]
    Bound {
        /// The right side, as it was written.
        bound: String,
        /// What the left side needs, like "duration".
        wanted: &'static str,
    },
}

const TIMES: &str = "pN (like p99 or p99.9), mean and max";

fn counts() -> String {
    let names: Vec<String> = Count::all().map(Count::name).collect();
    format!("goodput, {} and client-limited", names.join(", "))
}

fn scopes() -> String {
    let outcomes = Outcome::ALL.map(Outcome::label).join(", ");
    format!(
        "{outcomes}, acknowledgement, time-to-done, service-time, queue-wait, start-lag, and a class of --priorities like u=0"
    )
}

/// Names of figures in other tools, each with a hint to the name here.
pub(super) const OTHER_NAMES: [(&[&str], &str); 8] = [
    (
        &["error", "errors", "error-rate", "failure", "failures"],
        "errors are `failed` (any other status), `unavailable` (no connection) and `expired` (deadline passed); 'ok<99%' \
         counts all of them",
    ),
    (
        &["timeout", "timeouts"],
        "requests that pass their deadline are `expired`",
    ),
    (&["success", "successes", "checks"], "successful requests are `ok`"),
    (
        &["latency", "duration", "response-time"],
        "write pN, mean or max, like 'p99>250ms'",
    ),
    (&["avg", "average"], "write mean"),
    (&["median", "med"], "write p50"),
    (&["throughput", "rps", "rate"], "write goodput, like 'goodput<80/s'"),
    (&["refused", "shed", "throttled"], "write rejected"),
];
