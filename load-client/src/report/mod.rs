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

/// What `load-client --json` writes. Seconds are floats; a missing value is null. A field that is not among the
/// required ones may be missing, if an older program wrote the report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// The name of this schema.
    #[schemars(extend("const" = SCHEMA))]
    pub schema: String,
    /// The seed of all random choices.
    pub seed: u64,
    /// The version of the program that wrote the report.
    #[serde(default)]
    pub version: Option<String>,
    /// A command line for a shell that makes the same runs, with the environment variables that it needs in front;
    /// without secrets, and without what only says where the report goes.
    #[serde(default)]
    pub command: Option<String>,
    /// One run per strategy or target; for `capacity` one per test, for `sweep` one per strategy and load.
    pub runs: Vec<Run>,
    /// What `capacity` found; null for any other command.
    #[serde(default)]
    pub capacity: Option<Box<FoundReport>>,
    /// What `sweep` measured; null for any other command.
    #[serde(default)]
    pub sweep: Option<Box<SweepReport>>,
}

/// A run: one load against one strategy or target, and what was measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Run {
    /// The name of the strategy or the target; "run" for a single run.
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
    /// The configuration of the run, defaults included.
    #[serde(default)]
    pub configuration: Option<ConfigurationReport>,
    /// The load that the clients were to send.
    pub load: LoadReport,
    /// How every scheduled request ended.
    pub ledger: Ledger,
    /// How the requests ended by URL; null for a service in the same process.
    #[serde(default)]
    pub targets: Option<Vec<TargetReport>>,
    /// The attempts of these requests; null if each request is sent once.
    #[serde(default)]
    pub attempts: Option<Box<AttemptsReport>>,
    /// The requests by class of urgency; null if requests do not say how urgent they are.
    #[serde(default)]
    pub classes: Option<Vec<ClassReport>>,
    /// How many answers came with each gRPC status, by its name, like NOT_FOUND; without those that did not occur. A request
    /// that ended without an answer is in none: its deadline passed, or the connection failed.
    #[serde(default)]
    #[schemars(with = "Option<By<StatusCode, NonZeroU64>>")]
    pub status_codes: Option<BTreeMap<String, u64>>,
    /// The first message of each outcome: the status and the peer's own words, or why there was no answer. All its
    /// characters are visible, and its length is bounded. Outcomes without a message are left out.
    #[serde(default)]
    #[schemars(with = "Option<By<Outcome, String>>")]
    pub first_messages: Option<BTreeMap<String, String>>,
    /// What the service reported about itself; null if it reports nothing.
    pub service: Option<ServiceReport>,
    /// What became of queued messages; null if nothing was queued, or the service reports nothing.
    pub audit: Option<AuditCounts>,
    /// Messages scheduled in the judged load and done within the SLO, per second of that load; null if it is not known when
    /// they were done. A message done after the load counts too: if all are done in time, goodput equals the offered load.
    pub goodput_rps: Option<f64>,
    /// Response times, from the scheduled send to the end of the call, by outcome; outcomes that did not occur are left
    /// out.
    #[schemars(with = "By<Outcome, DistributionReport>")]
    pub response_time_seconds: BTreeMap<String, DistributionReport>,
    /// The curves of the response times, for the same outcomes.
    #[serde(default)]
    #[schemars(with = "Option<By<Outcome, Curve>>")]
    pub response_time_curve: Option<BTreeMap<String, Vec<CurvePointReport>>>,
    /// Service times, from the actual send to the end of the call, by outcome: what a caller sees that never has to
    /// wait before it sends.
    #[schemars(with = "By<Outcome, DistributionReport>")]
    pub service_time_seconds: BTreeMap<String, DistributionReport>,
    /// Times to done, from the scheduled send until the message was processed.
    pub time_to_done_seconds: Option<DistributionReport>,
    /// The curve of the times to done.
    #[serde(default)]
    #[schemars(with = "Option<Curve>")]
    pub time_to_done_curve: Option<Vec<CurvePointReport>>,
    /// Queue waits of the processed messages, as the service measured them.
    pub queue_wait_seconds: Option<DistributionReport>,
    /// Start lag: how late the load client itself sent. In a good run it is much shorter than the response times.
    pub start_lag_seconds: Option<DistributionReport>,
    /// The run over time, in steps of equal length.
    #[schemars(length(max = MAX_POINTS))]
    pub series: Vec<PointReport>,
    /// What was done to the service while the load ran, in the order of time.
    #[serde(default)]
    pub events: Option<Vec<EventReport>>,
    /// Whether the figures are the service's or the load client's.
    pub verdict: VerdictReport,
    /// What queueing theory predicts, beside what was measured; null if that was not asked for.
    #[serde(default)]
    pub theory: Option<Box<TheoryReport>>,
    /// The rules that the run was judged by.
    pub gates: Vec<GateReport>,
    /// What else a reader should know, and what does not add up.
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

