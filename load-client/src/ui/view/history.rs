//! The course of a run over time, for the charts, in at most [`MAX_POINTS`] points. In a long run the step between
//! points is doubled, and neighbours are merged.

use std::time::Duration;

/// The most points that a history has: more than a wide terminal has dots.
pub(super) const MAX_POINTS: usize = 600;

/// The values of a run at one time: times in seconds, rates per second. `None` means that there was nothing to measure.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Point {
    pub(super) offered: Option<f64>,
    pub(super) goodput: Option<f64>,
    /// The median response time of OK answers.
    pub(super) median: Option<f64>,
    /// The 99th percentile of the response times of OK answers.
    pub(super) p99: Option<f64>,
    /// The longest response time of an OK answer.
    pub(super) longest: Option<f64>,
    /// The 99th percentile of the times to done.
    pub(super) done_p99: Option<f64>,
    pub(super) queue_depth: Option<f64>,
    pub(super) in_system: Option<f64>,
}

impl Point {
    /// Merges the next point into this one. Of two values the higher one stays, so that no peak vanishes as time
    /// passes. So the result is an upper bound of the two.
    fn fold(&mut self, later: &Self) {
        let higher = |mine: &mut Option<f64>, theirs: Option<f64>| {
            *mine = match (*mine, theirs) {
                (Some(mine), Some(theirs)) => Some(mine.max(theirs)),
                (mine, theirs) => mine.or(theirs),
            };
        };
        higher(&mut self.offered, later.offered);
        higher(&mut self.goodput, later.goodput);
        higher(&mut self.median, later.median);
        higher(&mut self.p99, later.p99);
        higher(&mut self.longest, later.longest);
        higher(&mut self.done_p99, later.done_p99);
        higher(&mut self.queue_depth, later.queue_depth);
        higher(&mut self.in_system, later.in_system);
    }
}

/// The points of a run.
#[derive(Debug, Clone)]
pub(super) struct History {
    step: Duration,
    /// Each point with the number of its step.
    points: Vec<(u128, Point)>,
}

impl History {
    /// An empty history with steps of this length.
    pub(super) fn new(step: Duration) -> Self {
        Self {
            step,
            points: Vec::new(),
        }
    }

    /// Adds a point at `at`, which is not before the last point.
    pub(super) fn push(&mut self, at: Duration, point: Point) {
        while at.as_nanos() / self.step.as_nanos() >= MAX_POINTS as u128 {
            self.step *= 2;
            let mut folded: Vec<(u128, Point)> = Vec::with_capacity(MAX_POINTS);
            for (step, point) in self.points.drain(..) {
                add(&mut folded, step / 2, &point);
            }
            self.points = folded;
        }
        add(&mut self.points, at.as_nanos() / self.step.as_nanos(), &point);
    }

    /// The time between two neighbouring points, in seconds.
    pub(super) fn step(&self) -> f64 {
        self.step.as_secs_f64()
    }

    /// All points in order, each with its time in seconds.
    pub(super) fn points(&self) -> impl Iterator<Item = (f64, &Point)> {
        let step = self.step();
        self.points.iter().map(move |(at, point)| (*at as f64 * step, point))
    }
}

fn add(points: &mut Vec<(u128, Point)>, step: u128, point: &Point) {
    match points.last_mut() {
        Some((last, folded)) if *last == step => folded.fold(point),
        _ => points.push((step, *point)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_run_keeps_its_peak_within_its_points() {
        let mut history = History::new(Duration::from_millis(200));
        for second in 0..7200_u32 {
            let in_system = Some(if second == 17 { 9.0 } else { 1.0 });
            let point = Point {
                in_system,
                ..Point::default()
            };
            history.push(Duration::from_secs(second.into()), point);
        }
        assert!(history.points().count() <= MAX_POINTS);
        assert!(history.step() > 12.0, "{}", history.step());
        let peaks: Vec<f64> = history
            .points()
            .filter(|(_, point)| point.in_system == Some(9.0))
            .map(|(at, _)| at)
            .collect();
        assert_eq!(peaks.len(), 1);
        assert!((peaks[0]..peaks[0] + history.step()).contains(&17.0), "{peaks:?}");
        let last = history.points().last().unwrap().0;
        assert!(last <= 7199.0 && last > 7199.0 - history.step(), "{last}");
    }

    #[test]
    fn what_was_not_seen_stays_unseen() {
        let mut history = History::new(Duration::from_secs(1));
        history.push(Duration::ZERO, Point::default());
        history.push(Duration::from_millis(500), Point::default());
        assert_eq!(history.points().count(), 1);
        assert_eq!(history.points().next().unwrap().1, &Point::default());
    }
}
