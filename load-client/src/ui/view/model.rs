//! A run as the view shows it: its totals so far, its last second, and its course over time. The model has no I/O and no
//! clock: the view gives it readings.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use super::history::{History, Point};
use crate::{
    live::{LiveReading, LiveTimesReading, Phase, Times},
    scenario::Scenario,
};

/// The time between two samples of a run.
pub(super) const SAMPLE_EVERY: Duration = Duration::from_millis(200);
/// The last stretch of time, over which rates and quantiles are taken (arbitrary: long enough for a few answers at the
/// rates of the worked example, short enough to see a freeze).
pub(super) const WINDOW: Duration = Duration::from_secs(1);

/// A run to be drawn.
#[derive(Debug)]
pub(super) struct RunModel {
    pub(super) name: String,
    pub(super) scenario: Arc<Scenario>,
    /// The counts at the last sample.
    pub(super) reading: LiveReading,
    /// Why there is no connection yet.
    pub(super) trouble: Option<Arc<str>>,
    /// The time since the load began.
    pub(super) elapsed: Duration,
    /// The time from the beginning of the load to its end; `None` while it goes on.
    pub(super) load_over: Option<Duration>,
    /// The events of the service so far, each with its time since the load began.
    pub(super) events: Vec<(Duration, String)>,
    /// The values of the last second.
    pub(super) now: Point,
    pub(super) history: History,
    /// The samples of the last second, and the one before them.
    samples: VecDeque<Sample>,
}

#[derive(Debug)]
struct Sample {
    at: Duration,
    good: u64,
    intended: u64,
    times: LiveTimesReading,
}

impl RunModel {
    /// A run that has not begun.
    pub(super) fn new(name: String, scenario: Arc<Scenario>) -> Self {
        Self {
            name,
            scenario,
            reading: LiveReading::default(),
            trouble: None,
            elapsed: Duration::ZERO,
            load_over: None,
            events: Vec::new(),
            now: Point::default(),
            history: History::new(SAMPLE_EVERY),
            samples: VecDeque::from([Sample {
                at: Duration::ZERO,
                good: 0,
                intended: 0,
                times: LiveTimesReading::default(),
            }]),
        }
    }

    /// Whether the run is over.
    pub(super) fn done(&self) -> bool {
        self.reading.phase == Phase::Done
    }

    /// How long the load will last, if that is known before the run.
    pub(super) fn planned(&self) -> Option<Duration> {
        self.scenario.length()
    }

    /// Adds a sample of the run. `at` is the time since the load began; `None` if it has not begun. The figures of a
    /// run that is over do not change any more.
    pub(super) fn add_sample(&mut self, at: Option<Duration>, reading: &LiveReading, times: LiveTimesReading) {
        let was_done = self.done();
        self.reading = *reading;
        let Some(at) = at.filter(|_| !was_done) else { return };
        self.elapsed = at;
        if reading.phase > Phase::Loading && self.load_over.is_none() {
            self.load_over = Some(self.planned().map_or(at, |planned| planned.min(at)));
        }
        while self.samples.get(1).is_some_and(|sample| sample.at + WINDOW <= at) {
            self.samples.pop_front();
        }
        let sample = Sample {
            at,
            good: reading.good,
            intended: reading.ledger.intended + reading.warmup,
            times,
        };
        self.now = self.point(&sample);
        self.samples.push_back(sample);
        self.history.push(at, self.now);
        if self.done() {
            // After the end of the run, there is no current second to show.
            self.now = Point::default();
        }
    }

    fn point(&self, sample: &Sample) -> Point {
        let before = self.samples.front().expect("the first sample is there from the start");
        let seconds = sample.at.saturating_sub(before.at).as_secs_f64();
        let rate = |now: u64, then: u64| (seconds > 0.0).then(|| now.saturating_sub(then) as f64 / seconds);
        let loading = self.reading.phase == Phase::Loading;
        let asked_for = self.scenario.schedule.rate_at(sample.at);
        let answered = sample.times.answered.since(&before.times.answered);
        let done = if self.scenario.rpc.ok_means_done() {
            answered.clone()
        } else {
            sample.times.done.since(&before.times.done)
        };
        let quantile = |times: &Times, share| times.quantile(share).map(|time| time.as_secs_f64());
        let levels = self.reading.levels;
        Point {
            offered: if loading {
                asked_for.or_else(|| rate(sample.intended, before.intended))
            } else {
                Some(0.0)
            },
            goodput: rate(sample.good, before.good),
            median: quantile(&answered, 0.5),
            p99: quantile(&answered, 0.99),
            longest: quantile(&answered, 1.0),
            done_p99: quantile(&done, 0.99),
            queue_depth: levels.map(|levels| levels.queue_depth as f64),
            in_system: levels.map(|levels| levels.in_system as f64),
        }
    }
}
