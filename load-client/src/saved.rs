//! `load-client report`: saved reports, shown again and side by side.

use std::{fs, io, path::PathBuf};

use crate::{
    output::{
        changes::{Saved, changes},
        table,
    },
    report::{Report, Run, SCHEMA},
};

/// Why a saved report cannot be shown.
#[derive(Debug, thiserror::Error)]
pub enum SavedError {
    /// The file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is something else.
    #[error("{} is no report of this version ({SCHEMA}): {reason}; write one with --json", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// Where it differs.
        reason: String,
    },
    /// There is nothing to compare.
    #[error("{first} and {other} have no run of the same name: {first} has {names}")]
    NothingInCommon {
        /// The first file.
        first: String,
        /// The other one.
        other: String,
        /// What the first one has.
        names: String,
    },
}

/// The text for one file, or for the changes from the first to each of the others.
pub fn show(files: &[PathBuf]) -> Result<String, SavedError> {
    let reports = files.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    let Some(((first_name, first), others)) = reports.split_first() else {
        return Ok(String::new());
    };
    if others.is_empty() {
        let text = match first.runs.as_slice() {
            [run] => table::single(run),
            runs => table::comparison(runs),
        };
        return Ok(text + "\n" + &table::gates(&first.runs));
    }
    let mut parts = Vec::new();
    for (name, other) in others {
        let before = parts.len();
        for [first, second] in pairs(&first.runs, &other.runs) {
            let first = Saved {
                file: first_name,
                run: first,
            };
            parts.push(changes(
                first,
                Saved {
                    file: name,
                    run: second,
                },
            ));
        }
        if parts.len() == before {
            return Err(SavedError::NothingInCommon {
                first: first_name.clone(),
                other: name.clone(),
                names: first
                    .runs
                    .iter()
                    .map(|run| run.name.as_str())
                    .collect::<Vec<_>>()
                    .join(", "),
            });
        }
    }
    Ok(parts.join("\n"))
}

/// Runs of the same name on the same kind of clock; of two files with one run each, those.
fn pairs<'a>(first: &'a [Run], second: &'a [Run]) -> Vec<[&'a Run; 2]> {
    if let ([one], [other]) = (first, second) {
        return vec![[one, other]];
    }
    let like = |one: &Run, other: &Run| (&one.name, one.virtual_time) == (&other.name, other.virtual_time);
    let pair = |one| Some([one, second.iter().find(|other| like(one, other))?]);
    first.iter().filter_map(pair).collect()
}

fn read(path: &PathBuf) -> Result<(String, Report), SavedError> {
    let text = fs::read(path).map_err(|source| SavedError::Read {
        path: path.clone(),
        source,
    })?;
    let wrong = |reason| SavedError::Content {
        path: path.clone(),
        reason,
    };
    let report: Report = serde_json::from_slice(&text).map_err(|error| wrong(error.to_string()))?;
    if report.schema != SCHEMA {
        return Err(wrong(format!("its schema is {:?}", report.schema)));
    }
    let name = path.file_name().unwrap_or(path.as_os_str());
    Ok((name.to_string_lossy().into_owned(), report))
}
