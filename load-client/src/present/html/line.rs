//! Values over time as they are drawn: in bins where single steps would only show noise, and with a gap where values are
//! missing.

use std::fmt::Write;

use crate::report::PointReport;

/// The width of every chart, in the units of its paths. The width on the screen varies.
pub(super) const WIDTH: f64 = 1000.0;
/// The step of a series of one point, in seconds: so short a series has never doubled its step.
const FIRST_STEP: f64 = 0.1;

/// Reads the value of one step, if there is one.
pub(super) type Value = fn(&PointReport) -> Option<f64>;

/// How the values of the steps within a bin become one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fold {
    /// Rates: their mean.
    Mean,
    /// Medians: the one in the middle.
    Middle,
    /// High percentiles: the highest.
    Highest,
    /// Levels: there are no bins, each step keeps its value.
    Each,
}

/// A stretch of time with its value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Bin {
    /// The beginning, in seconds since the load began.
    pub(super) from: f64,
    /// The end, in seconds since the load began.
    pub(super) to: f64,
    /// `None` if the value is not known.
    pub(super) value: Option<f64>,
}

/// The seconds between two points.
pub(super) fn step(series: &[PointReport]) -> f64 {
    match series {
        [first, second, ..] => second.t - first.t,
        _ => FIRST_STEP,
    }
}

/// Divides a series into bins of `seconds`; with [`Fold::Each`], into its own steps.
pub(super) fn bins(series: &[PointReport], value: Value, fold: Fold, seconds: f64) -> Vec<Bin> {
    let step = step(series);
    let each = if fold == Fold::Each {
        1
    } else {
        whole(seconds / step).max(1)
    };
    series
        .chunks(each)
        .map(|chunk| {
            let known: Vec<f64> = chunk.iter().filter_map(value).collect();
            Bin {
                from: chunk[0].t,
                to: chunk[0].t + chunk.len() as f64 * step,
                value: folded(known, fold),
            }
        })
        .collect()
}

fn folded(mut known: Vec<f64>, fold: Fold) -> Option<f64> {
    match fold {
        _ if known.is_empty() => None,
        Fold::Mean => Some(known.iter().sum::<f64>() / known.len() as f64),
        Fold::Highest | Fold::Each => known.into_iter().reduce(f64::max),
        Fold::Middle => {
            known.sort_by(f64::total_cmp);
            Some(known[(known.len() - 1) / 2])
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "at most the number of points"
)]
fn whole(number: f64) -> usize {
    number.round() as usize
}

/// The path of a rate: a horizontal line over each bin, which is at zero if nothing happened.
pub(super) fn stairs(bins: &[Bin], x: impl Fn(f64) -> f64, y: impl Fn(f64) -> f64) -> String {
    let mut path = String::new();
    let mut last = None;
    for bin in bins {
        let Some(value) = bin.value else {
            last = None;
            continue;
        };
        let (from, to, level) = (x(bin.from), x(bin.to), y(value));
        match last {
            None => drop(write!(path, "M{from:.1} {level:.1}H{to:.1}")),
            Some(before) if before == level.to_bits() => drop(write!(path, "H{to:.1}")),
            Some(_) => drop(write!(path, "V{level:.1}H{to:.1}")),
        }
        last = Some(level.to_bits());
    }
    path
}

/// The path of a figure that was sampled: from one sample to the next, but with a gap if none came for longer than usual. A
/// single sample between gaps is a dot.
pub(super) fn joined(bins: &[Bin], x: impl Fn(f64) -> f64, y: impl Fn(f64) -> f64) -> String {
    let seen: Vec<(usize, &Bin, f64)> = bins
        .iter()
        .enumerate()
        .filter_map(|(index, bin)| Some((index, bin, bin.value?)))
        .collect();
    let longest = usual(&seen) + 1;
    let mut path = String::new();
    let mut last: Option<usize> = None;
    let mut alone = false;
    for (index, bin, value) in seen {
        let (at, level) = (x(f64::midpoint(bin.from, bin.to)), y(value));
        if last.is_some_and(|last| index - last <= longest) {
            let _ = write!(path, "L{at:.1} {level:.1}");
            alone = false;
        } else {
            if alone {
                path.push_str("h0");
            }
            let _ = write!(path, "M{at:.1} {level:.1}");
            alone = true;
        }
        last = Some(index);
    }
    if alone {
        path.push_str("h0");
    }
    path
}

/// The usual number of steps from one sample to the next. A single step more is jitter.
fn usual(seen: &[(usize, &Bin, f64)]) -> usize {
    let mut distances: Vec<usize> = seen.windows(2).map(|pair| pair[1].0 - pair[0].0).collect();
    distances.sort_unstable();
    distances
        .get(distances.len().saturating_sub(1) / 2)
        .copied()
        .unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[Option<f64>]) -> Vec<Bin> {
        let bin = |(index, value): (usize, &Option<f64>)| Bin {
            from: index as f64,
            to: index as f64 + 1.0,
            value: *value,
        };
        values.iter().enumerate().map(bin).collect()
    }

    #[test]
    fn nothing_done_is_a_line_at_zero_and_nothing_known_is_a_gap() {
        let bins = of(&[Some(2.0), Some(0.0), Some(0.0), None, Some(2.0)]);
        let path = stairs(&bins, |x| x, |y| 2.0 - y);
        assert_eq!(path, "M0.0 0.0H1.0V2.0H2.0H3.0M4.0 0.0H5.0");
    }

    #[test]
    fn a_line_has_a_gap_where_nothing_was_heard_and_a_dot_where_one_stands_alone() {
        let same = |value: f64| value;
        let bins = of(&[Some(1.0), Some(1.0), None, Some(1.0), Some(1.0), None, None, Some(2.0)]);
        // One step without a sample is jitter, two are a gap.
        assert_eq!(joined(&bins, same, same), "M0.5 1.0L1.5 1.0L3.5 1.0L4.5 1.0M7.5 2.0h0");
        // If a sample comes every third step, that is the usual distance.
        let bins = of(&[Some(1.0), None, None, Some(1.0), None, None, Some(1.0)]);
        assert_eq!(joined(&bins, same, same), "M0.5 1.0L3.5 1.0L6.5 1.0");
        assert_eq!(joined(&of(&[None, None]), same, same), "");
    }

    #[test]
    fn steps_fold_into_bins_as_what_they_are() {
        assert_eq!(folded(vec![1.0, 3.0], Fold::Mean), Some(2.0));
        assert_eq!(folded(vec![5.0, 1.0, 3.0], Fold::Middle), Some(3.0));
        assert_eq!(folded(vec![5.0, 1.0, 3.0], Fold::Highest), Some(5.0));
        assert_eq!(folded(Vec::new(), Fold::Mean), None);
    }
}
