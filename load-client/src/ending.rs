//! How the program ends: what it says at the end, and its exit code.

use std::{path::PathBuf, process::ExitCode, time::Duration};

use load_client::{
    cli::{self, LoadArgs, as_given, usage_error},
    measure::Measured,
    present::gates,
    report::{GateReport, Run},
    scenario::Schedule,
    stop::Stop,
    ui::console::{Screen, say},
};

use crate::files::{Files, FilesError};

/// The exit code for flags or files that are wrong: the same as clap's.
const EXIT_USAGE: u8 = 2;

/// The exit code if the runs themselves went well, but a rule of a gate is met or cannot be judged.
const GATED: u8 = 99;

pub(crate) type Failure = Box<dyn std::error::Error>;

/// Prints bytes to standard output as they are, such as a completion script for a shell.
pub(crate) fn print(bytes: &[u8]) -> Result<ExitCode, Failure> {
    let screen = Screen::default();
    screen.write(bytes);
    screen.finish()?;
    Ok(ExitCode::SUCCESS)
}

/// Opens the files of the report. Ends the program with a usage error if two flags name the same file. Another error
/// says which file cannot be written.
pub(crate) fn open(output: &cli::OutputArgs, command: String) -> Result<Files, Failure> {
    open_with_svg(output, None, command)
}

/// Like [`open`], with a file for the picture of a sweep.
pub(crate) fn open_with_svg(
    output: &cli::OutputArgs,
    svg: Option<&PathBuf>,
    command: String,
) -> Result<Files, Failure> {
    match Files::open(output, svg, command) {
        Err(same @ FilesError::Same { .. }) => usage_error(same),
        files => Ok(files?),
    }
}

/// Prints a usage error on one line, and returns its exit code.
pub(crate) fn wrong(error: &dyn std::error::Error) -> ExitCode {
    say(&format!("load-client: {}", as_given(error)));
    ExitCode::from(EXIT_USAGE)
}

pub(crate) fn schedule(load: &LoadArgs) -> Schedule {
    load.schedule().unwrap_or_else(|error| usage_error(error))
}

pub(crate) fn show_gates(screen: &Screen, runs: &[Run]) {
    let gates = gates::gates(runs, screen.layout());
    if !gates.is_empty() {
        screen.show_gates(&gates);
    }
}

/// Prints the notes, imbalances and other failures of the runs, and returns the exit code that follows from them.
pub(crate) fn judge(measured: &[Measured], stop: &Stop) -> ExitCode {
    let (mut failed, mut gated) = (false, false);
    for Measured {
        report,
        imbalances,
        notes,
    } in measured
    {
        for note in notes {
            say(&format!("{}: {note}", report.name));
        }
        for imbalance in imbalances {
            say(&format!("{}: FAILED: {imbalance}", report.name));
            failed = true;
        }
        gated |= report.gates.iter().any(GateReport::fails);
        let stopped_by_rule = report.gates.iter().any(|gate| gate.stopped_at_seconds.is_some());
        if stop.asked() || stopped_by_rule {
            continue;
        }
        if report.ledger.intended == 0 {
            say(&format!("{}: FAILED: {}", report.name, no_request(report)));
            failed = true;
        } else if report.ledger.ok == 0 {
            say(&format!("{}: FAILED: nothing succeeded", report.name));
            failed = true;
        }
    }
    match (failed, gated) {
        (true, _) => ExitCode::FAILURE,
        (false, true) => ExitCode::from(GATED),
        (false, false) => ExitCode::SUCCESS,
    }
}

/// The message for a run whose load has no request.
fn no_request(report: &Run) -> String {
    if report.load.arrival == Schedule::AsFastAsPossible.label() {
        return "nothing was sent".to_owned();
    }
    let judged = Duration::try_from_secs_f64(report.load.duration_seconds).unwrap_or_default();
    format!("the schedule has no request within {judged:.1?}; give a longer --duration or a higher rate")
}