/// The load that the clients were to send.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LoadReport {
    /// The number of clients.
    #[schemars(range(min = 1))]
    pub clients: u32,
    /// Requests scheduled per second; null for a load of no length.
    pub offered_rps: Option<f64>,
    /// How long requests were scheduled, without the warm-up.
    pub duration_seconds: f64,
    /// The length of the warm-up before it, in which requests were sent and not judged.
    pub warmup_seconds: f64,
    /// How the times of the requests were chosen.
    #[schemars(extend("enum" = Schedule::LABELS))]
    pub arrival: String,
}

/// What the service reported about itself for the time of the run, with the warm-up and other senders included.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ServiceReport {
    /// What became of the messages that it admitted.
    #[serde(flatten)]
    pub counts: ServiceCounts,
    /// Calls of Enqueue and Process that were not answered with OK, by the service's reason, as in foo_refusals_total; without
    /// those that did not occur.
    #[serde(default)]
    pub refusals: Option<BTreeMap<String, u64>>,
    /// Messages still waiting or in service when the run ended.
    pub queued: u64,
    /// How often another instance took over.
    pub restarts: u64,
    /// The most messages on the queue at once.
    pub queue_depth_max: u64,
    /// Messages on the queue when the load ended, before the drain.
    pub queue_depth_end: Option<u64>,
    /// The most messages waiting and in service at once.
    pub in_system_max: u64,
    /// The most bytes on the queue at once.
    pub queue_bytes_max: u64,
    /// The most memory of the service's process; null if the service has no process of its own.
    pub resident_bytes_max: Option<u64>,
    /// Time from the end of the load until everything was done; null if that was not seen.
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
    /// The share of a core that the busiest sending thread used over the load; null if there are no sending threads (in
    /// virtual time), or if the system does not report it.
    pub cpu_share: Option<f64>,
    /// Calls, those of the warm-up included, that had to wait for a stream, because the service limits how many are
    /// open on a connection.
    pub stream_waits: u64,
    /// The longest of these waits; null if there were none.
    pub stream_wait_max_seconds: Option<f64>,
    /// The mean of these waits; null if there were none.
    pub stream_wait_mean_seconds: Option<f64>,
    /// The share of the scheduled requests that were withheld, because their clients were waiting; null if nothing was
    /// scheduled.
    pub withheld_share: Option<f64>,
}

/// A rule that a run was judged by.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GateReport {
    /// The rule as it was written.
    pub rule: String,
    /// Whether the rule was met, which fails the run; null if it could not be judged, which fails the run too.
    pub met: Option<bool>,
    /// The judged figure: seconds, a number, a share from 0 to 1, or a rate per second; null if it is infinite, or if
    /// there is none.
    pub seen: Option<f64>,
    /// The judged figure as a text with its unit, for people.
    pub says: String,
    /// When the rule stopped the run; null if it did not.
    pub stopped_at_seconds: Option<f64>,
}

/// The JSON Schema of reports, docs/report.schema.json: of the types here, and of the comments on their fields.
pub fn schema() -> Value {
    schema::of::<Report>(SCHEMA)
}

impl Report {
    /// The run of this name, if there is one.
    pub fn run(&self, name: &str) -> Option<&Run> {
        self.runs.iter().find(|run| run.name == name)
    }
}

impl Run {
    /// Whether an OK says no more than that a message is on the queue.
    pub fn is_queued(&self) -> bool {
        self.rpc == Rpc::Enqueue.label()
    }

    /// The times that a rule without a scope judges: times to done for Enqueue, else response times of ok answers.
    /// `None` if there are none.
    pub fn judged_times(&self) -> Option<&DistributionReport> {
        if self.is_queued() {
            self.time_to_done_seconds.as_ref()
        } else {
            self.response_time_seconds.get(Outcome::Ok.label())
        }
    }
}

impl GateReport {
    /// Whether the run fails because of this rule: it was met, or could not be judged.
    pub fn fails(&self) -> bool {
        self.met != Some(false)
    }
}
