//! Whether more requests come than the service can process, even if none has failed yet: the response times of a test grow for as
//! long as it lasts, or fewer requests are done than come.
//!
//! The second is for services that answer the newest requests first. Their response times stay short, and the requests that
//! wait are answered after the test.

use crate::report::{PointReport, Run};

/// Groups of steps whose means are compared (arbitrary). Values within a group depend on each other, and so do not say how
/// sure the slope is; means of groups hardly do.
const GROUPS: usize = 10;
/// The least number of groups with a value (arbitrary).
const LEAST: usize = 5;
/// Of Student's t distribution with 8 degrees of freedom, 95 % lies within so many standard errors.
const SURE: f64 = 2.31;
/// Response times that grow by more than this, in seconds per second, are of an overload (derived: at 0.5 % more than the
/// capacity they grow by 5 ms each second, and a search has a precision of 2 %).
const GROWTH: f64 = 0.005;

/// The service keeps up if at least this share of the requests that come is done meanwhile (arbitrary: chance at the beginning and at the
/// end of a test is less than the rest, and of a smaller overload the response times tell).
const KEPT_UP: f64 = 0.9;

/// Why a test shows that more requests come than the service can process.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Overload {
    /// The response times surely grow, by so many seconds per second. For queued messages it is the time to done.
    Grows(f64),
    /// Only this share of the requests was done while they came.
    LeftBehind(f64),
}

/// Whether more requests come than the service can process; `None` if it keeps up, as far as the run shows. `queued`: it is about
/// messages that wait in a queue.
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
    left_behind(&judged, until - from, &times).map(Overload::LeftBehind)
}

/// By how many seconds per second the times of a test grow, of answers that came between `from` and `until`, or of all if few
/// came that early: where requests of the time before the test still wait, those of the test are answered late, and most of them after it.
fn grows(times: &[(f64, f64)], from: f64, until: f64) -> Option<f64> {
    let mut groups = means(times, from, until);
    if groups.len() < LEAST {
        let (first, last) = (times.first()?.0, times.last()?.0);
        // The last step has a length, too.
        groups = means(times, first, last + (last - first) * 1e-6);
    }
    sure_slope(&groups).filter(|slope| *slope > GROWTH)
}

/// The share of the requests of a test of so many seconds that was done while they came, if that is too little. `times`: those of
/// the answers that came meanwhile. `None` as well where it is not known when messages are done.
fn left_behind(steps: &[&PointReport], seconds: f64, times: &[f64]) -> Option<f64> {
    let (mut offered, mut done) = (0.0, 0.0);
    for step in steps {
        offered += step.offered_rps;
        done += step.goodput_rps?;
    }
    let share = done / offered;
    // A service that takes long for a request is as far behind from its beginning.
    let behind = (1.0 - share) * seconds;
    let typical = times.iter().sum::<f64>() / times.len() as f64;
    (share < KEPT_UP && behind > 2.0 * typical).then_some(share)
}

/// The mean of each group that has values.
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

/// The slope of the line of least squares less its margin of error; `None` of too few points.
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

    /// The sure slope of a value over 5 s, in steps of 100 ms.
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
        let share = |done, times: &[f64]| {
            let step = PointReport {
                t: 0.0,
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
            };
            left_behind(&[&step; 50], 5.0, times)
        };
        assert_eq!(share(Some(40.0), &[0.025]), Some(0.5));
        assert_eq!(share(Some(79.0), &[0.025]), None);
        assert_eq!(share(None, &[0.025]), None);
        // 60 of 80 done is a second behind: no further than a service that takes a second is from its beginning.
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

    #[test]
    fn times_that_grow_are_seen_after_the_test_too_where_few_answers_came_during_it() {
        // Twice the capacity from -3 s on, in the order of arrival: requests of the test are answered from 3 s on.
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
