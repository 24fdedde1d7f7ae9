//! The load flags, which `run` and `compare` share, and the scenario they describe.

use std::{path::PathBuf, thread, time::Duration};

use clap::Args;
use http::{HeaderMap, HeaderName, HeaderValue};

use super::metadata::Metadata;
use super::values::{
    Stages, clients, count, duration, number, payload_size, positive_duration, positive_number, rate, speed, stages,
    threads,
};
use crate::{
    arrival::trace::{self, TraceError, TraceFormat},
    scenario::{Rpc, Scenario, Schedule, Spacing, WhenBlocked},
};

/// Sends in flight per client through Enqueue, where a client does not wait (arbitrary: far over what a service that
/// acknowledges lets stand, and still a bound).
const OPEN_LOOP: u32 = 1000;

/// The load.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Load")]
pub struct LoadArgs {
    /// The door to drive [default for run: process]
    #[arg(long, env = "LOAD_MODE")]
    mode: Option<Rpc>,

    /// Clients
    #[arg(short, long, visible_alias = "concurrency", env = "LOAD_CLIENTS", default_value = "4", value_parser = clients)]
    clients: u32,

    /// Connections that they share [default: one per core, at least one per service, at most one per client]
    #[arg(long, env = "LOAD_CONNECTIONS", value_parser = clients)]
    connections: Option<u32>,

    /// Threads that they send from, each with its share of the connections; fewer cost less per send, for as long as they
    /// keep up [default: one per core, at most one per connection]
    #[arg(long, env = "LOAD_THREADS", value_parser = threads)]
    threads: Option<u32>,

    /// Sends per second of all clients together; 0: as fast as possible, then response time is service time [default: 8]
    #[arg(short, long, visible_alias = "rate", env = "LOAD_RPS", value_parser = rate, conflicts_with_all = ["rps_per_client", "stages", "trace"])]
    rps: Option<f64>,

    /// Sends per second of each client
    #[arg(long, env = "LOAD_RPS_PER_CLIENT", value_parser = rate, conflicts_with_all = ["stages", "trace"])]
    rps_per_client: Option<f64>,

    /// How long sends are intended; 0s: until stopped [default: 10s for run, 20s for compare; with --requests, --stages
    /// or --trace: as long as these last]
    #[arg(short = 'z', long, env = "LOAD_DURATION", value_parser = duration)]
    duration: Option<Duration>,

    /// Sends, at most, of all clients together
    #[arg(short = 'n', long, visible_alias = "total", env = "LOAD_REQUESTS", value_parser = positive_number)]
    requests: Option<u64>,

    /// How sends are spaced at a given rate
    #[arg(long, env = "LOAD_ARRIVAL", default_value = "constant")]
    arrival: Spacing,

    /// Rates one after the other, as LENGTH:RATE,…, like 10s:100,30s:500 [sends per second of all clients together]
    #[arg(long, env = "LOAD_STAGES", value_parser = stages, conflicts_with = "trace")]
    stages: Option<Stages>,

    /// The stages from the front again, for as long as the run lasts
    #[arg(long, env = "LOAD_REPEAT", requires = "stages")]
    repeat: bool,

    /// Replay a CSV file; its rows are dealt to the clients in turn
    #[arg(long, env = "LOAD_TRACE", value_name = "FILE", requires = "trace_time_column")]
    trace: Option<PathBuf>,

    /// The column with the times: seconds, or timestamps
    #[arg(long, env = "LOAD_TRACE_TIME_COLUMN", value_name = "NAME", requires = "trace")]
    trace_time_column: Option<String>,

    /// The column with the service demands
    #[arg(long, env = "LOAD_TRACE_DEMAND_COLUMN", value_name = "NAME", requires = "trace")]
    trace_demand_column: Option<String>,

    /// What one unit of that column demands
    #[arg(long, env = "LOAD_TRACE_DEMAND_UNIT", default_value = "1ms", value_parser = positive_duration)]
    trace_demand_unit: Duration,

    /// How many times faster than recorded to replay; demands stay as they are
    #[arg(long, env = "LOAD_SPEED", default_value = "1x", value_parser = speed)]
    speed: f64,

    /// Sends that a client may have in flight; 1: it waits for each answer [default: 1 for process, 1000 for enqueue]
    #[arg(long, env = "LOAD_MAX_IN_FLIGHT", value_parser = count)]
    max_in_flight: Option<u32>,

    /// What happens to a send that is due while its client has that many in flight: it is made later, with the time since
    /// it was intended counted; or not at all, and counted [default: backlog for run, withhold for compare and for traces]
    #[arg(long, env = "LOAD_WHEN_BLOCKED")]
    when_blocked: Option<WhenBlocked>,

    /// Deadline of a send
    #[arg(short, long, env = "LOAD_TIMEOUT", default_value = "10s", value_parser = positive_duration)]
    timeout: Duration,

    /// Goodput counts what is done within it, from the intended send [default: the timeout]
    #[arg(long, env = "LOAD_SLO", value_parser = positive_duration)]
    slo: Option<Duration>,

    /// Sends intended in so long from the start are made, but not judged
    #[arg(long, env = "LOAD_WARMUP", default_value = "0s", value_parser = duration)]
    warmup: Duration,

