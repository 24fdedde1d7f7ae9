//! The load flags, which `run` and `compare` share, and the scenario they describe.

use std::{sync::Arc, thread, time::Duration};

use clap::Args;
use http::{HeaderMap, HeaderName, HeaderValue};

use super::{
    metadata::metadata,
    policy::PolicyArgs,
    priorities::priorities,
    stages::{Stages, stages},
    trace::TraceArgs,
    values::{clients, count, duration, number, payload_size, positive_duration, positive_number, rate, threads},
};
use crate::{
    arrival::trace::TraceError,
    scenario::{Priorities, Rpc, Scenario, Schedule, Spacing, WhenBlocked},
};

/// The most requests in flight of each client that calls Enqueue, if no flag sets it (arbitrary: a service that
/// acknowledges at once leaves far fewer open, and it is still a bound).
pub const OPEN_LOOP: u32 = 1000;
/// The number of clients if no flag gives it: as many as in the worked example.
const FEW_CLIENTS: u32 = 4;
/// The most clients that are derived from a rate (arbitrary: more threads of a real caller are rare, and 1,000 slow
/// answers at once are an overload that should show).
const MANY_CLIENTS: u32 = 1000;

/// The flags of the load.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Load")]
pub struct LoadArgs {
    /// RPC to call [default for run: process]
    #[arg(long, env = "LOAD_MODE")]
    mode: Option<Rpc>,

    /// Number of clients [default for run: as many as requests per second (the highest rate of the stages or of the
    /// trace), so that response times of up to 1 s hold no client back, but at least 4 and at most 1,000; fewer if
    /// --max-in-flight allows a client more than 1 request, or if the load has fewer requests than clients; default for
    /// compare, and without a rate: 4]
    #[arg(short, long, visible_alias = "concurrency", env = "LOAD_CLIENTS", value_parser = clients)]
    clients: Option<u32>,

    /// Number of connections that the clients share, at most one per client [default: one per core, at least one per
    /// service]
    #[arg(long, env = "LOAD_CONNECTIONS", value_parser = clients)]
    pub(super) connections: Option<u32>,

    /// Number of threads that send, each with its share of the connections, at most one per connection. Fewer threads cost
    /// less CPU per request, as long as they keep up [default: one per core]
    #[arg(long, env = "LOAD_THREADS", value_parser = threads)]
    pub(super) threads: Option<u32>,

    /// Requests per second of all clients together; 0: as fast as possible, then response time is service time. Each client
    /// has an equal share of the rate and starts at a random time that the seed draws [default: 8]
    #[arg(short, long, visible_alias = "rate", env = "LOAD_RPS", value_parser = rate, conflicts_with_all = ["rps_per_client", "stages", "trace"])]
    rps: Option<f64>,

    /// Requests per second of each client
    #[arg(long, env = "LOAD_RPS_PER_CLIENT", value_parser = rate, conflicts_with_all = ["stages", "trace"])]
    rps_per_client: Option<f64>,

    /// Duration of the load, also if its stages or its trace are shorter or longer; 0s: until stopped [default: 10s for run,
    /// 20s for compare; with --requests, --stages or --trace: as long as these last]
    #[arg(short = 'z', long, env = "LOAD_DURATION", value_parser = duration)]
    duration: Option<Duration>,

    /// Maximum number of requests of all clients together. The load ends with the last of them, at the given rate
    #[arg(short = 'n', long, visible_alias = "total", env = "LOAD_REQUESTS", value_parser = positive_number)]
    requests: Option<u64>,

    /// How requests are spaced in time. In both cases the requests of all clients together come at irregular intervals
    #[arg(long, env = "LOAD_ARRIVAL", default_value = "constant")]
    pub(super) arrival: Spacing,

    /// Rates one after the other, as LENGTH:RATE or LENGTH:FROM..TO for a linear ramp, such as 10s:100,30s:100..500 [requests
    /// per second of all clients together]
    #[arg(long, env = "LOAD_STAGES", value_parser = stages, conflicts_with = "trace")]
    pub(super) stages: Option<Stages>,

