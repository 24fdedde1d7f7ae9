//! What to run: pure data, checked where it is made.

use std::{sync::Arc, time::Duration};

/// What is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Rpc {
    /// Fire-and-forget.
    Enqueue,
    /// Synchronous.
    Process,
    /// A unary method of any service, as `package.Service/Method`. Its answer is taken to say that its work is done.
    #[value(skip)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum WhenBlocked {
    /// It is made when it can be; its response time counts from when it was intended.
    Backlog,
    /// It is not made, and is counted.
    Withhold,
}

/// How sends are spaced at a given rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Spacing {
    /// Evenly, each client at a phase of its own.
    Constant,
    /// At random: exponential gaps, as from very many independent sources.
    Poisson,
}

impl Spacing {
    /// Its name in reports.
    pub fn label(self) -> &'static str {
        match self {
            Self::Constant => "constant",
            Self::Poisson => "poisson",
        }
    }
}

/// A rate held for a while.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stage {
    /// How long.
    pub length: Duration,
    /// Sends per second, of all clients together.
    pub rps: f64,
}

/// A recorded send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceRow {
    /// Since the first row, speed applied.
    pub at: Duration,
    /// What the message demands.
    pub demand: Option<Duration>,
}

/// When sends are intended.
#[derive(Debug, Clone, PartialEq)]
pub enum Schedule {
    /// At one rate, for as long as the run lasts; sends per second of all clients together.
    Rate {
        /// More than 0.
        rps: f64,
        /// Within the rate.
        spacing: Spacing,
    },
    /// At one rate after the other.
    Stages {
        /// Not empty, none of length 0.
        stages: Arc<[Stage]>,
        /// From the front again, for as long as the run lasts.
        repeat: bool,
        /// Within each rate.
        spacing: Spacing,
    },
    /// As recorded; rows are dealt to the clients in turn.
    Trace(Arc<[TraceRow]>),
    /// No schedule: each client sends whenever it may.
    AsFastAsPossible,
}

impl Schedule {
    /// Its name in reports.
    pub fn label(&self) -> &'static str {
        match self {
            Self::Rate { spacing, .. } | Self::Stages { spacing, .. } => spacing.label(),
            Self::Trace(_) => "trace",
            Self::AsFastAsPossible => "as-fast-as-possible",
        }
    }

    /// Sends per second that it asks for at this time since the start; `None` where it has no rate.
    pub fn rate_at(&self, at: Duration) -> Option<f64> {
        match self {
            Self::Rate { rps, .. } => Some(*rps),
            Self::Stages { stages, repeat, .. } => {
                let length: Duration = stages.iter().map(|stage| stage.length).sum();
                let mut left = if *repeat {
                    Duration::from_secs_f64(at.as_secs_f64() % length.as_secs_f64())
                } else {
                    at
                };
                let stage = stages.iter().find(|stage| {
                    let within = left < stage.length;
                    left = left.saturating_sub(stage.length);
                    within
                });
                Some(stage.map_or(0.0, |stage| stage.rps))
            }
            Self::Trace(_) | Self::AsFastAsPossible => None,
        }
    }

    /// Whether there is one.
    pub fn is_some(&self) -> bool {
        !matches!(self, Self::AsFastAsPossible)
    }

    /// How long the schedule lasts by itself; `None`: without end.
    pub fn length(&self) -> Option<Duration> {
        match self {
            Self::Stages {
                stages, repeat: false, ..
            } => Some(stages.iter().map(|stage| stage.length).sum()),
            // The last row belongs to it, so it ends right after.
            Self::Trace(rows) => Some(
                rows.last()
                    .map_or(Duration::ZERO, |row| row.at + Duration::from_nanos(1)),
            ),
            Self::Rate { .. } | Self::Stages { .. } | Self::AsFastAsPossible => None,
        }
    }

    /// Stages that repeat, begun where they are at `time` if they have been repeating since time 0: whoever begins so, at
    /// whatever time, is in the same stage as all others. Anything else begins at its beginning.
    #[must_use]
    pub fn joined_at(self, time: Duration) -> Self {
        let Self::Stages {
            stages,
            repeat: true,
            spacing,
        } = self
        else {
            return self;
        };
        let cycle: Duration = stages.iter().map(|stage| stage.length).sum();
        let mut into = Duration::from_secs_f64(time.as_secs_f64() % cycle.as_secs_f64());
        let mut joined = stages.to_vec();
        // Those that are over now come last; of the one that is under way, the part that is over.
        for (index, stage) in stages.iter().enumerate() {
            if into < stage.length {
                joined.rotate_left(index);
                joined[0].length -= into;
                joined.push(Stage { length: into, ..*stage });
                break;
            }
            into -= stage.length;
        }
        joined.retain(|stage| !stage.length.is_zero());
        Self::Stages {
            stages: joined.into(),
            repeat: true,
            spacing,
        }
    }
}

