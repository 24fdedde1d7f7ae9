//! The predictions of queueing theory beside the measured figures: a sentence for each run.

use crate::{
    report::{Agreement, Predicted, Run, TheoryFigureReport},
    units::time,
};

/// The prediction for a run, in words. If theory predicts nothing for it, the reason, but only if `others` (it predicts
/// figures of any run of the comparison). `None` if there is nothing to say, or no prediction was asked for.
pub(crate) fn sentence(run: &Run, others: bool) -> Option<String> {
    let theory = run.theory.as_ref()?;
    let Some(model) = &theory.model else {
        let reason = theory.reason.as_deref()?;
        return others.then(|| format!("Queueing theory has no formula for this: {reason}."));
    };
    let kind = if theory.exact == Some(true) {
        "exact"
    } else {
        "an approximation"
    };
    let figures: Vec<String> = theory.figures.iter().map(figure).collect();
    Some(format!("Queueing theory ({model}; {kind}): {}", figures.join(" ")))
}

/// Whether theory predicts something of a run.
pub(crate) fn predicts(run: &Run) -> bool {
    run.theory.as_ref().is_some_and(|theory| !theory.figures.is_empty())
}

/// The name of a figure, for people.
pub(crate) fn name(figure: Predicted) -> &'static str {
    match figure {
        Predicted::RejectedShare => "rejected",
        Predicted::DroppedShare => "dropped",
        Predicted::WithheldShare => "withheld",
        Predicted::MeanQueueWait => "mean queue wait",
    }
}

/// A value of a figure, with its unit.
pub(crate) fn value(figure: Predicted, value: f64) -> String {
    match figure {
        Predicted::MeanQueueWait => time(value),
        _ => format!("{:.2} %", value * 100.0),
    }
}

/// The agreement of a measured figure with its prediction, in words.
pub(crate) fn agreement(agreement: Agreement) -> &'static str {
    match agreement {
        Agreement::Consistent => "consistent",
        Agreement::NotConsistent => "NOT consistent",
        Agreement::TooShort => "the run is too short to tell",
    }
}

fn figure(seen: &TheoryFigureReport) -> String {
    let measured = seen
        .measured
        .map_or_else(|| "not measured".to_owned(), |measured| value(seen.figure, measured));
    format!(
        "{} {measured}; predicted {} ± {}: {}.",
        name(seen.figure),
        value(seen.figure, seen.predicted),
        value(seen.figure, seen.band),
        agreement(seen.agreement)
    )
}