    /// Repeat the stages for the duration of the load
    #[arg(long, env = "LOAD_REPEAT")]
    pub(super) repeat: bool,

    /// The file of a recorded load, and how to read it.
    #[command(flatten)]
    pub(super) trace: TraceArgs,

    /// Maximum number of requests that each client has in flight. With 1, a client waits for each answer before it sends
    /// again [default: 1 for process, 1000 for enqueue]
    #[arg(long, env = "LOAD_MAX_IN_FLIGHT", value_parser = count)]
    max_in_flight: Option<u32>,

    /// What to do with a request that is due while its client has --max-in-flight requests in flight: send it later
    /// (backlog; response time counts from the scheduled send), or do not send it and count it (withhold) [default: backlog
    /// for run, withhold for compare and for traces]
    #[arg(long, env = "LOAD_WHEN_BLOCKED")]
    when_blocked: Option<WhenBlocked>,

    /// Deadline of each request, from its actual send
    #[arg(short, long, env = "LOAD_TIMEOUT", default_value = "10s", value_parser = positive_duration)]
    timeout: Duration,

    /// Objective for the time to done: goodput counts requests that are done within it, from the scheduled send [default: the
    /// timeout]
    #[arg(long, env = "LOAD_SLO", value_parser = positive_duration)]
    slo: Option<Duration>,

    /// Warm-up period: requests that are due in it are sent, but excluded from the results. The load must be longer, and its
    /// length must be known: --rps 0 needs --duration
    #[arg(long, env = "LOAD_WARMUP", default_value = "0s", value_parser = duration)]
    warmup: Duration,

    /// Maximum time to wait after the load until the service has processed its queue [default: 60s for run, twice the
    /// duration for compare, unlimited in virtual time]
    #[arg(long, env = "LOAD_DRAIN_LIMIT", value_parser = duration)]
    drain_limit: Option<Duration>,

    /// Maximum time to wait for the first connection
    #[arg(long, env = "LOAD_CONNECT_TIMEOUT", default_value = "10s", value_parser = positive_duration)]
    pub connect_timeout: Duration,

    /// Payload of each message, in bytes
    #[arg(long, env = "LOAD_PAYLOAD_SIZE", default_value = "64", value_parser = payload_size)]
    payload_size: usize,

    /// Metadata for every call, as 'name: value'. Repeatable; the environment variable has one line for each
    #[arg(
        short = 'H',
        long = "header",
        visible_alias = "metadata",
        env = "LOAD_HEADER",
        hide_env_values = true,
        value_name = "NAME: VALUE",
        value_delimiter = '\n',
        value_parser = metadata
    )]
    header: Vec<(HeaderName, HeaderValue)>,

    /// Classes of urgency, each with its share of the requests, such as u=0:20%,u=3:80%. Each request draws its class and says
    /// it in the metadata priority (RFC 9218): u=0 is the most urgent, u=7 the least. The report has figures for each class
    /// [default: requests do not say how urgent they are]
    #[arg(long, env = "LOAD_PRIORITIES", value_name = "CLASSES", value_parser = priorities)]
    priorities: Option<Priorities>,

    /// What the clients do about requests that fail.
    #[command(flatten)]
    policy: PolicyArgs,

    /// Seed of all random numbers
    #[arg(long, env = "LOAD_SEED", help_heading = "Load", default_value = "1", value_parser = number)]
    pub seed: u64,
}

/// The values of a load that no flag has set.
#[derive(Debug, Clone, Copy)]
pub struct Defaults {
    /// The RPC; `--mode` wins over it.
    pub rpc: Rpc,
    /// The duration of the load.
    pub duration: Duration,
    /// What happens to a request that is due while its client is at its limit of requests in flight.
    pub when_blocked: WhenBlocked,
    /// How long to wait for the service after the load.
    pub drain_limit: DrainLimit,
    /// The least number of connections: one for each service. A machine with more cores has more.
    pub connections: u32,
    /// The number of clients; `None`: as many as requests per second, within bounds.
    pub clients: Option<u32>,
    /// The most requests that each client has in flight; `None`: 1 if an answer means done, [`OPEN_LOOP`] for Enqueue.
    pub max_in_flight: Option<u32>,
}

