//! `load-client compare`: from its flags and its lab to what is shown and written.

use std::{process::ExitCode, sync::Arc};

use load_client::{
    cli::{CompareArgs, LoadArgs, Target, as_given, usage_error},
    compare::{self, Compared},
    measure::Measured,
    present::{layout::Layout, table},
    report::Run,
    stop::Stopper,
    ui::console::{Screen, say},
};
#[cfg(feature = "embedded")]
use load_client::{
    lab::{Lab, LabError, Strategy},
    scenario::Schedule,
};

#[cfg(feature = "embedded")]
use crate::ending::print;
use crate::{
    ending::{Failure, judge, open, schedule, show_gates, wrong},
    files::Files,
};

/// Runs `load-client compare`, and returns the exit code.
pub(crate) async fn run_comparison(
    args: &CompareArgs,
    command: String,
    stopper: &Arc<Stopper>,
) -> Result<ExitCode, Failure> {
    if args.target.is_empty() && args.load.mode().is_some() {
        usage_error("--mode needs --target: each built-in strategy has its own RPC");
    }
    let unclear = args.target.iter().find(|target| target.rpc.is_none());
    if let Some(Target { name, url, .. }) = unclear.filter(|_| args.load.mode().is_none()) {
        usage_error(format!(
            "--target {name}={url} does not say which RPC to call: write {name}=enqueue:{url} or {name}=process:{url}, or give \
             --mode for all targets"
        ));
    }
    let names = args.target.iter().map(|target| &target.name);
    let twice = names
        .enumerate()
        .find(|(index, name)| args.target[..*index].iter().any(|other| other.name == **name));
    if let Some((_, name)) = twice {
        usage_error(format!(
            "there are two --target {name}=...; each needs a name of its own"
        ));
    }
    if args.target.is_empty() {
        return compare_strategies(args, command, stopper).await;
    }
    let load = load_of_targets(args);
    let schedule = schedule(&load);
    compare::check_targets(&load, &schedule, &args.gates).unwrap_or_else(|error| usage_error(error));
    let files = open(&args.output, command)?;
    let screen = files.screen();
    match compare::targets(args, &load, &schedule, stopper).await {
        Ok(compared) => {
            screen.show(&comparison(&compared.measured, screen.layout()));
            finish(load.seed, compared, files, screen, stopper)
        }
        Err(unusable) => Ok(wrong(&unusable)),
    }
}

/// Shows the failures and gates of a comparison, and writes its report.
fn finish(
    seed: u64,
    compared: Compared,
    files: Files,
    screen: Screen,
    stopper: &Arc<Stopper>,
) -> Result<ExitCode, Failure> {
    for (name, error) in &compared.failed {
        say(&format!("{name}: FAILED: {}", as_given(error)));
    }
    let code = judge(&compared.measured, &stopper.listener());
    let runs: Vec<Run> = compared.measured.into_iter().map(|measured| measured.report).collect();
    show_gates(&screen, &runs);
    let report = files.report(seed, runs);
    files.write(&report)?;
    screen.finish()?;
    Ok(if compared.failed.is_empty() {
        code
    } else {
        ExitCode::FAILURE
    })
}

fn comparison(measured: &[Measured], layout: Layout) -> String {
    let runs: Vec<Run> = measured.iter().map(|measured| measured.report.clone()).collect();
    table::comparison(&runs, layout)
}

/// The lab of the file, or else the worked example, changed by the flags.
#[cfg(feature = "embedded")]
fn lab(args: &CompareArgs) -> Result<Lab, LabError> {
    let mut lab = match &args.file {
        Some(file) => Lab::read(file)?,
        None if args.nats.is_some() => Lab::built_in_with_shared_queue(),
        None => Lab::built_in(),
    };
    lab.lay_load(args.load.words());
    lab.lay_service(args.service.words())?;
    if let Some(servers) = &args.nats {
        lab.lay_shared_queue(servers)?;
    }
    lab.keep(&args.strategy)?;
    Ok(lab)
}

