//! The load of a run and how it is judged: pure data, checked where it is made.

mod priorities;
mod schedule;
mod stage;

use std::{sync::Arc, time::Duration};

use strum::{IntoStaticStr, VariantNames};

use crate::policy::PolicySettings;

pub use self::{
    priorities::{ClassShare, Priorities},
    schedule::{Schedule, Spacing, TraceRow},
    stage::Stage,
};

/// The RPC that is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rpc {
    /// The service queues the message and answers at once.
    Enqueue,
    /// The service processes the message and then answers.
    Process,
    /// A unary method of any service, as `package.Service/Method`. Its answer is taken to say that its work is done.
    Other(&'static str),
}

impl Rpc {
    /// A method by its name. The name is leaked, because reports and metrics use it for as long as the program runs.
    pub fn other(name: String) -> Self {
        Self::Other(name.leak())
    }

    /// The name in reports and metrics.
    pub fn label(self) -> &'static str {
        match self {
            Self::Enqueue => "enqueue",
            Self::Process => "process",
            Self::Other(name) => name,
        }
    }

    /// Whether an OK means that the message has been processed.
    pub fn ok_means_done(self) -> bool {
        self != Self::Enqueue
    }

    /// Whether the service is a FooService, so that Watch can report the service's own figures.
    pub fn is_foo_service(self) -> bool {
        match self {
            Self::Enqueue | Self::Process => true,
            Self::Other(name) => name.starts_with("foo.v1.FooService/"),
        }
    }
}

/// What happens to a request that is due while its client has `max_in_flight` requests in flight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr, VariantNames)]
#[strum(serialize_all = "snake_case")]
pub enum WhenBlocked {
    /// The request is sent as soon as it can be. Its response time counts from when it was scheduled.
    Backlog,
    /// The request is not sent, and counts as withheld.
    Withhold,
}

impl WhenBlocked {
    /// The name in reports and on the command line.
    pub fn label(self) -> &'static str {
        self.into()
    }
}

/// A load, and how it is judged.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// The RPC that is called.
    pub rpc: Rpc,
    /// The number of clients; at least 1.
    pub clients: u32,
    /// The number of connections; at most one per client.
    pub connections: u32,
    /// The number of threads that send; at most one per connection. In virtual time all clients run on one.
    pub threads: u32,
    /// When requests are scheduled.
    pub schedule: Schedule,
    /// How many requests a client may have in flight: 1 is the closed loop.
    pub max_in_flight: u32,
    /// What happens to a request that is due at that limit.
    pub when_blocked: WhenBlocked,
    /// How long the load lasts, even if its schedule is longer; `None`: until it is stopped, or until the schedule or the
    /// requests end.
    pub duration: Option<Duration>,
    /// The most requests that are scheduled, of all clients together; `None`: no such bound.
    pub requests: Option<u64>,
    /// The deadline of a request, counted from its actual send.
    pub timeout: Duration,
    /// The SLO: goodput counts requests that are done within this time from the scheduled send.
    pub slo: Duration,
    /// The warm-up: requests that are scheduled within this time from the start are sent, but not judged.
    pub warmup: Duration,
    /// How long to wait for the service to work off what is queued; `None`: for as long as it takes.
    pub drain_limit: Option<Duration>,
    /// Bytes of payload per message.
    pub payload_size: usize,
    /// The metadata of every call.
    pub metadata: http::HeaderMap,
    /// The classes of urgency that requests are drawn from; `None`: requests do not say how urgent they are.
    pub priorities: Option<Arc<Priorities>>,
    /// What the clients do about requests that fail.
    pub policies: PolicySettings,
    /// The seed of all random numbers of the run.
    pub seed: u64,
}

impl Scenario {
    /// How long the load lasts, not counting a limit on the number of requests; `None`: unlimited.
    pub fn length(&self) -> Option<Duration> {
        self.duration.or_else(|| self.schedule.length())
    }
}
