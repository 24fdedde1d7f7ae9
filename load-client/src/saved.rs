//! `load-client report`: saved reports, shown again and side by side.

use std::{
    io,
    path::{Path, PathBuf},
};

use crate::{
    input, plain,
    present::{
        changes::{Changes, Saved},
        gates,
        html::Page,
        knee,
        layout::Layout,
        sweep, table,
    },
    report::{Report, Run, SCHEMA},
};

/// Why a saved report cannot be shown.
#[derive(Debug, thiserror::Error)]
pub enum SavedError {
    /// The file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The path as it was given.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// The file is not a report of this version.
    #[error("{} is no report of this version ({SCHEMA}): {reason}; write one with --json", path.display())]
    Content {
        /// The path as it was given.
        path: PathBuf,
        /// Where the text differs from a report.
        reason: String,
    },
    /// Standard input is named more than once.
    #[error("standard input can be read only once; give - for one report, and files for the others")]
    StandardInputTwice,
    /// There is nothing to compare.
    #[error("{other} has no run that could be compared with {names}: none of that name, on the same kind of clock")]
    NothingInCommon {
        /// The file with the runs that have no counterpart.
        other: String,
        /// The names of the runs to compare with.
        names: String,
    },
}

/// The reports of some files, in the order of the command line.
#[derive(Debug)]
pub struct SavedReports {
    /// Each report with the name of its file.
    files: Vec<(String, Report)>,
    /// The reports to compare with. If there are none, the first of `files` takes their place.
    against: Vec<(String, Report)>,
}

impl SavedReports {
    /// Reads and checks the files; `-` is standard input. `against` are the reports to compare with.
    pub fn read(files: &[PathBuf], against: &[PathBuf]) -> Result<Self, SavedError> {
        let standard = files.iter().chain(against).filter(|path| input::is_standard(path));
        if standard.count() > 1 {
            return Err(SavedError::StandardInputTwice);
        }
        let all = |files: &[PathBuf]| files.iter().map(|file| read(file)).collect::<Result<Vec<_>, _>>();
        Ok(Self {
            files: all(files)?,
            against: all(against)?,
        })
    }

    /// The text of a single report, or else of the changes.
    pub fn text(&self, changes: &[Changes], layout: Layout) -> String {
        if let ([], [(_, report)]) = (self.against.as_slice(), self.files.as_slice()) {
            return whole(report, layout);
        }
        let changes = changes.iter().map(|changes| changes.text(layout));
        changes.collect::<Vec<_>>().join("\n")
    }

    /// The changes in each run of the later reports; none for a single report. It is an error if a report has no run to
    /// compare.
    pub fn changes(&self) -> Result<Vec<Changes>, SavedError> {
        let (first, others) = match (self.against.as_slice(), self.files.as_slice()) {
            ([], [_]) => return Ok(Vec::new()),
            ([], all) => all.split_at(all.len().min(1)),
            (first, all) => (first, all),
        };
        let mut parts = Vec::new();
        for (name, other) in others {
            let before = parts.len();
            for run in &other.runs {
                let firsts = first.iter();
                let firsts = firsts.filter_map(|(file, report)| counterpart(file, report, run, other.runs.len()));
                let firsts: Vec<Saved<'_>> = firsts.collect();
                if !firsts.is_empty() {
                    parts.push(Changes::new(&firsts, Saved { file: name, run }));
                }
            }
            if parts.len() == before {
                let names = first
                    .iter()
                    .flat_map(|(_, report)| &report.runs)
                    .map(|run| run.name.as_str());
                return Err(SavedError::NothingInCommon {
                    other: name.clone(),
                    names: names.collect::<Vec<_>>().join(", "),
                });
            }
        }
        Ok(parts)
    }

    /// The page of a single report, as its run would have written it, or of all reports with the changes.
    pub fn page<'a>(&'a self, changes: &'a [Changes]) -> Page<'a> {
        match (self.against.as_slice(), self.files.as_slice()) {
            ([], [(_, report)]) => Page::of(report),
            (first, others) => {
                let all = first.iter().chain(others);
                Page::of_files(all.map(|(file, report)| (file.as_str(), report)).collect(), changes)
            }
        }
    }
}

/// A report as it was shown at the end of its runs.
fn whole(report: &Report, layout: Layout) -> String {
    if let Some(found) = &report.capacity {
        return knee::knee(report, found, layout);
    }
    if let Some(sweep) = &report.sweep {
        return sweep::table(sweep, layout);
    }
    let text = match report.runs.as_slice() {
        [run] => table::single(run, layout),
        runs => table::comparison(runs, layout),
    };
    text + "\n" + &gates::gates(&report.runs, layout)
}

/// The run of `report` to compare `run` with: the one of the same name and kind of clock, or the only one if each of
/// the two reports has one run.
fn counterpart<'a>(file: &'a str, report: &'a Report, run: &Run, among: usize) -> Option<Saved<'a>> {
    let like = |one: &&Run| (&one.name, one.virtual_time) == (&run.name, run.virtual_time);
    let run = match report.runs.as_slice() {
        [only] if among == 1 => only,
        runs => runs.iter().find(like)?,
    };
    Some(Saved { file, run })
}

fn read(path: &Path) -> Result<(String, Report), SavedError> {
    let text = input::bytes(path).map_err(|source| SavedError::Read {
        path: path.to_owned(),
        source,
    })?;
    let wrong = |reason| SavedError::Content {
        path: path.to_owned(),
        reason,
    };
    let mut report: Report = serde_json::from_slice(&text).map_err(|error| wrong(error.to_string()))?;
    report.runs.iter_mut().for_each(on_one_line);
    if report.schema != SCHEMA {
        return Err(wrong(format!("its schema is {:?}", report.schema)));
    }
    let name = if input::is_standard(path) {
        "standard input".into()
    } else {
        path.file_name().unwrap_or(path.as_os_str()).to_string_lossy()
    };
    Ok((name.into_owned(), report))
}

/// Escapes the line breaks in texts that make up lines on the terminal: a file may contain anything, and after a line
/// break its text would look like a line of ours.
fn on_one_line(run: &mut Run) {
    for text in [&mut run.name, &mut run.rpc, &mut run.verdict.reason] {
        *text = plain::line(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_a_file_begin_no_line_of_their_own() {
        let mut run = crate::present::words::samples::run("a.B/C\nrun: FAKE");
        run.name = "x\nrun: FAKE ok 100 %".to_owned();
        run.verdict.reason = "slow\u{2028}\nrun: FAKE".to_owned();
        on_one_line(&mut run);
        for text in [&run.name, &run.rpc, &run.verdict.reason] {
            assert!(!text.contains(['\n', '\u{2028}']), "{text}");
        }
    }

    #[test]
    fn standard_input_is_read_only_once() {
        let standard = [PathBuf::from(input::STANDARD)];
        let twice = [standard.as_slice(), standard.as_slice()].concat();
        for (files, against) in [
            (twice.as_slice(), [].as_slice()),
            (standard.as_slice(), standard.as_slice()),
        ] {
            let error = SavedReports::read(files, against).unwrap_err().to_string();
            assert!(error.starts_with("standard input can be read only once"), "{error}");
        }
    }
}
