//! The schedule of a load, as the user gives it: a rate, stages, a trace, or none (as fast as possible).

use std::{sync::Arc, time::Duration};

use super::Stage;

/// How requests are spaced at a given rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spacing {
    /// Each client sends at equal intervals, from a random phase. So the requests of all clients together are not evenly
    /// spaced.
    Constant,
    /// Requests come at random, with exponential gaps, as from very many independent sources.
    Poisson,
}

impl Spacing {
    /// The name in reports: a value of `arrival`.
    pub fn label(self) -> &'static str {
        match self {
            Self::Constant => "constant",
            Self::Poisson => "poisson",
        }
    }
}

/// A request of a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceRow {
    /// The time since the first row, after the speed of the replay is applied.
    pub at: Duration,
    /// The service time that the message asks for; `None`: the service chooses it.
    pub demand: Option<Duration>,
}

/// The rate of scheduled requests, and how it changes during a run.
#[derive(Debug, Clone, PartialEq)]
pub enum Schedule {
    /// One rate, for as long as the run lasts.
    Rate {
        /// Requests per second of all clients together, more than 0.
        rps: f64,
        /// How the requests of the rate are spaced.
        spacing: Spacing,
    },
    /// One rate after the other.
    Stages {
        /// The stages: at least one, and each is longer than 0.
        stages: Arc<[Stage]>,
        /// The stages begin again when they end, for as long as the run lasts.
        repeat: bool,
        /// How the requests of each rate are spaced.
        spacing: Spacing,
    },
    /// The recorded times of a trace. Its rows are dealt to the clients in turn.
    Trace(Arc<[TraceRow]>),
    /// No schedule: each client sends whenever it may.
    AsFastAsPossible,
}

impl Schedule {
    /// The names of all kinds of schedule.
    pub const LABELS: [&str; 4] = ["constant", "poisson", "trace", "as-fast-as-possible"];

