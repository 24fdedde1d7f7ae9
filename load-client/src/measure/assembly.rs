//! Makes the report of a run from the clients' records, the observed service and the audit, and checks that the numbers
//! add up.

use std::time::SystemTime;

use super::{
    judgement::{evidence, judge},
    load::Sent,
    plan::{Measured, RunPlan},
    service::ServiceView,
};
use crate::{
    audit::Audited,
    fleet::shards,
    ledger::Ledger,
    present,
    report::{
        AttemptsReport, ConfigurationReport, DistributionReport, EventReport, LoadReport, Run, ServiceReport,
        by_outcome, classes, curve, first_messages, per_second, points, seconds, status_codes, targets,
    },
    verdict::Verdict,
};

/// The plan and the results of a run, from which its report is made.
pub(super) struct Assembly<'a> {
    pub(super) plan: &'a RunPlan,
    pub(super) sent: Sent,
    pub(super) seen: Option<ServiceView>,
    pub(super) audited: Option<Audited>,
}

impl Assembly<'_> {
    pub(super) fn report(mut self, mut notes: Vec<String>) -> Measured {
        let messages = first_messages(&self.sent.recorded.first_messages);
        for (outcome, message) in &messages {
            notes.push(format!("first {outcome}: {message}"));
        }
        let scenario = &self.plan.scenario;
        let judged = self.sent.load_over.saturating_sub(scenario.warmup);
        let imbalances = self.imbalances();
        let drain = self.drain_seconds();

        // The source of the times to done is either the answers or the audit.
        let done_is_known = scenario.rpc.ok_means_done() || self.audited.is_some();
        let mut done = std::mem::take(&mut self.sent.recorded.done);
        if let Some(audited) = &mut self.audited {
            done.merge(std::mem::take(&mut audited.done));
        }
        let mut series = std::mem::take(&mut done.series);
        if let Some(seen) = &self.seen {
            series.merge(seen.observed.series.clone());
        }
        let goodput = if done_is_known {
            per_second(done.good, judged)
        } else {
            None
        };

        let mut figures = std::mem::take(&mut self.sent.recorded.figures);
        figures.done(&done);
        let evidence = evidence(
            self.plan,
            figures,
            self.audited.as_ref().map(|audited| audited.counts),
            self.speaking().map(|seen| seen.observed.counters().dropped),
            self.sent.load_over,
        );
        let gates = judge(self.plan, &evidence, &self.sent.stopped);
        let figures = evidence.figures;

        let reservations = notes.iter().chain(&imbalances).cloned().collect();
        let report = Run {
            name: self.plan.name.clone(),
            rpc: scenario.rpc.label().to_owned(),
            method: Some(self.plan.call.method.path.path().trim_start_matches('/').to_owned()),
            started_at: self.sent.started_at.map(rfc_3339),
            ended_at: self.sent.started_at.map(|_| rfc_3339(SystemTime::now())),
            virtual_time: self.plan.virtual_time,
            configuration: Some(ConfigurationReport::new(scenario, shards(scenario, self.plan.place()))),
            load: LoadReport {
                clients: scenario.clients,
                offered_rps: per_second(figures.ledger.intended, judged),
                duration_seconds: seconds(judged),
                warmup_seconds: seconds(scenario.warmup),
                arrival: scenario.schedule.label().to_owned(),
            },
            ledger: figures.ledger,
            targets: self
                .plan
                .dial
                .urls_of_targets()
                .map(|urls| targets(urls, &self.sent.recorded.connected, &figures.targets)),
            classes: scenario.priorities.as_deref().map(|priorities| {
                let done = scenario.rpc.ok_means_done().then_some(judged);
                classes(priorities, &figures.classes, done)
            }),
            attempts: figures.attempts.as_deref().map(|attempts| {
                let ledger = &figures.ledger;
                let sent = ledger.intended - ledger.withheld - ledger.throttled;
                Box::new(AttemptsReport::new(attempts, sent))
            }),
            status_codes: Some(status_codes(&figures.statuses)),
            first_messages: Some(messages),
            service: self
                .speaking()
                .map(|seen| service_report(seen, self.sent.queue_depth_end, drain)),
            audit: self.audited.as_ref().map(|audited| audited.counts),
            goodput_rps: goodput,
            response_time_seconds: by_outcome(&figures.response_time, DistributionReport::new),
            response_time_curve: Some(by_outcome(&figures.response_time, curve)),
            service_time_seconds: by_outcome(&figures.service_time, DistributionReport::new),
            time_to_done_seconds: DistributionReport::new(&figures.time_to_done),
            time_to_done_curve: curve(&figures.time_to_done),
            queue_wait_seconds: DistributionReport::new(&figures.queue_wait),
            start_lag_seconds: DistributionReport::new(&figures.start_lag),
            series: points(&series, done_is_known, scenario.rpc.ok_means_done()),
            events: Some(self.events()),
            verdict: present::verdict::report(&Verdict::of(scenario, &figures), scenario.schedule.is_some()),
            theory: None,
            gates: gates.into_iter().map(present::rules::report).collect(),
            notes: Some(reservations),
        };
        Measured {
            report,
            imbalances,
            notes,
        }
    }

    /// What was observed of the service; `None` if it was not observed, or if it has other instances that were not.
    fn speaking(&self) -> Option<&ServiceView> {
        self.seen.as_ref().filter(|seen| seen.speaks_for_all)
    }

    fn events(&self) -> Vec<EventReport> {
        let events = self.plan.live.events().into_iter();
        let event = |(at, says)| EventReport {
            at_seconds: seconds(at),
            says,
        };
        events.map(event).collect()
    }

    /// The seconds from the end of the load until the last message was done. `None` if the service did not become
    /// empty, or if messages may have been done while the observer missed something.
    fn drain_seconds(&self) -> Option<f64> {
        let seen = self.seen.as_ref().filter(|seen| seen.drained)?;
        let last_done = self.audited.as_ref().and_then(|audited| audited.last_done);
        let last = self.sent.recorded.last_ended.max(last_done.unwrap_or_default());
        // After a gap, it is not known when the messages in it were done.
        (seen.heard_all && !seen.observed.missed).then(|| seconds(last.saturating_sub(self.sent.load_over)))
    }

    fn imbalances(&self) -> Vec<String> {
        let mut found = Vec::new();
        if !self.sent.recorded.figures.ledger.balances() {
            found.push(format!(
                "the client's ledger does not balance: {:?}",
                self.sent.recorded.figures.ledger
            ));
        }
        // This holds exactly only in virtual time: in real time the loop notices an end a little later.
        if self.plan.virtual_time && self.sent.recorded.little.holds() == Some(false) {
            found.push(format!(
                "Little's law does not hold, so some calls were counted for another time than they took: {:?}",
                self.sent.recorded.little
            ));
        }
        if let Some(attempts) = &self.sent.recorded.figures.attempts
            && !attempts.counts.balances()
        {
            found.push(format!("the count of attempts does not balance: {:?}", attempts.counts));
        }
        let figures = &self.sent.recorded.figures;
        let mut sum = Ledger::default();
        figures.classes.iter().for_each(|class| sum.add(&class.ledger));
        if !figures.classes.is_empty() && sum != figures.ledger {
            found.push(format!("the classes do not add up to the client's ledger: {sum:?}"));
        }
        if let Some(seen) = self.speaking()
            && seen.observed.balances() == Some(false)
        {
            found.push(format!(
                "the service's ledger does not balance: {:?}",
                seen.observed.last
            ));
        }
        if let Some(audited) = &self.audited
            && !audited.counts.balances()
        {
            found.push(format!("the audit does not balance: {:?}", audited.counts));
        }
        found
    }
}

fn service_report(seen: &ServiceView, queue_depth_end: Option<u64>, drain_seconds: Option<f64>) -> ServiceReport {
    let maxima = seen.observed.maxima;
    ServiceReport {
        counts: seen.observed.counters(),
        refusals: Some(seen.observed.refusals()),
        queued: seen.observed.inside(),
        restarts: seen.observed.restarts,
        queue_depth_max: maxima.queue_depth,
        queue_depth_end,
        in_system_max: maxima.in_system,
        queue_bytes_max: maxima.queue_bytes,
        resident_bytes_max: maxima.resident_bytes,
        drain_seconds,
    }
}

/// A time in the format of RFC 3339, in UTC and to the millisecond.
fn rfc_3339(time: SystemTime) -> String {
    humantime::format_rfc3339_millis(time).to_string()
}
