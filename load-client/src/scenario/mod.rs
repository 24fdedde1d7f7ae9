//! What to run: pure data, checked where it is made.

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
    /// A method by its name, which lives for as long as the program: its reports and metrics carry it.
    pub fn other(name: String) -> Self {
        Self::Other(name.leak())
    }

    /// Its name in reports and metrics.
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

    /// Whether the service is a FooService, so that it can be asked what it sees of itself.
    pub fn is_foo_service(self) -> bool {
        match self {
            Self::Enqueue | Self::Process => true,
            Self::Other(name) => name.starts_with("foo.v1.FooService/"),
        }
    }
}

/// What happens to a send that is due while its client has as many in flight as it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr, VariantNames)]
#[strum(serialize_all = "snake_case")]
pub enum WhenBlocked {
    /// It is made when it can be; its response time counts from when it was scheduled.
    Backlog,
    /// It is not made, and is counted.
    Withhold,
}

impl WhenBlocked {
    /// Its name in reports and on the command line.
    pub fn label(self) -> &'static str {
        self.into()
    }
}

/// A load, and how it is judged.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// The RPC that is called.
    pub rpc: Rpc,
    /// How many clients; at least 1.
    pub clients: u32,
    /// Over how many connections, at most one per client.
    pub connections: u32,
    /// From how many threads, at most one per connection; in virtual time all run on one.
    pub threads: u32,
    /// When requests are scheduled.
    pub schedule: Schedule,
    /// How many sends a client may have in flight: 1 is the closed loop.
    pub max_in_flight: u32,
    /// What happens to a request that is due at that limit.
    pub when_blocked: WhenBlocked,
    /// How long the load lasts, however long its schedule is; `None`: until stopped, or until the schedule or the requests
    /// end.
    pub duration: Option<Duration>,
    /// How many requests are scheduled, at most: the first of the schedule of all clients.
    pub requests: Option<u64>,
    /// The deadline of a send, from when it is made.
    pub timeout: Duration,
    /// Goodput counts what is done within it, from the scheduled send.
    pub slo: Duration,
    /// Requests scheduled within it are sent, but not judged.
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
    /// Of everything that is drawn.
    pub seed: u64,
}

impl Scenario {
    /// How long the load lasts, not counting a limit on the number of requests; `None`: unlimited.
    pub fn length(&self) -> Option<Duration> {
        self.duration.or_else(|| self.schedule.length())
    }
}
