//! The configuration of a run: what its scenario says, defaults included.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::VariantNames;

use super::figures::seconds;
use crate::scenario::{Scenario, Schedule, Stage, WhenBlocked};

/// The configuration of a run, defaults included.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ConfigurationReport {
    /// The service under load: its URLs, or a description of the strategy's own service; null if none was given.
    pub target: Option<String>,
    /// The capacity of the strategy's own service when the load began; null for a running service, which does not
    /// report it.
    #[serde(default)]
    pub capacity: Option<CapacityReport>,
    /// The number of clients, all connections together.
    pub clients: u32,
    /// The number of connections that the clients share.
    pub connections: u32,
    /// The number of threads that send.
    pub threads: u32,
    /// How the times of the requests were chosen.
    #[schemars(extend("enum" = Schedule::LABELS))]
    pub arrival: String,
    /// Requests scheduled per second, by all clients together; null if there is no single rate.
    pub rps: Option<f64>,
    /// The stages of the load, in order; null if there are none.
    pub stages: Option<Vec<StageReport>>,
    /// Whether the stages start again after the last one.
    pub repeat: bool,
    /// The number of requests in the trace; null if there is no trace.
    pub trace_sends: Option<u64>,
    /// The most requests that a client may have in flight.
    pub max_in_flight: u32,
    /// What happened to a request that was due while its client had that many in flight.
    #[schemars(extend("enum" = WhenBlocked::VARIANTS))]
    pub when_blocked: String,
    /// How long the load lasts; null: until stopped, or until the schedule or the requests end.
    pub duration_seconds: Option<f64>,
    /// How many requests are scheduled at most; null: without limit.
    pub requests: Option<u64>,
    /// The deadline of a request, from when it is sent.
    pub timeout_seconds: f64,
    /// The SLO: goodput counts what is done within this time of the scheduled send.
    pub slo_seconds: f64,
    /// The length of the warm-up: requests scheduled in it are sent, but not judged.
    pub warmup_seconds: f64,
    /// How long to wait for the service to work off what is queued; null: for as long as it takes.
    pub drain_limit_seconds: Option<f64>,
    /// The size of a message's payload; null if the message is not FooService's.
    pub payload_bytes: Option<u64>,
    /// The names of the metadata that is sent with every call. The values are left out, because they can be secrets.
    pub metadata: Vec<String>,
    /// The classes of urgency of the requests, as the flag has them: u=0:20%,u=3:80%; null if there are none.
    #[serde(default)]
    pub priorities: Option<String>,
    /// What the clients do about requests that fail, in a few words; null if nothing.
    #[serde(default)]
    pub policies: Option<String>,
}

/// The capacity of a service.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CapacityReport {
    /// The number of messages that the service processes at once.
    pub workers: u32,
    /// The mean time that a worker takes for a message.
    pub service_time_seconds: f64,
}

impl CapacityReport {
    /// Messages per second that can be processed; `None` if a message takes no time.
    pub fn per_second(&self) -> Option<f64> {
        (self.service_time_seconds > 0.0).then(|| f64::from(self.workers) / self.service_time_seconds)
    }
}

/// A rate that is held for a while, or that changes linearly.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StageReport {
    /// How long the stage lasts.
    pub seconds: f64,
    /// Requests scheduled per second, by all clients together; for a ramp, at its beginning.
    pub rps: f64,
    /// Requests scheduled per second at the end of a ramp; null if the rate is held.
    #[serde(default)]
    pub end_rps: Option<f64>,
}

impl ConfigurationReport {
    /// The configuration of this scenario. `threads` is the number of threads that really sent.
    pub fn new(scenario: &Scenario, threads: u32) -> Self {
        let stages = |stages: &[Stage]| {
            let stage = |stage: &Stage| StageReport {
                seconds: seconds(stage.length),
                rps: stage.rps,
                end_rps: (!stage.is_steady()).then_some(stage.end_rps),
            };
            stages.iter().map(stage).collect()
        };
        let (rps, stages, repeat, trace_sends) = match &scenario.schedule {
            Schedule::Rate { rps, .. } => (Some(*rps), None, false, None),
            Schedule::Stages {
                stages: list, repeat, ..
            } => (None, Some(stages(list)), *repeat, None),
            Schedule::Trace(rows) => (None, None, false, Some(rows.len() as u64)),
            Schedule::AsFastAsPossible => (None, None, false, None),
        };
        let mut metadata: Vec<String> = scenario.metadata.keys().map(|name| name.as_str().to_owned()).collect();
        metadata.sort_unstable();
        Self {
            target: None,
            capacity: None,
            clients: scenario.clients,
            connections: scenario.connections,
            threads,
            arrival: scenario.schedule.label().to_owned(),
            rps,
            stages,
            repeat,
            trace_sends,
            max_in_flight: scenario.max_in_flight,
            when_blocked: scenario.when_blocked.label().to_owned(),
            duration_seconds: scenario.duration.map(seconds),
            requests: scenario.requests,
            timeout_seconds: seconds(scenario.timeout),
            slo_seconds: seconds(scenario.slo),
            warmup_seconds: seconds(scenario.warmup),
            drain_limit_seconds: scenario.drain_limit.map(seconds),
            payload_bytes: scenario.rpc.is_foo_service().then_some(scenario.payload_size as u64),
            metadata,
            priorities: scenario.priorities.as_ref().map(ToString::to_string),
            policies: (!scenario.policies.is_none()).then(|| scenario.policies.to_string()),
        }
    }
}
