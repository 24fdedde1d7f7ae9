//! The outcomes of scheduled requests, as a reader sees them: done, dropped, rejected, withheld and so on.

use crate::{
    ledger::{AuditCounts, Ledger, Part},
    report::Run,
};

/// A figure of a run; `None` if it is not known.
pub(super) type Of<T> = dyn Fn(&Run) -> Option<T>;

/// An outcome of a scheduled request.
pub(super) struct End {
    pub(super) head: &'static str,
    /// The number of requests with this outcome; `None` if it is not known of a run.
    pub(super) count: Box<Of<u64>>,
    /// The column is shown even if all counts are zero.
    pub(super) always: bool,
}

fn end(head: &'static str, always: bool, count: impl Fn(&Run) -> Option<u64> + 'static) -> End {
    End {
        head,
        count: Box::new(count),
        always,
    }
}

/// All outcomes. Each scheduled request has exactly one of them, so the columns of a row add up to `scheduled`. If Enqueue
/// answered with ok, the outcome is that of the message.
pub(super) fn ends() -> Vec<End> {
    let mut ends = vec![
        end("done", true, done),
        end("accepted", false, |run| {
            (run.is_queued() && run.audit.is_none()).then_some(run.ledger.ok)
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

/// The messages that were processed; `None` if it is not known what became of queued messages.
pub(super) fn done(run: &Run) -> Option<u64> {
    match &run.audit {
        Some(audit) => Some(audit.done),
        None => (!run.is_queued()).then_some(run.ledger.ok),
    }
}

/// Messages that were accepted and not processed. `by_policy`: those that a full queue dropped by its policy, if that
/// explains all of them. Otherwise: those that were discarded for another reason, or for several.
fn discarded(run: &Run, by_policy: bool) -> Option<u64> {
    let (audit, service) = (run.audit.as_ref()?, run.service.as_ref()?);
    let all_dropped = audit.discarded <= service.counts.dropped && service.counts.abandoned == 0;
    Some(if all_dropped == by_policy { audit.discarded } else { 0 })
}

/// The outcomes of a run's requests, each with its head and its count, without those that did not occur.
pub(super) fn occurred(run: &Run) -> Vec<(&'static str, u64)> {
    let counts = ends().into_iter().filter_map(|end| Some((end.head, (end.count)(run)?)));
    counts.filter(|(_, count)| *count > 0).collect()
}
