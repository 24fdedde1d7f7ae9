//! The report as one page for a browser. The page loads nothing and runs no script, and its content security policy
//! forbids both. A page is made from a report alone, so a saved report gives the same page.

mod counts;
mod frame;
mod line;
mod markup;
mod panels;
mod percentiles;
mod scale;
mod settings;
mod style;
mod tables;
mod timeline;
mod verdict;

use std::io::{self, Write};

use self::{
    markup::{Attributes, Markup},
    timeline::Timeline,
};
use crate::{
    present::words::label as run_label,
    report::{Report, Run},
    scenario::Rpc,
};

/// How many looks there are for runs; from then on they repeat.
const LOOKS: usize = 8;

/// What a page shows: the runs of one report, or of several.
#[derive(Debug)]
pub struct Page<'a> {
    sources: Vec<(&'a str, &'a Report)>,
    runs: Vec<Labelled<'a>>,
    changes: &'a str,
}

/// A run, and what it is called on the page.
#[derive(Debug)]
struct Labelled<'a> {
    run: &'a Run,
    /// Its name; with its file and its clock where there are several.
    label: String,
    look: usize,
}

impl Labelled<'_> {
    /// The classes of its colour and its dashes.
    fn look(&self) -> String {
        format!("look{}", self.look)
    }

    /// Whether an ok answer does not mean that its message is done.
    fn is_queued(&self) -> bool {
        self.run.rpc == Rpc::Enqueue.label()
    }
}

impl<'a> Page<'a> {
    /// Of one report.
    pub fn of(report: &'a Report) -> Self {
        Self::of_files(vec![("", report)], "")
    }

    /// Of several, each with the name of its file; `changes`: from one to the other, in words.
    pub fn of_files(sources: Vec<(&'a str, &'a Report)>, changes: &'a str) -> Self {
        let clocks = |of_virtual: bool| {
            let mut runs = sources.iter().flat_map(|(_, report)| &report.runs);
            runs.any(|run| run.virtual_time == of_virtual)
        };
        let both_clocks = clocks(false) && clocks(true);
        let mut names: Vec<String> = Vec::new();
        let mut runs = Vec::new();
        for (file, report) in &sources {
            for run in &report.runs {
                let name = if sources.len() > 1 {
                    format!("{file}: {}", run_label(run))
                } else {
                    run_label(run)
                };
                // A strategy has the same look in real and in virtual time.
                let look = names.iter().position(|known| *known == name).unwrap_or_else(|| {
                    names.push(name.clone());
                    names.len() - 1
                });
                let clock = if both_clocks && run.virtual_time {
                    " (virtual time)"
                } else {
                    ""
                };
                runs.push(Labelled {
                    run,
                    label: format!("{name}{clock}"),
                    look: look % LOOKS,
                });
            }
        }
        Self { sources, runs, changes }
    }
}

/// Writes the page.
pub fn write(out: &mut impl Write, page: &Page<'_>) -> io::Result<()> {
    let mut markup = Markup::default();
    let title = title(page);
    markup.element("html", &[("lang", "en")], |html| {
        html.new_line();
        html.element("head", &[], |head| {
            head.empty("meta", &[("charset", "utf-8")]);
            head.empty(
                "meta",
                &[("http-equiv", "Content-Security-Policy"), ("content", style::POLICY)],
            );
            head.empty(
                "meta",
                &[("name", "viewport"), ("content", "width=device-width, initial-scale=1")],
            );
            head.empty("meta", &[("name", "color-scheme"), ("content", "light dark")]);
            head.line("title", &[], &title);
            head.element("style", &[], |sheet| sheet.verbatim(style::SHEET));
        });
        html.new_line();
        html.element("body", &[], |body| {
            body.element("main", &[], |main| contents(page, &title, main));
        });
    });
    writeln!(out, "<!DOCTYPE html>\n{}", markup.into_string())
}

fn title(page: &Page<'_>) -> String {
    let labels: Vec<&str> = page.runs.iter().map(|run| run.label.as_str()).collect();
    match labels.as_slice() {
        [] => "No runs".to_owned(),
        [one] => (*one).to_owned(),
        // A heading of more would say less.
        [_, _] | [_, _, _] => labels.join(", "),
        many => format!("{} runs compared", many.len()),
    }
}

fn contents(page: &Page<'_>, title: &str, main: &mut Markup) {
    let all: Vec<&Labelled<'_>> = page.runs.iter().collect();
    verdict::write(&all, title, &page.sources, main);
    let clocks = [(false, "In real time", ""), (true, "In virtual time", "virtual-")];
    let groups = clocks.map(|(of_virtual, heading, prefix)| {
        let runs: Vec<&Labelled<'_>> = page
            .runs
            .iter()
            .filter(|run| run.run.virtual_time == of_virtual)
            .collect();
        (runs, heading, prefix)
    });
    for (runs, heading, prefix) in groups.iter().filter(|(runs, ..)| !runs.is_empty()) {
        section(main, heading, |section| {
            tables::runs(runs, section);
            tables::main_times(runs, section);
            section.line("h3", &[], "Over time");
            verdict::legend(runs, section);
            match Timeline::new(runs, prefix) {
                Some(timeline) => timeline.write(section),
                None => section.line("p", &[], "Nothing happened."),
            }
            section.line("h3", &[], "By percentile");
            verdict::legend(runs, section);
            percentiles::write(runs, prefix, section);
        });
    }
    section(main, "Do the counts add up?", |section| counts::write(&all, section));
    section(main, "All times", |section| {
        fold(section, "All distributions of all runs", all.len() == 1, |inside| {
            tables::distributions(&all, inside);
        });
    });
    if !page.changes.is_empty() {
        section(main, "What has changed", |section| {
            section.element("div", &tables::SCROLL, |scroll| scroll.line("pre", &[], page.changes));
        });
    }
    section(main, "Made with", |section| {
        settings::write(&all, &page.sources, section);
    });
}

fn section(main: &mut Markup, heading: &str, inside: impl FnOnce(&mut Markup)) {
    main.new_line();
    main.element("section", &[], |section| {
        section.line("h2", &[], heading);
        inside(section);
    });
}

/// A section that the reader can open and close.
fn fold(page: &mut Markup, summary: &str, open: bool, inside: impl FnOnce(&mut Markup)) {
    let attributes: Attributes<'_> = if open { &[("open", "open")] } else { &[] };
    page.element("details", attributes, |details| {
        details.line("summary", &[], summary);
        inside(details);
    });
}
