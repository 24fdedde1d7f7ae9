//! The sentences that explain each run and say whether the load client kept up.

use std::collections::BTreeSet;

use super::{
    labelled::{Labelled, swatch},
    markup::Markup,
};
use crate::present::words::{explain, generator};

pub(super) fn write(runs: &[&Labelled<'_>], page: &mut Markup) {
    let generators: BTreeSet<String> = runs.iter().map(|run| sentence(&generator(run.run))).collect();
    // If the sentence about the load client is the same for all runs, it is written once.
    let for_all = generators.len() == 1 && runs.len() > 1;
    page.new_line();
    page.element("dl", &[("class", "verdict")], |list| {
        for run in runs {
            if runs.len() > 1 {
                list.element("dt", &[], |name| {
                    swatch(&run.look(), name);
                    name.text(&run.name);
                });
            }
            list.element("dd", &[], |said| {
                said.line("p", &[], &explain(run.run));
                if !for_all {
                    said.line("p", &[("class", "aside")], &sentence(&generator(run.run)));
                }
                for note in run.run.notes.iter().flatten() {
                    said.line("p", &[("class", "aside")], &sentence(note));
                }
            });
        }
    });
    for all in generators.iter().filter(|_| for_all) {
        page.line("p", &[("class", "aside")], &format!("All: {all}"));
    }
}

/// A text as a sentence: with a capital letter and a full stop.
fn sentence(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters.next().map(|first| first.to_uppercase().to_string());
    let text = first
        .into_iter()
        .chain([characters.as_str().to_owned()])
        .collect::<String>();
    if text.ends_with(['.', '!', '?']) {
        text
    } else {
        text + "."
    }
}
