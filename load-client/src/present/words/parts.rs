//! Words and figures that several sentences need.

use crate::report::{Run, ServiceReport};

/// The verb that fits the number.
pub(super) fn was(number: u64) -> &'static str {
    if number == 1 { "was" } else { "were" }
}

/// A share of a whole, in parentheses: `(49 %)`.
pub(super) fn share(part: u64, whole: u64) -> String {
    format!("({})", percent(part as f64 / whole.max(1) as f64))
}

/// A share in percent. A small share is `less than 1 %`, never 0 %; a share near all is `more than 99 %`, never 100 %.
pub(in crate::present) fn percent(share: f64) -> String {
    match 100.0 * share {
        percent if share > 0.0 && percent <= 0.5 => "less than 1 %".to_owned(),
        percent if share < 1.0 && percent >= 99.5 => "more than 99 %".to_owned(),
        percent => format!("{percent:.0} %"),
    }
}

/// `a`, `a or b`, `a, b or c`, with the word that joins them.
pub(super) fn listed(names: &[&str], joined_by: &str) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [others @ .., last] => format!("{} {joined_by} {last}", others.join(", ")),
    }
}

/// The number of messages that come in a second of the load. If the queue holds more, that is a backlog: messages came faster
/// than they were processed.
pub(super) fn of_a_second(run: &Run) -> f64 {
    run.load.offered_rps.unwrap_or(f64::INFINITY).max(1.0)
}

/// The number of messages that were on the queue when the load stopped; `None` if they are no backlog.
pub(super) fn backlog(run: &Run) -> Option<u64> {
    let end = run.service.as_ref()?.queue_depth_end?;
    (end as f64 > of_a_second(run)).then_some(end)
}

/// Whether the backlog of the queue grew at a steady pace, and would have grown on: all messages were accepted and none was dropped,
/// the load and the service were the same all the time.
pub(super) fn grows(run: &Run) -> bool {
    let constant = run
        .configuration
        .as_ref()
        .is_some_and(|made| made.rps.is_some() && made.arrival == "constant");
    // A service that was changed meanwhile has more than one pace.
    let changed = run.events.as_ref().is_some_and(|events| !events.is_empty());
    let kept = |service: &ServiceReport| service.restarts == 0 && service.counts.dropped == 0;
    let all_kept = run.service.as_ref().is_some_and(kept) && run.ledger.rejected == 0;
    backlog(run).is_some() && constant && !changed && all_kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_rounded_but_not_to_all_or_nothing() {
        let shown = [0.0, 0.005, 0.006, 0.493, 0.994, 0.996, 1.0].map(percent);
        assert_eq!(
            shown,
            ["0 %", "less than 1 %", "1 %", "49 %", "99 %", "more than 99 %", "100 %"]
        );
    }

    #[test]
    fn names_are_listed_with_one_word_before_the_last() {
        let names = ["a", "b", "c"];
        let listed = [0, 1, 2, 3].map(|many| listed(&names[..many], "or"));
        assert_eq!(listed, ["", "a", "a or b", "a, b or c"]);
    }
}
