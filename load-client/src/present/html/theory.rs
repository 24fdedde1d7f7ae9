//! The predictions of queueing theory, beside the measured figures.

use super::{labelled::Labelled, markup::Markup, tables::Table};
use crate::{
    present::{
        grid::MISSING,
        theory::{agreement, name, value},
    },
    report::TheoryReport,
};

/// Writes a table with a row for each figure that a model predicts, and the reason for each run to which no model applies.
pub(super) fn write(runs: &[&Labelled<'_>], page: &mut Markup) {
    page.line(
        "p",
        &[],
        "A prediction is for a run of unlimited length. In 95 of 100 runs of this length the figure is within the band around it.",
    );
    Table {
        caption: "Measured and predicted",
        columns: [
            "run",
            "model",
            "kind",
            "figure",
            "measured",
            "predicted",
            "band",
            "agreement",
        ]
        .map(str::to_owned)
        .into(),
        rows: runs.iter().flat_map(|run| rows(run)).collect(),
        class: "words",
    }
    .write(page);
}

fn rows(run: &Labelled<'_>) -> Vec<Vec<String>> {
    let Some(theory) = &run.run.theory else {
        return Vec::new();
    };
    let kind = match theory.exact {
        Some(true) => "exact",
        _ => "approximation",
    };
    if let Some(model) = &theory.model {
        return figures(run, theory, model, kind);
    }
    let reason = theory.reason.clone().unwrap_or_default();
    let rest = [MISSING; 6].map(str::to_owned);
    vec![[vec![run.label.clone(), format!("none: {reason}")], rest.into()].concat()]
}

fn figures(run: &Labelled<'_>, theory: &TheoryReport, model: &str, kind: &str) -> Vec<Vec<String>> {
    let figures = theory.figures.iter().map(|seen| {
        let measured = seen.measured.map(|measured| value(seen.figure, measured));
        vec![
            run.label.clone(),
            model.to_owned(),
            kind.to_owned(),
            name(seen.figure).to_owned(),
            measured.unwrap_or_else(|| MISSING.to_owned()),
            value(seen.figure, seen.predicted),
            format!("± {}", value(seen.figure, seen.band)),
            agreement(seen.agreement).to_owned(),
        ]
    });
    figures.collect()
}
