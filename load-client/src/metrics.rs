//! Every metric of a run: names, labels, units, buckets.
//!
//! Durations are recorded where they are measured. Counters and gauges are not kept twice: [`Metrics::publish`] copies
//! what the run itself knows, right before each scrape, so the two cannot disagree.

use std::time::Duration;

use metrics::{
    Counter, Gauge, Recorder, Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusRecorder};

use crate::{
    ledger::{AttemptCounts, AuditCounts, Column, Part},
    live::{LiveReading, Phase},
    outcome::Outcome,
    recorder::Histograms,
    scenario::Scenario,
};

/// Upper bounds of the buckets of response times and times to done, in seconds: 1-2.5-5 steps, finer where people set
/// their SLOs (0.1 s to 2.5 s), and up to the hour that an unbounded queue reaches. The SLO and the deadline of a run
/// are added, so that the requests within them are counted exactly.
const TIMES: [f64; 24] = [
    0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.35, 0.5, 0.75, 1.0, 1.5, 2.5, 5.0, 10.0,
    30.0, 60.0, 120.0, 600.0, 3600.0,
];
/// Upper bounds of the buckets of the start lag, in seconds. They are finest from 1 ms, a tick of the timers, to 10 ms,
/// where the load client counts as late.
const LAGS: [f64; 18] = [
    0.000_25, 0.000_5, 0.001, 0.001_5, 0.002, 0.003, 0.004, 0.005, 0.006, 0.007_5, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25,
    1.0, 5.0,
];

const RESPONSE_TIME: &str = "load_response_time_seconds";
const TIME_TO_DONE: &str = "load_time_to_done_seconds";
const AUDITED: &str = "load_audited_total";
/// The fate that has reasons.
const DISCARDED: &str = "discarded";
const START_LAG: &str = "load_start_lag_seconds";

/// The columns of the audit that are the possible fates of an accepted message.
fn fates() -> impl Iterator<Item = &'static Column<AuditCounts>> {
    let ends = |column: &&Column<AuditCounts>| matches!(column.part, Part::Good | Part::Bad);
    AuditCounts::COLUMNS.iter().filter(ends)
}

/// Why messages are discarded, where the audit tells it: the columns that are a part of `discarded`, each with the reason.
fn reasons() -> impl Iterator<Item = (&'static str, &'static Column<AuditCounts>)> {
    let columns = AuditCounts::COLUMNS.iter();
    columns.filter_map(|column| Some((column.name.strip_prefix(DISCARDED)?.strip_prefix('_')?, column)))
}

/// The counter of accepted messages by their fates. Discarded messages are counted by reason: together they are all of that fate.
fn audited() -> Vec<Counter> {
    let fates = fates().filter(|fate| fate.name != DISCARDED);
    let fates = fates.map(|fate| counter!(AUDITED, "fate" => fate.name));
    let reasons = reasons().map(|(reason, _)| reason).chain(["other"]);
    let discarded = reasons.map(|reason| counter!(AUDITED, "fate" => DISCARDED, "reason" => reason));
    fates.chain(discarded).collect()
}

/// What the counters of [`audited`] show, in their order.
fn audited_values(counts: &AuditCounts) -> impl Iterator<Item = u64> {
    let fates = fates().filter(|fate| fate.name != DISCARDED);
    let reasons: Vec<u64> = reasons().map(|(_, column)| (column.of)(counts)).collect();
    let other = counts.discarded.saturating_sub(reasons.iter().sum());
    fates.map(|fate| (fate.of)(counts)).chain(reasons).chain([other])
}

/// How an attempt can end.
fn attempt_ends() -> impl Iterator<Item = &'static Column<AttemptCounts>> {
    let ends = |column: &&Column<AttemptCounts>| matches!(column.part, Part::Good | Part::Bad);
    AttemptCounts::COLUMNS.iter().filter(ends)
}

