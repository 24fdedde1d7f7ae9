//! Makes the report of a search: its answer in figures and in words.

use crate::{
    report::{FoundReport, Limit, ProbeReport},
    search::End,
    units::plain,
};

/// Why a search ended.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Ending {
    /// The search is complete.
    Searched(End),
    /// The user stopped the search.
    Stopped,
    /// A rule could not be judged; the text says which one and why.
    Unknown(String),
    /// A test could not be run, although earlier tests were; the text says why.
    Broken(String),
}

/// Makes the report of a search. `limit` is that of the last test that the load client limited: its kind, and the
/// reason in words.
pub(super) fn found(ending: &Ending, probes: Vec<ProbeReport>, limit: Option<(Limit, String)>) -> FoundReport {
    let end = match ending {
        Ending::Searched(end) => Some(*end),
        Ending::Stopped | Ending::Unknown(_) | Ending::Broken(_) => None,
    };
    let client = limit.as_ref().map(|(limit, _)| *limit);
    let service = Some(Limit::Service);
    let (holds_rps, fails_rps, limited_by) = match end {
        Some(End::Between { holds, fails }) => (Some(holds), Some(fails), service),
        Some(End::AtLeast { holds, limited }) => (Some(holds), None, client.filter(|_| limited)),
        Some(End::Nothing { lowest, limited: false }) => (None, Some(lowest), service),
        Some(End::Nothing { limited: true, .. }) => (None, None, client),
        Some(End::Unsettled) | None => (None, None, None),
    };
    FoundReport {
        found: matches!(end, Some(End::Between { .. })),
        holds_rps,
        fails_rps,
        limited_by,
        says: says(
            ending,
            limit.map(|(_, why)| why).unwrap_or_default().trim_end_matches('.'),
        ),
        probes,
    }
}

fn says(ending: &Ending, why: &str) -> String {
    match ending {
        Ending::Searched(End::Between { holds, fails }) => format!(
            "The capacity is between {} and {} requests per second: the service holds the first rate, and not the second.",
            plain(*holds),
            plain(*fails)
        ),
        Ending::Searched(End::AtLeast { holds, limited: true }) => format!(
            "The capacity is at least {} requests per second. Above that the load client is the limit, so there is no \
             answer: {why}.",
            plain(*holds)
        ),
        Ending::Searched(End::AtLeast { holds, limited: false }) => format!(
            "The capacity is at least {} requests per second, the highest rate that was to be tested. A higher --max-rps \
             lets the search go on.",
            plain(*holds)
        ),
        Ending::Searched(End::Nothing { lowest, limited: false }) => format!(
            "There is no answer: the service does not hold even {} requests per second. The tests say why; --first-rps lets \
             the search begin lower.",
            plain(*lowest)
        ),
        Ending::Searched(End::Nothing { lowest, limited: true }) => format!(
            "There is no answer: the load client is the limit even at {} requests per second: {why}.",
            plain(*lowest)
        ),
        Ending::Searched(End::Unsettled) => {
            "There is no answer: rates that held in a short test failed in the longer one, again and again. Make the short \
             tests longer (--settle, --test)."
                .to_owned()
        }
        Ending::Stopped => "There is no answer: the search was stopped.".to_owned(),
        Ending::Unknown(rule) => format!("There is no answer: a rule cannot be judged. {rule}."),
        Ending::Broken(reason) => format!("There is no answer: the last test could not be made: {reason}."),
    }
}
