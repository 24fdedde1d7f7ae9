//! The result of each run in short, and which run to choose: the first sentences below the table of results.

use super::{
    labelled::{Labelled, swatch},
    markup::Markup,
};
use crate::{
    present::words::{choose, conclude},
    report::Run,
};

/// Writes the results in short, and the advice.
pub(super) fn write(runs: &[&Labelled<'_>], page: &mut Markup) {
    page.line("h3", &[], "Each result in short");
    page.new_line();
    page.element("dl", &[("class", "verdict")], |list| {
        for run in runs {
            list.element("dt", &[], |name| {
                swatch(&run.look(), name);
                name.text(&run.name);
            });
            list.line("dd", &[], &conclude(run.run));
        }
    });
    let all: Vec<(&str, &Run)> = runs.iter().map(|run| (run.name.as_str(), run.run)).collect();
    // A page of several files shows what has changed, so it gives no advice.
    let one_report = runs.iter().all(|run| run.file == runs[0].file);
    let Some(choice) = choose(&all).filter(|_| one_report) else {
        return;
    };
    page.line("h3", &[], "Which one to choose");
    if let Some(result) = &choice.result {
        page.line("p", &[], result);
    }
    page.line("p", &[], &choice.advice);
    if !choice.options.is_empty() {
        page.new_line();
        page.element("dl", &[("class", "verdict")], |list| {
            for (accept, callers) in &choice.options {
                list.line("dt", &[], accept);
                list.line("dd", &[], callers);
            }
        });
    }
    for note in &choice.notes {
        page.line("p", &[("class", "aside")], note);
    }
}
