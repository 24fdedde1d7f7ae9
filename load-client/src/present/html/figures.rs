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
            let (word, seconds) = most(panel, run).map_or(("at most", highest), |longest| ("longest", longest));
            format!("{word} {}", time_on(run.run.virtual_time, seconds))
        }
        (unit, Some(highest)) => format!("at most {}", show(most(panel, run).unwrap_or(highest), unit)),
    }
}

/// The highest value of a panel in the whole run, where the report has it exactly. The series has a sample for every step, and its
/// percentiles are rounded up, so the highest value of a series is not exact.
pub(super) fn most(panel: &Panel, run: &Labelled<'_>) -> Option<f64> {
    let run = run.run;
    let service = run.service.as_ref();
    match panel.id {
        "time-to-done-p99" => Some(run.time_to_done_seconds?.max),
        "response-time-p99" => Some(run.response_time_seconds.get(Outcome::Ok.label())?.max),
        "in-system" => Some(service?.in_system_max as f64),
        "queue-depth" => Some(service?.queue_depth_max as f64),
        _ => None,
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