/// The columns that count the effect of attempts on their requests.
fn attempt_effects() -> impl Iterator<Item = &'static Column<AttemptCounts>> {
    let beside = |column: &&Column<AttemptCounts>| column.part == Part::Beside;
    AttemptCounts::COLUMNS.iter().filter(beside)
}

/// A recorder for the `/metrics` of a run. The caller must call `run_upkeep` on its handle at intervals.
pub fn prometheus(scenario: &Scenario) -> PrometheusRecorder {
    let mut times = TIMES.to_vec();
    times.extend([scenario.slo, scenario.timeout].map(|bound| bound.as_secs_f64()));
    times.sort_by(f64::total_cmp);
    times.dedup();
    let buckets = |builder: PrometheusBuilder, name: &str, bounds: &[f64]| {
        builder
            .set_buckets_for_metric(Matcher::Full(name.to_owned()), bounds)
            .expect("the buckets are not empty")
    };
    let builder = buckets(PrometheusBuilder::new(), RESPONSE_TIME, &times);
    let builder = buckets(builder, TIME_TO_DONE, &times);
    buckets(builder, START_LAG, &LAGS).build_recorder()
}

/// The handles of all metrics, registered once.
pub struct Metrics {
    histograms: Histograms,
    intended: Counter,
    requests: [Counter; Outcome::ALL.len()],
    withheld: Counter,
    good: Counter,
    warmup: Counter,
    acknowledged: Counter,
    /// Those of [`audited`].
    audited: Vec<Counter>,
    /// One counter for each of [`attempt_ends`], then one for each of [`attempt_effects`].
    attempts: Vec<Counter>,
    blocked: Gauge,
    in_flight: Gauge,
    warming_up: Gauge,
    /// `None` if the schedule has no rate.
    offered: Option<Gauge>,
    warmup_lasts: Duration,
}

impl Metrics {
    /// Registers every series of a run, so that all exist from the start. `rated`: whether its schedule has a rate.
    pub fn new(recorder: &dyn Recorder, scenario: &Scenario, rated: bool) -> Self {
        metrics::with_local_recorder(recorder, || {
            describe(rated);
            gauge!("load_clients").set(f64::from(scenario.clients));
            gauge!("load_slo_seconds").set(scenario.slo.as_secs_f64());
            let rpc = scenario.rpc.label();
            Self {
                histograms: Histograms {
                    response_time: Outcome::ALL
                        .map(|outcome| histogram!(RESPONSE_TIME, "rpc" => rpc, "outcome" => outcome.label())),
                    time_to_done: histogram!(TIME_TO_DONE),
                    start_lag: histogram!(START_LAG),
                },
                intended: counter!("load_intended_total"),
                requests: Outcome::ALL
                    .map(|outcome| counter!("load_requests_total", "rpc" => rpc, "outcome" => outcome.label())),
                withheld: counter!("load_withheld_total"),
                good: counter!("load_good_total"),
                warmup: counter!("load_warmup_sends_total"),
                acknowledged: counter!("load_acknowledged_total"),
                audited: audited(),
                attempts: attempts(scenario),
                blocked: gauge!("load_blocked_clients"),
                in_flight: gauge!("load_in_flight"),
                warming_up: gauge!("load_warming_up"),
                offered: rated.then(|| gauge!("load_offered_rps")),
                warmup_lasts: scenario.warmup,
            }
        })
    }

    /// The histograms in which the run records durations.
    pub fn histograms(&self) -> Histograms {
        self.histograms.clone()
    }

