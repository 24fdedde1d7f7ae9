//! What a run was made with: what its scenario says, defaults included.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::VariantNames;

use super::figures::seconds;
use crate::scenario::{Scenario, Schedule, Stage, WhenBlocked};

/// What a run was made with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ConfigurationReport {
    /// What was driven: its URLs, or a description of the strategy's own service; null if none was given.
    pub target: Option<String>,
    /// What the strategy's own service could do when the load began; null of a running service, which does not say it.
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
    /// Requests scheduled per second, by all clients together; null where there is no single rate.
    pub rps: Option<f64>,
    /// Rates one after the other; null where there are none.
    pub stages: Option<Vec<StageReport>>,
    /// Whether the stages start again from the front.
    pub repeat: bool,
    /// Requests of the trace; null where there is none.
    pub trace_sends: Option<u64>,
    /// Requests that a client may have in flight.
    pub max_in_flight: u32,
    /// What happened to a request that was due at that limit.
    #[schemars(extend("enum" = WhenBlocked::VARIANTS))]
    pub when_blocked: String,
    /// How long the load lasts; null: until stopped, or until the schedule or the requests end.
    pub duration_seconds: Option<f64>,
    /// How many requests are scheduled at most; null: without limit.
    pub requests: Option<u64>,
    /// The deadline of a request, from when it is sent.
    pub timeout_seconds: f64,
    /// Goodput counts what is done within it, from the scheduled send.
    pub slo_seconds: f64,
    /// Requests scheduled within it are sent, but not judged.
    pub warmup_seconds: f64,
    /// How long to wait for the service to work off what is queued; null: for as long as it takes.
    pub drain_limit_seconds: Option<f64>,
    /// Per message; null where the message is not FooService's.
    pub payload_bytes: Option<u64>,
    /// The names of what is sent with every call. Values can be secrets.
    pub metadata: Vec<String>,
    /// The classes of urgency of the requests, as the flag has them: u=0:20%,u=3:80%; null where there are none.
    #[serde(default)]
    pub priorities: Option<String>,
    /// What the clients do about requests that fail, in a few words; null if nothing.
    #[serde(default)]
    pub policies: Option<String>,
}

/// What a service can do.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CapacityReport {
    /// Messages that it processes at once.
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
    /// Requests scheduled per second, by all clients together; of a ramp, at its beginning.
    pub rps: f64,
    /// The same at the end of a ramp; null where the rate is held.
    #[serde(default)]
    pub end_rps: Option<f64>,
}

impl ConfigurationReport {
    /// What the scenario says; `threads`: from how many the clients really sent.
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
