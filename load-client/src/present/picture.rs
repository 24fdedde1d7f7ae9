//! The number of messages in the system over time, as a picture on one line of text.

use crate::report::Run;

/// The width of the widest picture, in columns.
const WIDTH: usize = 40;
const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// A level is drawn until the next known one, but at most for this many times the usual distance between two (arbitrary:
/// jitter skips one level; a service that is away skips more).
const HOLDS: usize = 2;

/// The picture of a run. A level of `highest` is a full block; empty if the service reported no levels.
pub(super) fn picture(run: &Run, highest: u64) -> String {
    let levels = levels(run);
    let columns = WIDTH.min(levels.len());
    let shown = (0..columns).map(|column| {
        let from = column * levels.len() / columns;
        let to = ((column + 1) * levels.len() / columns).max(from + 1);
        match levels[from..to].iter().flatten().max() {
            None => ' ',
            Some(level) => {
                let block = (*level as f64 / highest.max(1) as f64 * 8.0).ceil();
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 8")]
                BLOCKS[(block as usize).saturating_sub(1).min(7)]
            }
        }
    });
    shown.collect()
}

/// The level of every step until the last known one. The series may have more steps than the service sent snapshots.
fn levels(run: &Run) -> Vec<Option<u64>> {
    let seen: Vec<usize> = (0..run.series.len())
        .filter(|index| run.series[*index].in_system.is_some())
        .collect();
    let (Some(first), Some(last)) = (seen.first(), seen.last()) else {
        return Vec::new();
    };
    let mut distances: Vec<usize> = seen.windows(2).map(|pair| pair[1] - pair[0]).collect();
    distances.sort_unstable();
    let usual = distances.get(distances.len() / 2).copied().unwrap_or(1);
    // The steps before the first known level get the same level, if it did not come late.
    let mut held = run.series[*first]
        .in_system
        .filter(|_| *first <= usual)
        .map(|level| (0, level));
    (0..=*last)
        .map(|index| {
            if let Some(level) = run.series[index].in_system {
                held = Some((index, level));
            }
            held.filter(|(at, _)| index - at < HOLDS * usual)
                .map(|(_, level)| level)
        })
        .collect()
}
