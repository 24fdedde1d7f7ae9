//! The report as programs read it: schema `load-client/report/v1`. It is pure data: seconds are floats, and a missing value
//! is null. A file of an older program may lack fields that were added after the first version.

mod answers;
mod attempts;
mod classes;
mod configuration;
mod distribution;
mod figures;
mod found;
mod limit;
mod schema;
mod series;
mod sweep;
mod theory;

use std::{collections::BTreeMap, num::NonZeroU64};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use self::schema::{By, Curve};
pub use self::{
    answers::{TargetReport, first_messages, status_codes, targets},
    attempts::AttemptsReport,
    classes::{ClassReport, classes},
    configuration::{CapacityReport, ConfigurationReport, StageReport},
    distribution::{CurvePointReport, DistributionReport, by_outcome, curve},
    figures::{per_second, seconds},
    found::{FoundReport, ProbeReport, ProbeResult},
    limit::Limit,
    series::{PointReport, points},
    sweep::{SweepCurveReport, SweepPointReport, SweepReport},
    theory::{Agreement, Predicted, TheoryFigureReport, TheoryReport},
};
use crate::{
    ledger::{AuditCounts, Ledger, ServiceCounts},
    outcome::{Outcome, StatusCode},
    recorder::MAX_POINTS,
    scenario::{Rpc, Schedule},
};

/// The name of the schema.
pub const SCHEMA: &str = "load-client/report/v1";

/// What `load-client --json` writes. Seconds are floats; what is missing is null. A field that is not among the required
/// ones may be missing: an older program wrote it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// The name of this schema.
    #[schemars(extend("const" = SCHEMA))]
    pub schema: String,
    /// Of everything that was drawn.
    pub seed: u64,
    /// Of the program that wrote it.
    #[serde(default)]
    pub version: Option<String>,
    /// What was typed, for a shell to make the same runs, the environment's part in front; without secrets, and without
    /// what only says where the report goes.
    #[serde(default)]
    pub command: Option<String>,
    /// One per strategy or target; of `capacity` one per test, of `sweep` one per strategy and load.
    pub runs: Vec<Run>,
    /// What `capacity` found; null of any other command.
    #[serde(default)]
    pub capacity: Option<Box<FoundReport>>,
    /// What `sweep` measured; null of any other command.
    #[serde(default)]
    pub sweep: Option<Box<SweepReport>>,
}

/// A run: one load against one strategy or target, and what was measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Run {
    /// The strategy's or the target's; "run" for a single run.
    pub name: String,
    /// What was called: enqueue, process, or the method's name.
    pub rpc: String,
    /// The method that was called, as `package.Service/Method`.
    #[serde(default)]
    pub method: Option<String>,
    /// When the load began, by the system's clock: RFC 3339, in UTC. Null in virtual time.
    #[serde(default)]
    pub started_at: Option<String>,
    /// When the run was over, in the same form. Null in virtual time.
    #[serde(default)]
    pub ended_at: Option<String>,
    /// Whether the clock was virtual.
    pub virtual_time: bool,
    /// What it was made with, defaults included.
    #[serde(default)]
    pub configuration: Option<ConfigurationReport>,
    /// What was asked of the clients.
    pub load: LoadReport,
    /// How every scheduled request ended.
    pub ledger: Ledger,
    /// The same for each URL; null of a service in the same process.
    #[serde(default)]
    pub targets: Option<Vec<TargetReport>>,
    /// The attempts of these requests; null where each request is sent once.
    #[serde(default)]
    pub attempts: Option<Box<AttemptsReport>>,
    /// The same requests by class of urgency; null where requests do not say how urgent they are.
    #[serde(default)]
    pub classes: Option<Vec<ClassReport>>,
    /// How many answers came with each gRPC status, by its name, like NOT_FOUND; without those that did not occur. A request
    /// that ended without an answer is in none: its deadline passed, or the connection failed.
    #[serde(default)]
    #[schemars(with = "Option<By<StatusCode, NonZeroU64>>")]
    pub status_codes: Option<BTreeMap<String, u64>>,
    /// By outcome, the first message that came with it: the status and the peer's own words, or why there was no answer.
    /// Visible on a terminal, and of bounded length; without those that did not occur, or came without a word.
    #[serde(default)]
    #[schemars(with = "Option<By<Outcome, String>>")]
    pub first_messages: Option<BTreeMap<String, String>>,
    /// What the service said of itself; null if it says nothing.
    pub service: Option<ServiceReport>,
    /// What became of queued messages; null if nothing was queued, or the service says nothing.
    pub audit: Option<AuditCounts>,
    /// Messages scheduled in the judged load and done within the SLO, per second of that load; null if it is not known when
    /// they were done. A message done after the load counts too: if all are done in time, goodput equals the offered load.
    pub goodput_rps: Option<f64>,
    /// From the scheduled send to the end of the call, by outcome; without those that did not occur.
    #[schemars(with = "By<Outcome, DistributionReport>")]
    pub response_time_seconds: BTreeMap<String, DistributionReport>,
    /// The same in more detail: one entry where `response_time_seconds` has one.
    #[serde(default)]
    #[schemars(with = "Option<By<Outcome, Curve>>")]
    pub response_time_curve: Option<BTreeMap<String, Vec<CurvePointReport>>>,
    /// By outcome, from when the request was sent to the end of the call: what a caller sees that never has to wait for its turn.
    #[schemars(with = "By<Outcome, DistributionReport>")]
    pub service_time_seconds: BTreeMap<String, DistributionReport>,
    /// From the scheduled send until the message was processed.
    pub time_to_done_seconds: Option<DistributionReport>,
    /// The same in more detail.
    #[serde(default)]
    #[schemars(with = "Option<Curve>")]
    pub time_to_done_curve: Option<Vec<CurvePointReport>>,
    /// As the service measured it, of messages that were processed.
    pub queue_wait_seconds: Option<DistributionReport>,
    /// Start lag: how late the load client itself sent. In a good run it is much shorter than the response times.
    pub start_lag_seconds: Option<DistributionReport>,
    /// Over time: steps of equal length.
    #[schemars(length(max = MAX_POINTS))]
    pub series: Vec<PointReport>,
    /// What was done to the service while the load ran, in the order of time.
    #[serde(default)]
    pub events: Option<Vec<EventReport>>,
    /// Whether the figures are the service's or the load client's.
    pub verdict: VerdictReport,
    /// What queueing theory predicts, beside what was measured; null where it was not asked.
    #[serde(default)]
    pub theory: Option<Box<TheoryReport>>,
    /// The rules that the run was judged by.
    pub gates: Vec<GateReport>,
    /// What a reader should know besides, and what does not add up.
    #[serde(default)]
    pub notes: Option<Vec<String>>,
}

