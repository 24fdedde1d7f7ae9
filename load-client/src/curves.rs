//! `load-client capacity` and `load-client sweep`: from their flags to what is shown and written.

use std::{process::ExitCode, sync::Arc};

use load_client::{
    capacity::of_service,
    cli::{CapacityArgs, SweepArgs, usage_error},
    measure::Measured,
    present::knee::knee,
    report::Run,
    stop::Stopper,
    ui::console::say,
};
#[cfg(feature = "embedded")]
use load_client::{
    lab::{Lab, LabError},
    present::sweep::table,
    sweep,
};

#[cfg(feature = "embedded")]
use crate::ending::open_with_svg;
use crate::ending::{Failure, open, wrong};

/// Searches for the capacity of a running service. The exit code is 0 if there is an answer.
pub(crate) async fn capacity(
    args: &CapacityArgs,
    command: String,
    stopper: &Arc<Stopper>,
) -> Result<ExitCode, Failure> {
    let files = open(&args.output, command)?;
    let screen = files.screen();
    let found = match of_service(args, stopper).await {
        Err(error) if error.is_usage() => return Ok(wrong(&error)),
        found => found?,
    };
    let balanced = say_imbalances(&found.measured);
    let answered = found.report.found;
    let runs: Vec<Run> = found.measured.into_iter().map(|measured| measured.report).collect();
    let mut report = files.report(args.load.seed, runs);
    screen.show(&knee(&report, &found.report, screen.layout()));
    report.capacity = Some(Box::new(found.report));
    files.write(&report)?;
    screen.finish()?;
    Ok(if answered && balanced {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Prints what does not add up in the runs. Returns whether everything adds up.
fn say_imbalances(measured: &[Measured]) -> bool {
    let imbalances = measured.iter().flat_map(|run| {
        let name = &run.report.name;
        run.imbalances
            .iter()
            .map(move |imbalance| format!("{name}: FAILED: {imbalance}"))
    });
    let imbalances: Vec<String> = imbalances.collect();
    for line in &imbalances {
        say(line);
    }
    imbalances.is_empty()
}

/// Measures the goodput of each strategy of a lab at many loads.
#[cfg(feature = "embedded")]
pub(crate) async fn sweep(args: &SweepArgs, command: String, stopper: &Arc<Stopper>) -> Result<ExitCode, Failure> {
    args.load.check().unwrap_or_else(|error| usage_error(error));
    let lab = match lab(args) {
        Ok(lab) => lab,
        Err(error) => return Ok(wrong(&error)),
    };
    let files = open_with_svg(&args.output, args.svg.as_ref(), command)?;
    let screen = files.screen();
    if let Some(title) = lab.title() {
        screen.show(title);
    }
    let setting = sweep::Setting {
        lab,
        factors: args.factors.0.clone(),
        virtual_time: args.virtual_time,
        style: args.output.progress.manner(),
    };
    let swept = match sweep::sweep(&setting, stopper).await {
        Err(error) if error.is_usage() => return Ok(wrong(&error)),
        swept => swept?,
    };
    screen.show(&table(&swept.report, screen.layout()));
    let balanced = say_imbalances(&swept.measured);
    for (name, error) in &swept.failed {
        say(&format!("{name}: FAILED: {error}"));
    }
    let runs: Vec<Run> = swept.measured.into_iter().map(|measured| measured.report).collect();
    let mut report = files.report(swept.seed, runs);
    report.sweep = Some(Box::new(swept.report));
    files.write(&report)?;
    screen.finish()?;
    Ok(if balanced && swept.failed.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// The lab of the file, or else the built-in lab, changed by the flags.
#[cfg(feature = "embedded")]
fn lab(args: &SweepArgs) -> Result<Lab, LabError> {
    let mut lab = args
        .file
        .as_deref()
        .map_or_else(|| Ok(Lab::built_in_sweep()), Lab::read)?;
    lab.lay_load(args.load.words());
    lab.lay_service(args.service.words())?;
    lab.keep(&args.strategy)?;
    Ok(lab)
}

#[cfg(not(feature = "embedded"))]
#[expect(clippy::unused_async, reason = "the pair of the one above")]
pub(crate) async fn sweep(_: &SweepArgs, _: String, _: &Arc<Stopper>) -> Result<ExitCode, Failure> {
    usage_error("this build has no services of its own to sweep (feature `embedded`)")
}
