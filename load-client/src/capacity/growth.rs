//! Whether the response times of a test grow for as long as it lasts: then more requests come than the service can process,
//! even if none has failed yet.

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

/// By how many seconds per second the response times of a run surely grow; `None` if they do not. For queued messages it is
/// the time to done.
pub(super) fn growth(run: &Run, queued: bool) -> Option<f64> {
    let of = |point: &PointReport| {
        if queued {
            point.time_to_done_p99
        } else {
            point.response_time_p50
        }
    };
    let (from, until) = (
        run.load.warmup_seconds,
        run.load.warmup_seconds + run.load.duration_seconds,
    );
    let judged = run.series.iter().filter(|point| (from..until).contains(&point.t));
    let seen: Vec<(f64, f64)> = judged.filter_map(|point| Some((point.t, of(point)?))).collect();
    sure_slope(&means(&seen, from, until)).filter(|slope| *slope > GROWTH)
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
    fn a_few_values_say_nothing() {
        assert_eq!(sure_slope(&[(0.0, 0.0), (1.0, 1.0), (2.0, 2.0)]), None);
    }
}