    /// How long to wait after the load for the service to work off its queue [default: 60s for run, twice the duration
    /// for compare, without limit in virtual time]
    #[arg(long, env = "LOAD_DRAIN_LIMIT", value_parser = duration)]
    drain_limit: Option<Duration>,

    /// How long the service may take to come up
    #[arg(long, env = "LOAD_CONNECT_TIMEOUT", default_value = "10s", value_parser = positive_duration)]
    pub connect_timeout: Duration,

    /// Payload of a message, in bytes
    #[arg(long, env = "LOAD_PAYLOAD_SIZE", default_value = "64", value_parser = payload_size)]
    payload_size: usize,

    /// Metadata for every call, as 'name: value'; may be repeated, in the variable by a line for each
    #[arg(
        short = 'H',
        long = "header",
        visible_alias = "metadata",
        env = "LOAD_HEADER",
        hide_env_values = true,
        value_name = "NAME: VALUE",
        value_delimiter = '\n',
        value_parser = Metadata
    )]
    header: Vec<(HeaderName, HeaderValue)>,

    /// Seed of everything that is drawn
    #[arg(long, env = "LOAD_SEED", default_value = "1", value_parser = number)]
    pub seed: u64,
}

/// What holds where no flag says otherwise.
#[derive(Debug, Clone, Copy)]
pub struct Defaults {
    /// The door; a flag wins over it.
    pub rpc: Rpc,
    /// Of the load.
    pub duration: Duration,
    /// At the limit of sends in flight.
    pub when_blocked: WhenBlocked,
    /// After the load.
    pub drain_limit: DrainLimit,
    /// So that every service has one; more if the machine has more cores.
    pub connections: u32,
}

/// How long to wait after the load, where no flag says.
#[derive(Debug, Clone, Copy)]
pub enum DrainLimit {
    /// So long.
    Fixed(Duration),
    /// Twice as long as the load.
    TwiceTheLoad,
    /// For as long as it takes.
    None,
}

impl LoadArgs {
    /// What no single flag can know to be wrong.
    pub fn check(&self) -> Result<(), String> {
        match self.duration {
            Some(duration) if !duration.is_zero() && self.warmup >= duration => {
                Err("--warmup leaves nothing of --duration to be judged".to_owned())
            }
            _ => Ok(()),
        }
    }

    /// The door that a flag asks for.
    pub fn mode(&self) -> Option<Rpc> {
        self.mode
    }

    /// When sends are intended. Reads the trace, if there is one.
    pub fn schedule(&self) -> Result<Schedule, TraceError> {
        if let Some(path) = &self.trace {
            let format = TraceFormat {
                time_column: self.trace_time_column.clone().unwrap_or_default(),
                demand: self
                    .trace_demand_column
                    .clone()
                    .map(|column| (column, self.trace_demand_unit)),
                speed: self.speed,
            };
            return Ok(Schedule::Trace(trace::read_file(path, &format)?.into()));
        }
        if let Some(Stages(stages)) = &self.stages {
            return Ok(Schedule::Stages {
                stages: stages.as_slice().into(),
                repeat: self.repeat,
                spacing: self.arrival,
            });
        }
        let rps = match (self.rps, self.rps_per_client) {
            (Some(rps), _) => rps,
            (None, Some(each)) => each * f64::from(self.clients),
            (None, None) => 8.0,
        };
        Ok(if rps == 0.0 {
            Schedule::AsFastAsPossible
        } else {
            Schedule::Rate {
                rps,
                spacing: self.arrival,
            }
        })
    }

    /// The scenario of these flags.
    pub fn scenario(&self, schedule: Schedule, defaults: Defaults) -> Scenario {
        let rpc = self.mode.unwrap_or(defaults.rpc);
        let ends_by_itself = schedule.length().is_some() || self.requests.is_some();
        let duration = match self.duration {
            Some(Duration::ZERO) => None,
            Some(duration) => Some(duration),
            None if ends_by_itself => None,
            None => Some(defaults.duration),
        };
        let load = duration.or_else(|| schedule.length());
        let drain_limit = self.drain_limit.or(match defaults.drain_limit {
            DrainLimit::Fixed(limit) => Some(limit),
            DrainLimit::TwiceTheLoad => Some(load.map_or(Duration::from_secs(60), |load| load * 2)),
            DrainLimit::None => None,
        });
        let cores = thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let cores = u32::try_from(cores).unwrap_or(u32::MAX);
        let traced = matches!(schedule, Schedule::Trace(_));
        let connections = self
            .connections
            .unwrap_or(cores.max(defaults.connections))
            .min(self.clients);
        Scenario {
            rpc,
            clients: self.clients,
            connections,
            threads: self.threads.unwrap_or(cores).min(connections),
            max_in_flight: self.max_in_flight.unwrap_or(match rpc {
                Rpc::Enqueue => OPEN_LOOP,
                Rpc::Process | Rpc::Other(_) => 1,
            }),
            when_blocked: self.when_blocked.unwrap_or(if traced {
                WhenBlocked::Withhold
            } else {
                defaults.when_blocked
            }),
            schedule,
            duration,
            requests: self.requests,
            timeout: self.timeout,
            slo: self.slo.unwrap_or(self.timeout),
            warmup: self.warmup,
            drain_limit,
            payload_size: self.payload_size,
            metadata: self.header.iter().cloned().collect::<HeaderMap>(),
            seed: self.seed,
        }
    }
}
