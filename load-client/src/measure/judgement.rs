//! The rules that a run is judged by: about once a second as it goes, on what is known by then, and at its end.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::{plan::RunPlan, service::Watch};
use crate::{
    gates::{Evidence, Judgement},
    ledger::AuditCounts,
    live::LiveAudit,
    recorder::Figures,
    scenario::Rpc,
    verdict::Verdict,
};

/// Between two judgements on the way.
const JUDGE_EVERY: Duration = Duration::from_secs(1);

/// A run on its way.
pub(super) struct Underway<'a> {
    pub(super) plan: &'a RunPlan,
    pub(super) watch: &'a Watch,
    pub(super) start: Instant,
}

impl Underway<'_> {
    /// Waits until a rule is met that is to stop the run, and returns what was seen then of all that are met; for ever, if
    /// none is. Cancel-safe.
    pub(super) async fn stopped(&self) -> Vec<Judgement> {
        let rules = &self.plan.rules.abort_if;
        if rules.is_empty() {
            return std::future::pending().await;
        }
        loop {
            sleep(JUDGE_EVERY).await;
            let Some(evidence) = self.evidence().await else {
                // Nothing is sent any more: the judgement at the end is near.
                return std::future::pending().await;
            };
            let at = self.start.elapsed();
            let met = rules.iter().map(|rule| rule.judge(&evidence));
            let met: Vec<Judgement> = met
                .filter(|gate| gate.met == Some(true))
                .map(|gate| Judgement {
                    stopped_at: Some(at),
                    ..gate
                })
                .collect();
            if !met.is_empty() {
                return met;
            }
        }
    }

    async fn evidence(&self) -> Option<Evidence> {
        let mut figures = self.plan.live.figures().await?;
        let mut audited = LiveAudit::default();
        for audit in self.watch.each_audit() {
            audit.add_to(&mut figures);
            audited.add(&audit.so_far());
        }
        let known = figures.ledger.ended();
        let counts = audited.counts;
        let open = counts.acknowledged.saturating_sub(counts.ended());
        let settled = known.saturating_sub(open);
        let intended = figures.ledger.intended;
        let evidence = evidence(
            self.plan,
            figures,
            (!self.watch.audits().is_empty()).then_some(counts),
            self.watch.dropped(),
            self.start.elapsed(),
        );
        // A rate of what is settled is over as much of the time as it is of the sends: what is still under way may be good.
        let share = settled as f64 / intended.max(1) as f64;
        let judged_for = evidence.judged_for.map(|time| time.mul_f64(share));
        Some(Evidence {
            intended: known,
            settled,
            judged_for: judged_for.filter(|time| !time.is_zero()),
            ..evidence
        })
    }
}

/// What a run is judged by, `elapsed` after its start.
pub(super) fn evidence(
    plan: &RunPlan,
    figures: Figures,
    audit: Option<AuditCounts>,
    dropped: Option<u64>,
    elapsed: Duration,
) -> Evidence {
    let judged_for = elapsed.saturating_sub(plan.scenario.warmup);
    Evidence {
        client_limited: Verdict::of(&plan.scenario, &figures).client_limited(),
        intended: figures.ledger.intended,
        settled: figures.ledger.intended,
        figures,
        audit,
        queued: plan.scenario.rpc == Rpc::Enqueue,
        dropped,
        judged_for: (!judged_for.is_zero()).then_some(judged_for),
    }
}

/// Judges a run at its end by all rules of its plan; those that stopped it stand as they were seen then.
pub(super) fn judge(plan: &RunPlan, evidence: &Evidence, stopped: &[Judgement]) -> Vec<Judgement> {
    let fail_if = plan.rules.fail_if.iter().map(|rule| rule.judge(evidence));
    let abort_if = plan.rules.abort_if.iter().map(|rule| {
        let seen = stopped.iter().find(|gate| gate.rule == rule.text());
        seen.cloned().unwrap_or_else(|| rule.judge(evidence))
    });
    fail_if.chain(abort_if).collect()
}