/// How long to wait for the service after the load if no flag sets it.
#[derive(Debug, Clone, Copy)]
pub enum DrainLimit {
    /// At most this time.
    Fixed(Duration),
    /// Twice the duration of the load.
    TwiceTheLoad,
    /// Until everything is processed, however long that takes.
    None,
}

impl LoadArgs {
    /// The RPC of `--mode`, if it is given.
    pub fn mode(&self) -> Option<Rpc> {
        self.mode
    }

    /// Time within which a request must be done to count as good.
    pub fn slo(&self) -> Duration {
        self.slo.unwrap_or(self.timeout)
    }

    /// How requests are spaced in time.
    pub fn spacing(&self) -> Spacing {
        self.arrival
    }

    /// When requests are scheduled. Reads the trace, if there is one.
    pub fn schedule(&self) -> Result<Schedule, TraceError> {
        if let Some(recorded) = self.trace.schedule()? {
            return Ok(recorded);
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
            (None, Some(each)) => each * f64::from(self.clients.unwrap_or(FEW_CLIENTS)),
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

    /// The scenario of these flags. --mode wins over the RPC of `defaults`.
    pub fn scenario(&self, schedule: Schedule, defaults: Defaults) -> Scenario {
        self.scenario_of(self.mode.unwrap_or(defaults.rpc), schedule, defaults)
    }

    /// The scenario of these flags for this RPC. It ignores `--mode`.
    pub fn scenario_of(&self, rpc: Rpc, schedule: Schedule, defaults: Defaults) -> Scenario {
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
        let max_in_flight = self.max_in_flight.or(defaults.max_in_flight).unwrap_or(match rpc {
            Rpc::Enqueue => OPEN_LOOP,
            Rpc::Process | Rpc::Other(_) => 1,
        });
        let clients = self.clients.or(defaults.clients);
        let clients = clients.unwrap_or_else(|| self.clients_for(&schedule, max_in_flight, defaults.connections, load));
        let connections = cores.max(defaults.connections).max(self.threads.unwrap_or(0));
        let connections = self.connections.unwrap_or(connections).min(clients);
        Scenario {
            rpc,
            clients,
            connections,
            threads: self.threads.unwrap_or(cores).min(connections),
            max_in_flight,
            when_blocked: self.when_blocked.unwrap_or(if traced {
                WhenBlocked::Withhold
            } else {
                defaults.when_blocked
            }),
            schedule,
            duration,
            requests: self.requests,
            timeout: self.timeout,
            slo: self.slo(),
            warmup: self.warmup,
            drain_limit,
            payload_size: self.payload_size,
            metadata: self.header.iter().cloned().collect::<HeaderMap>(),
            priorities: self.priorities.clone().map(Arc::new),
            policies: self.policy.settings(),
            seed: self.seed,
        }
    }

    /// How many clients can send a schedule of this length on time, with responses of up to a second. Not more than
    /// there are requests to judge, so that each client has one; at least one for each connection and thread that is
    /// asked for.
    fn clients_for(&self, schedule: &Schedule, max_in_flight: u32, connections: u32, length: Option<Duration>) -> u32 {
        let by_rate = match (self.rps_per_client, schedule.highest_rate()) {
            (None, Some(rate)) => (rate / f64::from(max_in_flight)).ceil(),
            _ => 0.0,
        };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it is within the bounds"
        )]
        let by_rate = by_rate
            .clamp(f64::from(FEW_CLIENTS), f64::from(MANY_CLIENTS))
            .min(self.expected_requests(schedule, length).max(1.0)) as u32;
        let asked_for = [self.connections, self.threads].into_iter().flatten();
        asked_for.fold(by_rate.max(connections), u32::max)
    }