    /// Copies a reading into the recorder. `elapsed` is the time since the load began; `offered_rps` is the current
    /// rate of the schedule, if it has one.
    pub fn publish(&self, reading: &LiveReading, elapsed: Option<Duration>, offered_rps: Option<f64>) {
        let ledger = &reading.ledger;
        self.intended.absolute(ledger.intended);
        for outcome in Outcome::ALL {
            self.requests[outcome as usize].absolute(ledger.of(outcome));
        }
        self.withheld.absolute(ledger.withheld);
        self.good.absolute(reading.good);
        self.warmup.absolute(reading.warmup);
        self.acknowledged.absolute(reading.audited.acknowledged);
        for (counter, value) in self.audited.iter().zip(audited_values(&reading.audited)) {
            counter.absolute(value);
        }
        for (counter, column) in self.attempts.iter().zip(attempt_ends().chain(attempt_effects())) {
            counter.absolute((column.of)(&reading.attempts));
        }
        self.blocked.set(reading.blocked as f64);
        self.in_flight.set(reading.in_flight as f64);
        let warming_up = reading.phase == Phase::Loading && elapsed.is_some_and(|elapsed| elapsed < self.warmup_lasts);
        self.warming_up.set(f64::from(u8::from(warming_up)));
        if let Some(offered) = &self.offered {
            offered.set(offered_rps.unwrap_or(0.0));
        }
    }
}

/// Registers the counters of attempts. They stay zero where each request is sent once.
fn attempts(scenario: &Scenario) -> Vec<Counter> {
    describe_counter!(
        "load_attempts_total",
        "Attempts that have ended, by how: a request can have several. Without those of the warm-up; none where the clients \
         neither retry nor hedge nor hold back."
    );
    describe_counter!(
        "load_attempt_effects_total",
        "Requests that a retry, a bound on retries or a hedge made a difference to, by which."
    );
    let rpc = scenario.rpc.label();
    let ends = attempt_ends().map(|column| counter!("load_attempts_total", "rpc" => rpc, "outcome" => column.name));
    let effects =
        attempt_effects().map(|column| counter!("load_attempt_effects_total", "rpc" => rpc, "effect" => column.name));
    ends.chain(effects).collect()
}

fn describe(rated: bool) {
    describe_counter!(
        "load_intended_total",
        "Requests scheduled after the warm-up that are sent or withheld by now. A request that waits for its client counts \
         when it is sent."
    );
    describe_counter!(
        "load_requests_total",
        "Requests scheduled after the warm-up that were sent and have ended, by outcome."
    );
    describe_counter!(
        "load_withheld_total",
        "Requests scheduled after the warm-up that were not sent: their clients were still waiting for answers."
    );
    describe_counter!(
        "load_good_total",
        "Messages known to be done within the SLO, from the scheduled send; also those done after the load."
    );
    describe_counter!(
        "load_warmup_sends_total",
        "Requests sent in the warm-up: in no other counter and in no histogram."
    );
    describe_counter!("load_acknowledged_total", "Queued messages that the service accepted.");
    describe_counter!(
        AUDITED,
        "Accepted messages whose fate is known by now; discarded ones by reason. Whether one is lost can only be said when the service has nothing \
         left, at the end."
    );
    describe_gauge!("load_clients", "Clients of the load.");
    describe_gauge!(
        "load_blocked_clients",
        "Clients with a request due that they cannot send, because they have as many in flight as they may."
    );
    describe_gauge!(
        "load_in_flight",
        "Requests without an answer yet, those of the warm-up included."
    );
    describe_gauge!(
        "load_warming_up",
        "1 during the warm-up: requests are sent and not judged."
    );
    describe_gauge!("load_slo_seconds", Unit::Seconds, "What is done within it is goodput.");
    if rated {
        describe_gauge!(
            "load_offered_rps",
            "Requests per second that the schedule has now, of all clients together."
        );
    }
    describe_histogram!(
        RESPONSE_TIME,
        Unit::Seconds,
        "From the scheduled send to the end of the call."
    );
    describe_histogram!(
        TIME_TO_DONE,
        Unit::Seconds,
        "From the scheduled send until the message was processed, where the service reports that."
    );
    describe_histogram!(
        START_LAG,
        Unit::Seconds,
        "How late the load client itself sends, after the scheduled time."
    );
}
