//! Judges a run by its rules: about once a second during the run, by what is known then, and at its end.

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

/// The time between two judgements during a run.
const JUDGE_EVERY: Duration = Duration::from_secs(1);

/// A run whose load is being sent.
pub(super) struct Underway<'a> {
    pub(super) plan: &'a RunPlan,
    pub(super) watch: &'a Watch,
    pub(super) start: Instant,
}

impl Underway<'_> {
    /// Waits until a rule of `--abort-if` is met, and returns the judgements of all of them that are met then; waits
    /// for ever if none is. Cancel-safe.
    pub(super) async fn stopped(&self) -> Vec<Judgement> {
        let rules = &self.plan.rules.abort_if;
        if rules.is_empty() {
            return std::future::pending().await;
        }
        loop {
            sleep(JUDGE_EVERY).await;
            let Some(evidence) = self.evidence().await else {
                // The load is over, so the judgement at the end of the run follows.
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
        // Requests that are not settled may still become good, so a rate of settled requests is computed over the same
        // share of the time.
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

/// The evidence that a run is judged by, if it has scheduled requests for `elapsed`.
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

/// Judges a run at its end by all rules of its plan. The rules that stopped it are not judged again: `stopped` has
/// their judgements.
pub(super) fn judge(plan: &RunPlan, evidence: &Evidence, stopped: &[Judgement]) -> Vec<Judgement> {
    let fail_if = plan.rules.fail_if.iter().map(|rule| rule.judge(evidence));
    let abort_if = plan.rules.abort_if.iter().map(|rule| {
        let seen = stopped.iter().find(|gate| gate.rule == rule.text());
        seen.cloned().unwrap_or_else(|| rule.judge(evidence))
    });
    fail_if.chain(abort_if).collect()
}
