//! Detects an overload in which no request has failed yet: the response times grow for as long as the test lasts, or
//! requests are done only when no more come.
//!
//! The second check is for services that answer the newest requests first. Their response times stay short, and the
//! requests that wait are answered after the test. Requests that fail or are late are not its concern: the rules of
//! `--fail-if` judge them.

use crate::report::{PointReport, Run};

/// The number of groups of steps whose means are compared (arbitrary). Neighbouring values depend on each other, so the
/// error of the slope cannot be computed from them. The means of groups are nearly independent.
const GROUPS: usize = 10;
/// The fewest groups with values that a slope is computed from (arbitrary).
const LEAST: usize = 5;
/// The margin of error, in standard errors: Student's t distribution with 8 degrees of freedom has 95 % within it.
const SURE: f64 = 2.31;
/// Response times that grow faster than this, in seconds per second, show an overload (derived: at 0.5 % above the
/// capacity they grow by 5 ms each second, and a search has a precision of 2 %).
const GROWTH: f64 = 0.005;

/// The service keeps up if at least this share of what it does of a test in time is done during the test (arbitrary: random
/// differences at the beginning and the end of a test are smaller than 10 %, and a smaller overload shows in the
/// response times).
const KEPT_UP: f64 = 0.9;

/// The sign of an overload: more requests come than the service can process.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Overload {
    /// The response times (for queued messages, the times to done) grow at least by this number of seconds per second.
    Grows(f64),
    /// Only this share of the requests that were done in time was done during the test.
    LeftBehind(f64),
}

/// The sign that more requests come than the service can process; `None` if the run shows none. `queued` is true for
/// messages that wait in a queue: then the times to done are judged, otherwise the response times.
pub(super) fn overload(run: &Run, queued: bool) -> Option<Overload> {
    let of = |point: &PointReport| {
        if queued {
            point.time_to_done_p99
        } else {
            point.response_time_p50
        }
    };
    let from = run.load.warmup_seconds;
    let until = from + run.load.duration_seconds;
    let all: Vec<(f64, f64)> = run
        .series
        .iter()
        .filter_map(|point| Some((point.t, of(point)?)))
        .collect();
    let judged: Vec<&PointReport> = run
        .series
        .iter()
        .filter(|point| (from..until).contains(&point.t))
        .collect();
    let times: Vec<f64> = judged.iter().filter_map(|point| of(point)).collect();
    if let Some(growth) = grows(&all, from, until) {
        return Some(Overload::Grows(growth));
    }
    left_behind(&judged, run.goodput_rps?, until - from, &times).map(Overload::LeftBehind)
}

/// The growth of the times in a test, in seconds per second; `None` if it is not above [`GROWTH`]. It is computed from
/// the answers between `from` and `until`. If few came then, it is computed from all answers: while requests from
/// before the test still wait, most of those of the test are answered after it.
fn grows(times: &[(f64, f64)], from: f64, until: f64) -> Option<f64> {
    let mut groups = means(times, from, until);
    if groups.len() < LEAST {
        let (first, last) = (times.first()?.0, times.last()?.0);
        // The range is a little longer, so that it contains the last point.
        groups = means(times, first, last + (last - first) * 1e-6);
    }
    sure_slope(&groups).filter(|slope| *slope > GROWTH)
}

/// The share of the requests done within the SLO that was done during the test, if it is too small. `goodput`: how many
/// of the requests of the test were done within the SLO, during it or afterwards, per second of the test. `seconds` is the
/// length of the test, `times` are those of the answers during the test. `None` also if it is not known when messages
/// are done.
fn left_behind(steps: &[&PointReport], goodput: f64, seconds: f64, times: &[f64]) -> Option<f64> {
    let mut done = 0.0;
    for step in steps {
        done += step.goodput_rps?;
    }
    let share = done / steps.len() as f64 / goodput;
    // Even a service that keeps up is behind by its response time, because it answers nothing before that time has
    // passed.
    let behind = (1.0 - share) * seconds;
    let typical = times.iter().sum::<f64>() / times.len() as f64;
    (share < KEPT_UP && behind > 2.0 * typical).then_some(share)
}

/// The middle and the mean of each group that has values.
fn means(points: &[(f64, f64)], from: f64, until: f64) -> Vec<(f64, f64)> {
    let width = (until - from) / GROUPS as f64;
    let group = |index: usize| {
        let begin = from + index as f64 * width;
        let inside: Vec<f64> = points
            .iter()
            .filter(|(t, _)| (begin..begin + width).contains(t))
            .map(|(_, value)| *value)
            .collect();
        let mean = inside.iter().sum::<f64>() / inside.len() as f64;
        (!inside.is_empty()).then_some((begin + width / 2.0, mean))
    };
    (0..GROUPS).filter_map(group).collect()
}