    /// The name in reports: one of [`Self::LABELS`].
    pub fn label(&self) -> &'static str {
        match self {
            Self::Rate { spacing, .. } | Self::Stages { spacing, .. } => spacing.label(),
            Self::Trace(_) => "trace",
            Self::AsFastAsPossible => "as-fast-as-possible",
        }
    }

    /// The requests per second that the schedule asks for at this time since the start; `None` if it has no rate.
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
                for stage in stages.iter() {
                    if left < stage.length {
                        return Some(stage.rate_at(left));
                    }
                    left -= stage.length;
                }
                Some(0.0)
            }
            Self::Trace(_) | Self::AsFastAsPossible => None,
        }
    }

    /// Whether the schedule says when requests are due.
    pub fn is_some(&self) -> bool {
        !matches!(self, Self::AsFastAsPossible)
    }

    /// The most requests that the schedule asks for within a second, approximately; `None` if it has no rate. For a trace:
    /// the number in the second with the most rows.
    pub fn highest_rate(&self) -> Option<f64> {
        match self {
            Self::Rate { rps, .. } => Some(*rps),
            Self::Stages { stages, .. } => stages.iter().map(Stage::highest_rps).reduce(f64::max),
            Self::Trace(rows) => {
                let mut first = 0;
                let within_a_second = rows.iter().enumerate().map(|(last, row)| {
                    while rows[first].at + Duration::from_secs(1) <= row.at {
                        first += 1;
                    }
                    last + 1 - first
                });
                within_a_second.max().map(|most| most as f64)
            }
            Self::AsFastAsPossible => None,
        }
    }

    /// How many requests the schedule asks for in the first `time`, on average; `None` for as fast as possible.
    pub fn expected(&self, time: Duration) -> Option<f64> {
        match self {
            Self::Rate { rps, .. } => Some(rps * time.as_secs_f64()),
            Self::Stages { stages, repeat, .. } => {
                let sends = |stage: &Stage| stage.mean_rps() * stage.length.as_secs_f64();
                let cycle: Duration = stages.iter().map(|stage| stage.length).sum();
                let rounds = if *repeat {
                    (time.as_secs_f64() / cycle.as_secs_f64()).floor()
                } else {
                    0.0
                };
                let mut left = time.saturating_sub(Duration::from_secs_f64(rounds * cycle.as_secs_f64()));
                let mut expected = rounds * stages.iter().map(sends).sum::<f64>();
                for stage in stages.iter() {
                    let (under_way, _) = stage.cut(left.min(stage.length));
                    expected += sends(&under_way);
                    left = left.saturating_sub(stage.length);
                }
                Some(expected)
            }
            Self::Trace(rows) => Some(rows.partition_point(|row| row.at < time) as f64),
            Self::AsFastAsPossible => None,
        }
    }

    /// How long the schedule lasts by itself; `None`: unlimited.
    pub fn length(&self) -> Option<Duration> {
        match self {
            Self::Stages {
                stages, repeat: false, ..
            } => Some(stages.iter().map(|stage| stage.length).sum()),
            // The last row is part of the trace, so the schedule ends right after it.
            Self::Trace(rows) => Some(
                rows.last()
                    .map_or(Duration::ZERO, |row| row.at + Duration::from_nanos(1)),
            ),
            Self::Rate { .. } | Self::Stages { .. } | Self::AsFastAsPossible => None,
        }
    }

    /// The schedule of a load that joins at `time`. Repeating stages continue as if they had been repeating since time 0, so
    /// all loads are in the same stage, whenever they join. Any other schedule starts at its beginning.
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
        // The stages that are over come last, and after them the part of the current stage that is over.
        for (index, stage) in stages.iter().enumerate() {
            if into < stage.length {
                let (before, after) = stage.cut(into);
                joined.rotate_left(index);
                joined[0] = after;
                joined.push(before);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schedule_tells_the_rate_that_it_asks_for_now() {
        let stages = [(10, 100.0), (20, 0.5)].map(|(seconds, rps)| Stage::steady(Duration::from_secs(seconds), rps));
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

    #[test]
    fn every_schedule_has_one_of_the_labels() {
        let rate = |spacing| Schedule::Rate { rps: 1.0, spacing };
        let all = [
            rate(Spacing::Constant),
            rate(Spacing::Poisson),
            Schedule::Trace([].into()),
            Schedule::AsFastAsPossible,
        ];
        assert_eq!(all.map(|schedule| schedule.label()), Schedule::LABELS);
    }

    fn stages(stages: &[(u64, f64)]) -> Schedule {
        Schedule::Stages {
            stages: stages
                .iter()
                .map(|&(seconds, rps)| Stage::steady(Duration::from_secs(seconds), rps))
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
    fn a_ramp_asks_for_more_and_more_and_is_joined_where_it_is() {
        let ramp = |seconds, rps, end_rps| Stage {
            length: Duration::from_secs(seconds),
            rps,
            end_rps,
        };
        let stages = |stages: &[Stage]| Schedule::Stages {
            stages: stages.into(),
            repeat: true,
            spacing: Spacing::Constant,
        };
        let cycle = stages(&[ramp(10, 100.0, 500.0), ramp(10, 500.0, 500.0)]);
        let at = |seconds| cycle.rate_at(Duration::from_secs(seconds));
        assert_eq!(
            [0, 5, 10, 19, 25].map(at),
            [100.0, 300.0, 500.0, 500.0, 300.0].map(Some)
        );
        assert_eq!(cycle.highest_rate(), Some(500.0));
        let joined = cycle.joined_at(Duration::from_secs(1000 * 20 + 5));
        let halves = [ramp(5, 300.0, 500.0), ramp(10, 500.0, 500.0), ramp(5, 100.0, 300.0)];
        assert_eq!(joined, stages(&halves));
    }

    #[test]
    fn a_schedule_tells_how_many_sends_it_asks_for() {
        let expected = |schedule: &Schedule, millis| schedule.expected(Duration::from_millis(millis)).unwrap();
        let near = |seen: f64, right: f64| assert!((seen - right).abs() < 1e-6, "{seen}, not {right}");
        let rate = Schedule::Rate {
            rps: 8.0,
            spacing: Spacing::Constant,
        };
        near(expected(&rate, 250), 2.0);
        let ramp = Stage {
            length: Duration::from_secs(2),
            rps: 0.0,
            end_rps: 4.0,
        };
        for (repeat, after_5_s) in [(false, 4.0 + 3.0), (true, 7.0 + 4.0)] {
            let stages = Schedule::Stages {
                stages: [ramp, Stage::steady(Duration::from_secs(1), 3.0)].into(),
                repeat,
                spacing: Spacing::Constant,
            };
            near(expected(&stages, 1000), 1.0);
            near(expected(&stages, 2500), 5.5);
            near(expected(&stages, 5000), after_5_s);
        }
        let rows = [0, 10, 20].map(|at| TraceRow {
            at: Duration::from_millis(at),
            demand: None,
        });
        near(expected(&Schedule::Trace(rows.into()), 15), 2.0);
        assert_eq!(Schedule::AsFastAsPossible.expected(Duration::from_secs(1)), None);
    }

    #[test]
    fn the_highest_rate_of_a_trace_is_that_of_its_fullest_second() {
        let trace = |millis: &[u64]| {
            let rows = millis.iter().map(|at| TraceRow {
                at: Duration::from_millis(*at),
                demand: None,
            });
            Schedule::Trace(rows.collect()).highest_rate()
        };
        assert_eq!(trace(&[0]), Some(1.0));
        assert_eq!(trace(&[0, 999, 1000, 1500, 1998, 2500]), Some(4.0));
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
