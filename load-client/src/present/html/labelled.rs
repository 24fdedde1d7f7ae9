//! A run as the page shows it: its names, and its look (the colour and the dashes of its lines).

use super::markup::Markup;
use crate::report::Run;

/// The number of looks for runs. Further runs repeat them.
const LOOKS: usize = 8;

/// A run, and its names on the page.
#[derive(Debug)]
pub(super) struct Labelled<'a> {
    pub(super) run: &'a Run,
    /// The name of the run's file; empty if there is only one report.
    pub(super) file: &'a str,
    /// The name of the run, after that of its file if there are several.
    pub(super) name: String,
    /// The name, and the clock of the run if the page has runs of both clocks.
    pub(super) label: String,
    /// The number of its look, from 0.
    pub(super) look: usize,
}

impl Labelled<'_> {
    /// The class of its look in the style sheet.
    pub(super) fn look(&self) -> String {
        format!("look{}", self.look % LOOKS)
    }

    /// A sentence that says what the strategy does; empty for a service with a URL.
    pub(super) fn about(&self) -> String {
        let target = self.run.configuration.as_ref().and_then(|made| made.target.as_deref());
        target
            .filter(|about| !about.contains("://"))
            .unwrap_or_default()
            .to_owned()
    }
}

/// Draws a piece of a line with this look.
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
