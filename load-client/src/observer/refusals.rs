//! Counts the calls that the service did not answer with OK, by its own reasons: since the run began, over all its instances.

use std::collections::BTreeMap;

use foo_proto::v1::{Refusals as Wire, Snapshot};

/// The most reasons that are counted separately (arbitrary: more than a service has). All others are counted together.
const MOST_REASONS: usize = 40;
/// The longest name of a reason, in bytes (arbitrary: longer than any). Longer names are counted with the others.
const LONGEST_REASON: usize = 40;
/// The name under which the others are counted.
const OTHERS: &str = "other_reasons";
/// The RPC that this program itself calls to watch the service. Its calls are not counted.
const OWN: &str = "watch";

type Counts = BTreeMap<String, u64>;

/// Calls of Enqueue and Process that were not answered with OK, by reason.
#[derive(Debug, Clone)]
pub(super) struct Refusals {
    /// The counts of earlier instances, from the start of the run.
    earlier: Counts,
    /// The counts of the present instance when the run began.
    base: Counts,
    /// The counts of the present instance now.
    latest: Counts,
}

impl Refusals {
    pub(super) fn new(first: &Snapshot) -> Self {
        let base = counts(&first.refusals);
        Self {
            earlier: Counts::new(),
            latest: base.clone(),
            base,
        }
    }

    /// Takes in a snapshot. `restarted`: it comes from another instance than the last one.
    pub(super) fn take_in(&mut self, snapshot: &Snapshot, restarted: bool) {
        if restarted {
            self.earlier = self.since_the_start();
            self.base.clear();
        }
        self.latest = counts(&snapshot.refusals);
    }

    /// The calls since the run began, by reason. Reasons without a call are left out.
    pub(super) fn since_the_start(&self) -> Counts {
        let mut all = self.earlier.clone();
        for (reason, now) in &self.latest {
            let new = now.saturating_sub(self.base.get(reason).copied().unwrap_or(0));
            add(&mut all, reason, new);
        }
        all
    }
}

fn counts(refusals: &[Wire]) -> Counts {
    let mut counts = Counts::new();
    for refusals in refusals.iter().filter(|refusals| refusals.rpc != OWN) {
        add(&mut counts, &refusals.reason, refusals.calls);
    }
    counts
}

fn add(counts: &mut Counts, reason: &str, calls: u64) {
    if calls == 0 {
        return;
    }
    let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let fits = (1..=LONGEST_REASON).contains(&reason.len()) && reason.chars().all(is_name);
    let kept = counts.keys().filter(|known| *known != OTHERS).count();
    let has_room = kept < MOST_REASONS || counts.contains_key(reason);
    let reason = if fits && has_room { reason } else { OTHERS };
    let count = counts.entry(reason.to_owned()).or_default();
    *count = count.saturating_add(calls);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(refusals: &[(&str, &str, u64)]) -> Snapshot {
        let wire = refusals.iter().map(|(rpc, reason, calls)| Wire {
            rpc: (*rpc).to_owned(),
            reason: (*reason).to_owned(),
            calls: *calls,
        });
        Snapshot {
            refusals: wire.collect(),
            ..Snapshot::default()
        }
    }

    fn counted(refusals: &Refusals) -> Vec<(String, u64)> {
        refusals.since_the_start().into_iter().collect()
    }

    #[test]
    fn refusals_count_from_the_start_of_the_run_and_over_all_instances() {
        let mut refusals = Refusals::new(&snapshot(&[("enqueue", "queue_full", 5)]));
        assert_eq!(counted(&refusals), []);
        let later = [
            ("enqueue", "queue_full", 7),
            ("process", "too_late", 3),
            ("watch", "cancelled", 9),
        ];
        refusals.take_in(&snapshot(&later), false);
        let right = [("queue_full".to_owned(), 2), ("too_late".to_owned(), 3)];
        assert_eq!(counted(&refusals), right);
        refusals.take_in(
            &snapshot(&[("process", "too_late", 1), ("enqueue", "too_late", 1)]),
            true,
        );
        let right = [("queue_full".to_owned(), 2), ("too_late".to_owned(), 5)];
        assert_eq!(counted(&refusals), right);
    }

    #[test]
    fn a_service_that_invents_reasons_takes_no_more_memory() {
        let names: Vec<String> = (0..1000).map(|number| format!("reason_{number}")).collect();
        let mut many: Vec<_> = names.iter().map(|name| ("process", name.as_str(), 1)).collect();
        many.push(("process", "\u{1b}[31m", 1));
        let mut refusals = Refusals::new(&Snapshot::default());
        refusals.take_in(&snapshot(&many), false);
        let counted = refusals.since_the_start();
        assert_eq!((counted.len(), counted[OTHERS]), (MOST_REASONS + 1, 961));
        assert_eq!(counted.values().sum::<u64>(), 1001);
    }
}
