//! Distributions in a report: a few figures, and the curve behind them.

use std::{collections::BTreeMap, iter};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::figures::seconds;
use crate::{outcome::Outcome, recorder::Distribution};

/// The points of a curve in each decade of the distance to 100 %, in thousandths of the decade's width: ten, about
/// evenly spaced on a log axis, so that p50, p75, p90, p95, p98, p99, p99.5, … are among them.
const DECADE: [u32; 10] = [1000, 800, 650, 500, 400, 300, 250, 200, 150, 125];
/// The number of decades, which bounds the length of a curve (derived: no run has more than a thousand million sends).
const DECADES: i32 = 9;
/// The most points of a curve: ten in each of nine decades, and the maximum.
pub(super) const MOST_POINTS: usize = 91;

/// A distribution of durations, in seconds. Mean and maximum are exact, quantiles have three digits.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DistributionReport {
    /// How many times were measured.
    pub count: u64,
    /// The arithmetic mean, exact.
    pub mean: f64,
    /// The median: half of the times are at most this.
    pub p50: f64,
    /// 90 % of the times are at most this.
    pub p90: f64,
    /// 99 % of the times are at most this.
    pub p99: f64,
    /// 99.9 % of the times are at most this.
    pub p999: f64,
    /// The longest time, exact.
    pub max: f64,
}

/// A point of a distribution's curve.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CurvePointReport {
    /// The share of the measured times that are at most `seconds`, from 0 to 1.
    pub quantile: f64,
    /// The time at this quantile.
    pub seconds: f64,
    /// How many of the measured times are at most `seconds`.
    pub count: u64,
}

impl DistributionReport {
    /// The figures of a distribution; `None` if nothing was measured.
    pub fn new(distribution: &Distribution) -> Option<Self> {
        let quantile = |quantile| distribution.quantile(quantile).map(seconds);
        Some(Self {
            count: distribution.count(),
            mean: seconds(distribution.mean()?),
            p50: quantile(0.5)?,
            p90: quantile(0.9)?,
            p99: quantile(0.99)?,
            p999: quantile(0.999)?,
            max: seconds(distribution.max()?),
        })
    }
}

/// The curve of a distribution: at most 91 points, denser towards 100 %, which is the last one. `None` if nothing was
/// measured.
pub fn curve(distribution: &Distribution) -> Option<Vec<CurvePointReport>> {
    let max = distribution.max()?;
    let all = distribution.count();
    let quantiles = (0..DECADES).flat_map(|decade| DECADE.iter().map(move |part| (decade, *part)));
    let points = quantiles
        .map(|(decade, part)| {
            let scale = 10_f64.powi(decade + 3);
            // Rounded to the digits it is written with: 0.2, not 0.19999999999999996.
            (
                ((1.0 - f64::from(part) / scale) * scale).round() / scale,
                f64::from(part) / scale,
            )
        })
        // A quantile closer to 100 % than a single measured time would only show the maximum again.
        .take_while(|(_, beyond)| beyond * all as f64 >= 1.0)
        .map_while(|(quantile, _)| {
            let value = distribution.quantile(quantile)?;
            Some(CurvePointReport {
                quantile,
                seconds: seconds(value),
                count: distribution.count_up_to(value),
            })
        });
    let last = CurvePointReport {
        quantile: 1.0,
        seconds: seconds(max),
        count: all,
    };
    Some(points.chain(iter::once(last)).collect())
}

/// Applies `of` to the distribution of each outcome. Outcomes for which it gives `None` are left out.
pub fn by_outcome<T>(
    times: &[Distribution; Outcome::ALL.len()],
    of: impl Fn(&Distribution) -> Option<T>,
) -> BTreeMap<String, T> {
    let outcomes = Outcome::ALL.iter();
    outcomes
        .filter_map(|outcome| Some((outcome.label().to_owned(), of(&times[*outcome as usize])?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn of(count: u64) -> Distribution {
        let mut distribution = Distribution::default();
        (1..=count).for_each(|millis| distribution.record(Duration::from_millis(millis)));
        distribution
    }

    #[test]
    fn a_curve_goes_through_the_figures_of_its_distribution_and_ends_at_the_maximum() {
        let distribution = of(2000);
        let (curve, figures) = (
            curve(&distribution).unwrap(),
            DistributionReport::new(&distribution).unwrap(),
        );
        for (quantile, figure) in [
            (0.5, figures.p50),
            (0.9, figures.p90),
            (0.99, figures.p99),
            (0.999, figures.p999),
        ] {
            let point = curve
                .iter()
                .find(|point| point.quantile.to_bits() == f64::to_bits(quantile));
            assert_eq!(point.unwrap().seconds.to_bits(), figure.to_bits(), "{quantile}");
        }
        let last = curve.last().unwrap();
        assert_eq!((last.quantile, last.count, last.seconds), (1.0, 2000, figures.max));
        for pair in curve.windows(2) {
            assert!(pair[0].quantile < pair[1].quantile, "{pair:?}");
            assert!(
                pair[0].seconds <= pair[1].seconds && pair[0].count <= pair[1].count,
                "{pair:?}"
            );
        }
        // Each count is at least what its quantile says.
        assert!(
            curve
                .iter()
                .all(|point| point.count as f64 >= point.quantile * 2000.0 - 1e-6)
        );
    }

    #[test]
    fn a_curve_has_no_more_points_than_its_distribution_can_tell_apart() {
        assert_eq!(curve(&of(0)), None);
        assert_eq!(curve(&of(1)).unwrap().len(), 2);
        assert_eq!(curve(&of(1000)).unwrap().len(), 32);
        let mut many = of(2);
        for _ in 0..40 {
            let half = many.clone();
            many.merge(&half);
        }
        assert_eq!(curve(&many).unwrap().len(), MOST_POINTS);
    }
}
