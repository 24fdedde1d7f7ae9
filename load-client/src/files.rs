//! Where a report goes besides the screen.

use std::{fmt, path::PathBuf};

use load_client::{
    cli::OutputArgs,
    present::{
        html::{self, Page},
        json, series, svg,
    },
    report::{Report, Run, SCHEMA},
    ui::{
        console::Screen,
        file::{ReportFile, WriteError},
    },
};

/// Why a report cannot be written to its files.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FilesError {
    /// A file cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// Two flags name the same file, so the second report would replace the first.
    #[error("{first} and {second} both write to {}; give each a file of its own", path.display())]
    Same {
        first: &'static str,
        second: &'static str,
        /// The file that both flags name.
        path: PathBuf,
    },
}

/// The files of a report that could not be written; at least one.
#[derive(Debug)]
pub(crate) struct Unwritten(Vec<WriteError>);

impl fmt::Display for Unwritten {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let errors: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&errors.join("; "))
    }
}

impl std::error::Error for Unwritten {}

/// The files of a report, found to be writable before the run.
pub(crate) struct Files {
    json: Option<ReportFile>,
    html: Option<ReportFile>,
    csv: Option<ReportFile>,
    svg: Option<ReportFile>,
    /// Whether one of the files is standard output.
    on_stdout: bool,
    /// The command line of the program, for the report.
    command: String,
}

impl Files {
    /// Finds out whether all files can be written, and then removes those that an earlier run has left under their names.
    /// `svg`: where the picture of a sweep goes.
    pub(crate) fn open(output: &OutputArgs, svg: Option<&PathBuf>, command: String) -> Result<Self, FilesError> {
        let asked = [
            ("--json", output.json.as_ref()),
            ("--html", output.html.as_ref()),
            ("--csv", output.csv.as_ref()),
            ("--svg", svg),
        ];
        let mut opened: [Option<ReportFile>; 4] = [const { None }; 4];
        for (index, (flag, path)) in asked.iter().enumerate() {
            let Some(path) = path else { continue };
            let file = ReportFile::open(path)?;
            let is_the_same = |earlier: &Option<ReportFile>| earlier.as_ref().is_some_and(|earlier| earlier.is(&file));
            if let Some(first) = opened.iter().position(is_the_same) {
                return Err(FilesError::Same {
                    first: asked[first].0,
                    second: flag,
                    path: (*path).clone(),
                });
            }
            opened[index] = Some(file);
        }
        for file in opened.iter().flatten() {
            file.clear()?;
        }
        let on_stdout = opened.iter().flatten().any(ReportFile::is_on_stdout);
        let [json, html, csv, svg] = opened;
        Ok(Self {
            json,
            html,
            csv,
            svg,
            on_stdout,
            command,
        })
    }

    /// The screen for the text of the report: standard error if a file goes to standard output.
    pub(crate) fn screen(&self) -> Screen {
        Screen::new(self.on_stdout)
    }

    /// The report of these runs.
    pub(crate) fn report(&self, seed: u64, runs: Vec<Run>) -> Report {
        Report {
            schema: SCHEMA.to_owned(),
            seed,
            version: Some(env!("CARGO_PKG_VERSION").to_owned()),
            command: Some(self.command.clone()),
            runs,
            capacity: None,
            sweep: None,
        }
    }

    /// Writes the report to all files that were asked for: one that cannot be written costs no other. The error names all
    /// that failed.
    pub(crate) fn write(self, report: &Report) -> Result<(), Unwritten> {
        let mut errors = Vec::new();
        if let Some(file) = self.csv {
            errors.extend(file.write(|mut out| series::write(&mut out, &report.runs)).err());
        }
        if let (Some(file), Some(sweep)) = (self.svg, &report.sweep) {
            errors.extend(file.write(|out| out.write_all(svg::sweep(sweep).as_bytes())).err());
        }
        if let Some(file) = self.html {
            errors.extend(file.write(|mut out| html::write(&mut out, &Page::of(report))).err());
        }
        if let Some(file) = self.json {
            errors.extend(file.write(|mut out| json::write(&mut out, report)).err());
        }
        if errors.is_empty() {
            Ok(())
        } else {
            Err(Unwritten(errors))
        }
    }
}