/// The slope of the line of least squares minus its margin of error; `None` for fewer than [`LEAST`] points.
fn sure_slope(points: &[(f64, f64)]) -> Option<f64> {
    if points.len() < LEAST {
        return None;
    }
    let count = points.len() as f64;
    let mean = |of: &dyn Fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / count;
    let (x, y) = (mean(&|point| point.0), mean(&|point| point.1));
    let spread: f64 = points.iter().map(|point| (point.0 - x).powi(2)).sum();
    let slope = points.iter().map(|point| (point.0 - x) * (point.1 - y)).sum::<f64>() / spread;
    let rest = |point: &(f64, f64)| (point.1 - y - slope * (point.0 - x)).powi(2);
    let error = (points.iter().map(rest).sum::<f64>() / (count - 2.0) / spread).sqrt();
    Some(slope - SURE * error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::present::words::samples;

    /// A step at 80 requests per second.
    fn step(t: f64, done: Option<f64>) -> PointReport {
        PointReport {
            t,
            queue_depth: None,
            in_system: None,
            queue_bytes: None,
            offered_rps: 80.0,
            goodput_rps: done,
            time_to_done_p99: None,
            response_time_p50: None,
            response_time_p99: None,
            resident_bytes: None,
            concurrency_limit: None,
        }
    }

    /// The result of `sure_slope` for a value over 5 s, in steps of 100 ms.
    fn slope_of(value: impl Fn(f64) -> f64) -> f64 {
        let points: Vec<(f64, f64)> = (0..50)
            .map(|step| f64::from(step) / 10.0)
            .map(|t| (t, value(t)))
            .collect();
        sure_slope(&means(&points, 0.0, 5.0)).unwrap()
    }

    #[test]
    fn a_time_that_grows_by_two_percent_of_the_time_is_seen() {
        let slope = slope_of(|t| 0.025 + 0.02 * t);
        assert!((slope - 0.02).abs() < 0.000_1, "{slope}");
        let noisy = slope_of(|t| 0.025 + 0.02 * t + 0.004 * (37.0 * t).sin());
        assert!(noisy > 0.015, "{noisy}");
    }

    #[test]
    fn times_that_stay_pause_or_swing_do_not_grow() {
        assert!(slope_of(|_| 0.025) <= GROWTH);
        for at in 0..50 {
            let at = f64::from(at) / 10.0;
            let paused = slope_of(|t| if (t - at).abs() < 0.01 { 0.25 } else { 0.025 });
            assert!(paused <= GROWTH, "a pause at {at}: {paused}");
        }
        for phase in 0..20 {
            let phase = f64::from(phase) / 20.0 * std::f64::consts::TAU;
            let swinging = slope_of(|t| 0.06 + 0.03 * (4.0 * t + phase).sin());
            assert!(swinging <= GROWTH, "{phase}: {swinging}");
        }
    }

    #[test]
    fn a_service_that_does_less_than_comes_is_left_behind_however_short_its_response_times_are() {
        let share = |done, times: &[f64]| left_behind(&[&step(0.0, done); 50], 80.0, 5.0, times);
        assert_eq!(share(Some(40.0), &[0.025]), Some(0.5));
        assert_eq!(share(Some(79.0), &[0.025]), None);
        assert_eq!(share(None, &[0.025]), None);
        // 60 of 80 is 1.25 s behind. That is too far for response times of 0.1 s, but less than twice a response time
        // of 1 s.
        assert_eq!(
            (share(Some(60.0), &[0.1]), share(Some(60.0), &[0.9, 1.1])),
            (Some(0.75), None)
        );
        assert_eq!(
            share(Some(0.0), &[]),
            None,
            "nothing came that could say how long it takes"
        );
    }

    /// A run of 5 s at 80 requests per second in which `during` are done well per second while the requests come, and
    /// `goodput` per second of the test in the end.
    fn run(during: f64, goodput: f64) -> Run {
        let mut run = samples::run("process");
        (run.load.duration_seconds, run.goodput_rps) = (5.0, Some(goodput));
        run.series = (0..50)
            .map(|index| step(f64::from(index) / 10.0, Some(during)))
            .collect();
        for step in &mut run.series {
            step.response_time_p50 = Some(0.025);
        }
        run
    }

    #[test]
    fn requests_that_are_late_or_fail_in_an_even_share_are_not_left_behind() {
        // 15 % are never done well: they take longer than the SLO. 12 % are answered NOT_FOUND.
        for good in [68.0, 70.4] {
            assert_eq!(overload(&run(good, good), false), None, "{good}");
        }
        assert_eq!(overload(&run(0.0, 0.0), false), None, "nothing was done well");
    }

    #[test]
    fn requests_that_wait_until_no_more_come_are_left_behind() {
        assert_eq!(overload(&run(40.0, 80.0), false), Some(Overload::LeftBehind(0.5)));
        // A backlog shows behind failures too.
        assert_eq!(overload(&run(35.0, 70.0), false), Some(Overload::LeftBehind(0.5)));
    }

    #[test]
    fn times_that_grow_are_seen_after_the_test_too_where_few_answers_came_during_it() {
        // The load is twice the capacity from -3 s on, and requests are answered in the order of arrival: those of the
        // test from 3 s on.
        let late: Vec<(f64, f64)> = (0..100)
            .map(|step| 3.0 + f64::from(step) / 10.0)
            .map(|t| (t, 3.0 + 0.5 * (t - 3.0)))
            .collect();
        let growth = grows(&late, 0.0, 5.0).unwrap();
        assert!((growth - 0.5).abs() < 0.02, "{growth}");
        let slow: Vec<(f64, f64)> = (0..50).map(|step| (6.0 + f64::from(step) / 10.0, 6.0)).collect();
        assert_eq!((grows(&slow, 0.0, 5.0), grows(&[], 0.0, 5.0)), (None, None));
    }

    #[test]
    fn a_few_values_say_nothing() {
        assert_eq!(sure_slope(&[(0.0, 0.0), (1.0, 1.0), (2.0, 2.0)]), None);
    }
}