/// A load, and how it is judged.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// What is called.
    pub rpc: Rpc,
    /// How many clients; at least 1.
    pub clients: u32,
    /// Over how many connections, at most one per client.
    pub connections: u32,
    /// From how many threads, at most one per connection; in virtual time all run on one.
    pub threads: u32,
    /// When sends are intended.
    pub schedule: Schedule,
    /// How many sends a client may have in flight: 1 is the closed loop.
    pub max_in_flight: u32,
    /// What happens then.
    pub when_blocked: WhenBlocked,
    /// For how long sends are intended; `None`: until stopped, or until the schedule or the requests end.
    pub duration: Option<Duration>,
    /// How many sends are intended, at most.
    pub requests: Option<u64>,
    /// The deadline of a send, from when it is made.
    pub timeout: Duration,
    /// Goodput counts what is done within it.
    pub slo: Duration,
    /// Sends intended within it are made, but not judged.
    pub warmup: Duration,
    /// How long to wait for the service to work off what is queued; `None`: for as long as it takes.
    pub drain_limit: Option<Duration>,
    /// Bytes of payload per message.
    pub payload_size: usize,
    /// Sent with every call.
    pub metadata: http::HeaderMap,
    /// Of everything that is drawn.
    pub seed: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schedule_tells_the_rate_that_it_asks_for_now() {
        let stages = [(10, 100.0), (20, 0.5)].map(|(seconds, rps)| Stage {
            length: Duration::from_secs(seconds),
            rps,
        });
        let schedule = |repeat| Schedule::Stages {
            stages: stages.into(),
            repeat,
            spacing: Spacing::Constant,
        };
        let at = |repeat, seconds| schedule(repeat).rate_at(Duration::from_secs(seconds));
        assert_eq!(
            [0, 9, 10, 29, 30].map(|seconds| at(false, seconds)),
            [100.0, 100.0, 0.5, 0.5, 0.0].map(Some)
        );
        assert_eq!(
            [30, 39, 40, 99].map(|seconds| at(true, seconds)),
            [100.0, 100.0, 0.5, 100.0].map(Some)
        );
        assert_eq!(Schedule::AsFastAsPossible.rate_at(Duration::ZERO), None);
    }

    fn stages(stages: &[(u64, f64)]) -> Schedule {
        Schedule::Stages {
            stages: stages
                .iter()
                .map(|&(seconds, rps)| Stage {
                    length: Duration::from_secs(seconds),
                    rps,
                })
                .collect(),
            repeat: true,
            spacing: Spacing::Constant,
        }
    }

    #[test]
    fn who_joins_late_is_in_the_stage_of_those_who_were_there_from_the_start() {
        let cycle = || stages(&[(20, 80.0), (60, 300.0), (5, 1600.0)]);
        let joined = |seconds| cycle().joined_at(Duration::from_secs(seconds));
        assert_eq!(joined(0), cycle());
        assert_eq!(joined(850), cycle());
        assert_eq!(joined(5), stages(&[(15, 80.0), (60, 300.0), (5, 1600.0), (5, 80.0)]));
        assert_eq!(joined(85 + 20), stages(&[(60, 300.0), (5, 1600.0), (20, 80.0)]));
        assert_eq!(joined(84), stages(&[(1, 1600.0), (20, 80.0), (60, 300.0), (4, 1600.0)]));
    }

    #[test]
    fn what_does_not_repeat_begins_at_its_beginning() {
        let rate = Schedule::Rate {
            rps: 8.0,
            spacing: Spacing::Constant,
        };
        assert_eq!(rate.clone().joined_at(Duration::from_secs(7)), rate);
    }
}
