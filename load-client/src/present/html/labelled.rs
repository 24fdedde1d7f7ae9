//! A run as the page shows it: its names, and the look of its lines.

use super::markup::Markup;
use crate::report::Run;

/// How many looks there are for runs; from then on they repeat.
const LOOKS: usize = 8;

/// A run, and what it is called on the page.
#[derive(Debug)]
pub(super) struct Labelled<'a> {
    pub(super) run: &'a Run,
    /// The name of its file; empty if there is one report.
    pub(super) file: &'a str,
    /// Its name, with that of its file if there are several.
    pub(super) name: String,
    /// The same, with the clock if there are two.
    pub(super) label: String,
    /// Which of the looks it has, from 0.
    pub(super) look: usize,
}

impl Labelled<'_> {
    /// The classes of its colour and its dashes.
    pub(super) fn look(&self) -> String {
        format!("look{}", self.look % LOOKS)
    }

    /// What the strategy does, in a sentence; empty of a running service.
    pub(super) fn about(&self) -> String {
        let target = self.run.configuration.as_ref().and_then(|made| made.target.as_deref());
        target
            .filter(|about| !about.contains("://"))
            .unwrap_or_default()
            .to_owned()
    }
}

/// A piece of a line in the look of a run.
pub(super) fn swatch(look: &str, page: &mut Markup) {
    let attributes = [
        ("class", "swatch"),
        ("width", "40"),
        ("height", "10"),
        ("aria-hidden", "true"),
    ];
    page.element("svg", &attributes, |svg| {
        svg.empty("path", &[("class", &format!("line {look}")), ("d", "M1 5H39")]);
    });
}