/// The load on running services: the load of the lab, if one is given, changed by the flags.
#[cfg(feature = "embedded")]
fn load_of_targets(args: &CompareArgs) -> LoadArgs {
    if args.file.is_none() {
        return LoadArgs::clone(&args.load);
    }
    let lab = lab(args).unwrap_or_else(|error| usage_error(error));
    if lab.has_events() {
        usage_error(
            "the lab has events, and they need services that load-client starts: a --target cannot be changed from here. Leave \
             --target out, or take the [[event]] tables out of the lab",
        );
    }
    lab.load().unwrap_or_else(|error| usage_error(error))
}

#[cfg(not(feature = "embedded"))]
fn load_of_targets(args: &CompareArgs) -> LoadArgs {
    if args.file.is_some() {
        usage_error(NOT_EMBEDDED);
    }
    LoadArgs::clone(&args.load)
}

#[cfg(feature = "embedded")]
async fn compare_strategies(args: &CompareArgs, command: String, stopper: &Arc<Stopper>) -> Result<ExitCode, Failure> {
    if args.virtual_time && args.nats.is_some() {
        usage_error("--nats and --virtual-time contradict each other: a server takes real time; leave one of them out");
    }
    let lab = match lab(args) {
        Ok(lab) => lab,
        Err(error) => return Ok(wrong(&error)),
    };
    let defaults = if args.virtual_time {
        compare::VIRTUAL
    } else {
        compare::REAL
    };
    let strategies = match lab.strategies(defaults) {
        Ok(strategies) => strategies,
        Err(error) => return Ok(wrong(&error)),
    };
    if args.print_lab {
        return print(lab.to_string().as_bytes());
    }
    let endless = strategies
        .iter()
        .any(|strategy| strategy.schedule == Schedule::AsFastAsPossible);
    if args.virtual_time && endless {
        usage_error("--rps 0 has no meaning in virtual time: nothing would make the clock go on");
    }
    // A lab file is run once. As fast as possible, without a clock that goes on, would never end. A server knows no virtual time.
    let again: Vec<Strategy> = if args.file.is_none() && !endless && !args.virtual_time {
        let simulated = strategies.iter().filter(|strategy| !strategy.shares_queue());
        simulated.cloned().collect()
    } else {
        Vec::new()
    };
    compare::check_rules(&strategies, &args.gates).unwrap_or_else(|error| usage_error(error));
    compare::check_again(&again).unwrap_or_else(|error| usage_error(error));
    if args.virtual_time {
        compare::check_virtual(&strategies).unwrap_or_else(|error| usage_error(error));
    }
    let files = open(&args.output, command)?;
    let screen = files.screen();
    let manner = compare::Manner::of(args);
    let mut all = Compared::default();
    if let (Some(_), Some(title)) = (&args.file, lab.title()) {
        screen.show(&format!("{title}\n"));
    }
    screen.show(&compare::introduction(&strategies, args.virtual_time, screen.layout()));
    if !args.virtual_time {
        let compared = compare::in_real_time(&strategies, &manner, stopper).await?;
        screen.show(&comparison(&compared.measured, screen.layout()));
        all.extend(compared);
    }
    let simulated = if args.virtual_time { &strategies } else { &again };
    if !simulated.is_empty() && (args.virtual_time || !stopper.listener().asked()) {
        if !args.virtual_time {
            screen.show(&compare::virtual_introduction(simulated));
        }
        let compared = compare::in_virtual_time(simulated, &manner, stopper).await?;
        screen.show(&comparison(&compared.measured, screen.layout()));
        all.extend(compared);
    }
    let seed = strategies.first().map_or(1, |strategy| strategy.load.seed);
    finish(seed, all, files, screen, stopper)
}

/// The usage error of a build without services of its own.
#[cfg(not(feature = "embedded"))]
const NOT_EMBEDDED: &str =
    "this build has no services of its own (feature `embedded`); name running ones with --target NAME=process:URL";

#[cfg(not(feature = "embedded"))]
#[expect(clippy::unused_async, reason = "the pair of the one above")]
async fn compare_strategies(_: &CompareArgs, _: String, _: &Arc<Stopper>) -> Result<ExitCode, Failure> {
    usage_error(NOT_EMBEDDED)
}