    /// How many requests a load of this length judges, on average. Infinite if nothing limits them, or if their number
    /// follows from the number of clients.
    fn expected_requests(&self, schedule: &Schedule, length: Option<Duration>) -> f64 {
        if self.rps_per_client.is_some() {
            return f64::INFINITY;
        }
        let until = |time| schedule.expected(time);
        let expected = length.and_then(|length| Some(until(length)? - until(self.warmup.min(length))?));
        let requests = self.requests.map(|requests| requests as f64);
        // The rounding errors of floats must not cost a request.
        let expected = expected.map(|expected| expected + 1e-6);
        requests.into_iter().chain(expected).fold(f64::INFINITY, f64::min)
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Flags {
        #[command(flatten)]
        load: LoadArgs,
    }

    const DEFAULTS: Defaults = Defaults {
        rpc: Rpc::Process,
        duration: Duration::from_secs(10),
        when_blocked: WhenBlocked::Backlog,
        drain_limit: DrainLimit::None,
        connections: 1,
        clients: None,
        max_in_flight: None,
    };

    #[test]
    fn a_client_whose_number_nobody_gives_has_a_request_within_the_load() {
        for (flags, clients) in [
            ("-r 1 -z 1s", 1),
            ("-r 1 -n 1 -z 1s", 1),
            ("--stages 1s:1", 1),
            ("--stages 1s:1 --repeat -z 3s", 3),
            ("-r 0.1 -z 1s", 1),
            ("-r 20 -n 10", 10),
            ("-r 0 -n 2", 2),
            ("-r 1 -z 4s --warmup 2s", 2),
            ("-r 1 -z 0s", 4),
            ("-r 100 -z 1s", 100),
            ("-r 1 -z 1s --connections 3", 3),
            ("-r 1 -z 1s -c 7", 7),
            ("--rps-per-client 1 -z 1s", 4),
            ("", 8),
        ] {
            let parsed = Flags::try_parse_from(["load"].into_iter().chain(flags.split_whitespace()));
            let load = parsed.unwrap_or_else(|error| panic!("{flags}: {error}")).load;
            let scenario = load.scenario(load.schedule().unwrap(), DEFAULTS);
            assert_eq!(scenario.clients, clients, "{flags}");
        }
    }

    #[test]
    fn flags_without_effect_and_a_load_that_is_over_before_it_is_judged_are_refused() {
        for (flags, reason) in [
            ("-r 0 -z 1s --arrival poisson", "--rps 0 sends as fast as possible"),
            (
                "-r 5 -z 1s --speed 2x",
                "--speed is for a trace, and there is no trace: name its file with --trace, or leave --speed out",
            ),
            ("--repeat", "--repeat repeats stages, and there are none"),
            ("--speed 1x", "--speed is for a trace"),
            ("--trace-time-column at", "--trace-time-column is for a trace"),
            ("--trace-time-unit ms", "--trace-time-unit is for a trace"),
            ("--trace-time-zone UTC", "--trace-time-zone is for a trace"),
            ("--trace-separator ;", "--trace-separator is for a trace"),
            ("--trace-demand-column work", "--trace-demand-column is for a trace"),
            (
                "--trace-demand-unit 1ms",
                "--trace-demand-unit has no effect without --trace-demand-column: give both, or leave --trace-demand-unit out",
            ),
            ("--stages 1s:20 -z 4s --warmup 2s", "no request is due after it"),
            ("--stages 1s:20,3s:0 --warmup 2s", "no request is due after it"),
        ] {
            let load = Flags::parse_from(["load"].into_iter().chain(flags.split_whitespace())).load;
            let scenario = load.scenario(load.schedule().unwrap(), DEFAULTS);
            let said = load.check(&scenario).unwrap_err();
            assert!(said.contains(reason), "{flags}: {said}");
        }
        let load = Flags::parse_from("load --stages 1s:20 --repeat -z 4s --warmup 2s".split_whitespace()).load;
        assert_eq!(load.check(&load.scenario(load.schedule().unwrap(), DEFAULTS)), Ok(()));
    }
}
