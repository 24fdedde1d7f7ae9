//! The figures beside and under the rows of a chart, in words.

use super::{labelled::Labelled, line::Bin, panels::Panel, scale::Unit};
use crate::{
    outcome::Outcome,
    units::{bytes, plain, time, time_on},
};

/// The figure at the end of a row.
pub(super) fn of_row(panel: &Panel, run: &Labelled<'_>, bins: &[Bin]) -> String {
    let highest = bins.iter().filter_map(|bin| bin.value).reduce(f64::max);
    match (panel.unit, highest) {
        (_, None) => "no figures".to_owned(),
        (Unit::Rate, _) => match (run.run.goodput_rps, run.run.load.offered_rps) {
            (Some(goodput), Some(offered)) => format!("{}/s of {}/s", plain(goodput), plain(offered)),
            (Some(goodput), None) => format!("{}/s", plain(goodput)),
            (None, _) => String::new(),
        },
        (Unit::Seconds, Some(highest)) => {
            // The report knows the longest time exactly.
            let exact = match panel.id {
                "time-to-done-p99" => run.run.time_to_done_seconds,
                "response-time-p99" => run.run.response_time_seconds.get(Outcome::Ok.label()).copied(),
                _ => None,
            };
            let (word, seconds) = exact.map_or(("at most", highest), |times| ("longest", times.max));
            format!("{word} {}", time_on(run.run.virtual_time, seconds))
        }
        (unit, Some(highest)) => format!("at most {}", show(highest, unit)),
    }
}

/// A value with its unit.
pub(super) fn show(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Rate => format!("{}/s", plain(value)),
        Unit::Count => plain(value),
        Unit::Bytes => bytes(value),
        Unit::Seconds => time(value),
    }
}