/// Something that was done to the service while the load ran.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EventReport {
    /// When it was done, since the load began.
    pub at_seconds: f64,
    /// What was done, in a few words.
    pub says: String,
}

/// What was asked of the clients.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LoadReport {
    /// The number of clients.
    #[schemars(range(min = 1))]
    pub clients: u32,
    /// Requests scheduled per second; null of a load over no time.
    pub offered_rps: Option<f64>,
    /// How long requests were scheduled, without the warm-up.
    pub duration_seconds: f64,
    /// How long before that requests were sent and not judged.
    pub warmup_seconds: f64,
    /// How the times of the requests were chosen.
    #[schemars(extend("enum" = Schedule::LABELS))]
    pub arrival: String,
}

/// What the service said of itself, of the time of the run, the warm-up and other senders included.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ServiceReport {
    /// What became of the messages that it admitted.
    #[serde(flatten)]
    pub counts: ServiceCounts,
    /// Calls of Enqueue and Process that were not answered with OK, by the service's reason, as in foo_refusals_total; without
    /// those that did not occur.
    #[serde(default)]
    pub refusals: Option<BTreeMap<String, u64>>,
    /// Still waiting or in service when the run ended.
    pub queued: u64,
    /// How often another instance took over.
    pub restarts: u64,
    /// The most messages on the queue at once.
    pub queue_depth_max: u64,
    /// The queue when the load stopped, before the drain.
    pub queue_depth_end: Option<u64>,
    /// The most waiting and in service.
    pub in_system_max: u64,
    /// The most bytes on the queue.
    pub queue_bytes_max: u64,
    /// The most memory of the process; null where it is not the service's own.
    pub resident_bytes_max: Option<u64>,
    /// From the end of the load until everything was done; null if that was not seen.
    pub drain_seconds: Option<f64>,
}

/// Whether the figures are the service's or the load client's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct VerdictReport {
    /// Whether the load client was the limit, or its clients were.
    pub client_limited: bool,
    /// What limited the load; null if nothing did, or if it is not known.
    #[serde(default)]
    pub limited_by: Option<Limit>,
    /// The reason for this verdict, in words.
    pub reason: String,
    /// Start lag: how late the load client itself sent, at the 99th percentile; null if nothing was sent.
    pub start_lag_p99_seconds: Option<f64>,
    /// How much of a core the busiest of the sending threads used over the load; null where there are none (in virtual
    /// time), or the system does not tell.
    pub cpu_share: Option<f64>,
    /// Calls, the warm-up's included, that had to wait for a stream, because the service lets only so many be open on a
    /// connection.
    pub stream_waits: u64,
    /// The longest of these waits; null if there were none.
    pub stream_wait_max_seconds: Option<f64>,
    /// The mean of these waits; null if there were none.
    pub stream_wait_mean_seconds: Option<f64>,
    /// Of the scheduled requests, those whose clients were blocked; null if nothing was scheduled.
    pub withheld_share: Option<f64>,
}

/// A rule that a run was judged by.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GateReport {
    /// The rule as it was written.
    pub rule: String,
    /// Whether the rule was met, which fails the run; null if it could not be judged, which fails the run too.
    pub met: Option<bool>,
    /// What was seen: seconds, a number, a share from 0 to 1, or a rate per second; null if it has no end, or there is none.
    pub seen: Option<f64>,
    /// What was seen, in words.
    pub says: String,
    /// When it stopped the run; null if it did not.
    pub stopped_at_seconds: Option<f64>,
}

/// The JSON Schema of reports, docs/report.schema.json: of the types here, and of the comments on their fields.
pub fn schema() -> Value {
    schema::of::<Report>(SCHEMA)
}

impl Report {
    /// The run of that name.
    pub fn run(&self, name: &str) -> Option<&Run> {
        self.runs.iter().find(|run| run.name == name)
    }
}

impl Run {
    /// Whether an OK says no more than that a message is on the queue.
    pub fn is_queued(&self) -> bool {
        self.rpc == Rpc::Enqueue.label()
    }

    /// The times that a rule without a scope judges: to done where messages are queued, else until the ok answer. `None` if
    /// there are none.
    pub fn judged_times(&self) -> Option<&DistributionReport> {
        if self.is_queued() {
            self.time_to_done_seconds.as_ref()
        } else {
            self.response_time_seconds.get(Outcome::Ok.label())
        }
    }
}

impl GateReport {
    /// Whether the run has failed by it.
    pub fn fails(&self) -> bool {
        self.met != Some(false)
    }
}
