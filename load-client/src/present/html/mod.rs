//! The report as one page for a browser. The page loads nothing and runs no script, and its content security policy
//! forbids both. A page is made from a report alone, so a saved report gives the same page.

mod choice;
mod counts;
mod explained;
mod figures;
mod frame;
mod knee;
mod labelled;
mod line;
mod marks;
pub(super) mod markup;
mod panels;
mod percentiles;
mod scale;
mod settings;
mod style;
mod sweep;
mod tables;
mod terms;
mod theory;
mod timeline;
mod top;

use std::io::{self, Write};

use self::{
    labelled::{Labelled, swatch},
    markup::{Attributes, Markup},
    timeline::Timeline,
};
use crate::{
    present::{changes::Changes, theory::predicts, words::label as run_label},
    report::{Report, Run},
    units::time,
};

/// The contents of a page: the runs of one report, or of several.
#[derive(Debug)]
pub struct Page<'a> {
    sources: Vec<(&'a str, &'a Report)>,
    runs: Vec<Labelled<'a>>,
    changes: &'a [Changes],
}

impl<'a> Page<'a> {
    /// A page with the runs of one report.
    pub fn of(report: &'a Report) -> Self {
        Self::of_files(vec![("", report)], &[])
    }

    /// A page with the runs of several reports, each with the name of its file. `changes`: from one to the other.
    pub fn of_files(sources: Vec<(&'a str, &'a Report)>, changes: &'a [Changes]) -> Self {
        let clocks = |of_virtual: bool| {
            let mut runs = sources.iter().flat_map(|(_, report)| shown(report));
            runs.any(|run| run.virtual_time == of_virtual)
        };
        let both_clocks = clocks(false) && clocks(true);
        let mut names: Vec<String> = Vec::new();
        let mut runs = Vec::new();
        for (file, report) in &sources {
            for run in shown(report) {
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
                    file,
                    label: format!("{name}{clock}"),
                    name,
                    look,
                });
            }
        }
        Self { sources, runs, changes }
    }
}

/// The runs of a report that the page shows in full: of a search for the capacity only the last test, of a sweep none.
fn shown(report: &Report) -> Vec<&Run> {
    if let Some(found) = &report.capacity {
        let last = found.probes.iter().rfind(|probe| probe.long).or(found.probes.last());
        return last.and_then(|probe| report.run(&probe.run)).into_iter().collect();
    }
    if report.sweep.is_some() {
        return Vec::new();
    }
    report.runs.iter().collect()
}

/// Writes the page: one HTML document that needs no other file.
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
    if let [(_, report)] = page.sources.as_slice() {
        let made = page.runs.first().and_then(|run| run.run.configuration.as_ref());
        let target = made.and_then(|made| made.target.as_deref()).unwrap_or("the service");
        if report.capacity.is_some() {
            return format!("Capacity of {target}");
        }
        if report.sweep.is_some() {
            return "Goodput against offered load".to_owned();
        }
    }
    let mut names: Vec<&str> = page.runs.iter().map(|run| run.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let strategies = page.runs.iter().all(|run| !run.about().is_empty());
    match names.as_slice() {
        [] => "No runs".to_owned(),
        [one] => (*one).to_owned(),
        _ if page.sources.len() > 1 => {
            let files: Vec<&str> = page.sources.iter().map(|(file, _)| *file).collect();
            format!("{} compared", files.join(" and "))
        }
        many if strategies => format!("{} strategies under the same load", many.len()),
        many => format!("{} services compared", many.len()),
    }
}

fn contents(page: &Page<'_>, title: &str, main: &mut Markup) {
    let all: Vec<&Labelled<'_>> = page.runs.iter().collect();
    let commands: Vec<&str> = page
        .sources
        .iter()
        .filter_map(|(_, report)| report.command.as_deref())
        .collect();
    top::title(title, &page.sources, main);
    for (_, report) in &page.sources {
        if let Some(found) = &report.capacity {
            section(main, "The search", |section| {
                knee::write(report, found, &commands, section);
            });
        }
        if let Some(sweep) = &report.sweep {
            section(main, "Goodput", |section| sweep::write(sweep, &commands, section));
        }
    }
    top::write(&all, main);
    if !page.changes.is_empty() {
        section(main, "What has changed", |section| {
            tables::changes(page.changes, section);
        });
    }
    let clocks = [(false, "real", ""), (true, "virtual", "virtual-")];
    for (of_virtual, clock, prefix) in clocks {
        let runs: Vec<&Labelled<'_>> = page
            .runs
            .iter()
            .filter(|run| run.run.virtual_time == of_virtual)
            .collect();
        if !runs.is_empty() {
            section(main, &heading(&runs, clock), |section| {
                results(&runs, prefix, &commands, section);
            });
        }
    }
    if all.iter().any(|run| !run.run.gates.is_empty()) {
        section(main, "Rules", |section| tables::gates(&all, section));
    }
    if !all.is_empty() {
        section(main, "Do the counts add up?", |section| counts::write(&all, section));
    }
    if all.iter().any(|run| predicts(run.run)) {
        section(main, "What queueing theory predicts", |section| {
            theory::write(&all, section);
        });
    }
    if !all.is_empty() {
        section(main, "All times", |section| {
            fold(section, "All distributions of all runs", all.len() == 1, |inside| {
                tables::distributions(&all, inside);
            });
        });
    }
    section(main, "How this page was made", |section| {
        settings::write(&all, &page.sources, section);
    });
}

/// The heading of some runs: their clock, and the length of their load if all have the same.
fn heading(runs: &[&Labelled<'_>], clock: &str) -> String {
    let mut lengths: Vec<String> = runs
        .iter()
        .map(|run| time(run.run.load.warmup_seconds + run.run.load.duration_seconds))
        .collect();
    lengths.dedup();
    match lengths.as_slice() {
        [length] => format!("{length} of load in {clock} time"),
        _ => format!("Load in {clock} time"),
    }
}

/// Writes the results of the runs of one clock: the table, the charts, the sentences.
fn results(runs: &[&Labelled<'_>], prefix: &str, commands: &[&str], page: &mut Markup) {
    tables::runs(runs, page);
    let alone = runs.len() == 1;
    if alone {
        explained::write(runs, page);
    } else {
        choice::write(runs, page);
    }
    let timeline = Timeline::new(runs, prefix, commands);
    match &timeline {
        Some(timeline) => timeline.write(true, page),
        None => page.line("p", &[], "There is nothing to draw: no request was scheduled."),
    }
    if !alone {
        page.line("h3", &[], "In detail");
        explained::write(runs, page);
    }
    fold(page, "More charts, and all percentiles", alone, |more| {
        if let Some(timeline) = &timeline {
            timeline.write(false, more);
        }
        if !alone {
            legend(runs, more);
        }
        percentiles::write(runs, prefix, commands, more);
        tables::main_times(runs, more);
    });
}

/// Writes a list of the runs, each with a piece of its line.
fn legend(runs: &[&Labelled<'_>], page: &mut Markup) {
    page.element("ul", &[("class", "legend"), ("aria-label", "Legend")], |list| {
        for run in runs {
            list.element("li", &[], |item| {
                swatch(&run.look(), item);
                item.text(&run.name);
            });
        }
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
