//! The `load-client` program.

// They panic where their output is full or gone; `say` and `Screen` do not.
#![warn(clippy::print_stderr, clippy::print_stdout)]

mod files;
mod signals;

use std::{
    path::Path,
    process::ExitCode,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use load_client::{
    cli::{
        self, Command, CompareArgs, HealthArgs, LoadArgs, ReportArgs, RunArgs, SelftestArgs, Started, Target, as_given,
        handbook, usage_error,
    },
    compare::{self, Compared},
    health,
    measure::Measured,
    present::{gates, html, layout::Layout, table},
    report::{GateReport, Run},
    run,
    saved::SavedReports,
    scenario::Schedule,
    stop::{Stop, Stopper},
    ui::{
        console::{Screen, say},
        file::{ReportFile, is_stdout},
    },
};

#[cfg(feature = "embedded")]
use load_client::{
    lab::{Lab, LabError},
    selftest,
};

use files::{Files, FilesError};

/// What was asked for cannot be done, as clap has it too.
const EXIT_USAGE: u8 = 2;

#[tokio::main]
async fn main() -> ExitCode {
    let Started { cli, command } = cli::parse();
    let stopper = Arc::new(Stopper::default());
    tokio::spawn(signals::listen(Arc::clone(&stopper)));
    let result = match cli.command {
        Command::Run(args) => run_one(&args, command, &stopper).await,
        Command::Compare(args) => run_comparison(&args, command, &stopper).await,
        Command::Selftest(args) => prove(&args, &stopper).await,
        Command::Report(args) => show_saved(&args),
        Command::Health(args) => health(&args),
        Command::Completions { shell } => print(&handbook::completions(shell)),
        Command::Man { folder: None } => print(&handbook::manual()),
        Command::Man { folder: Some(folder) } => write_manuals(&folder),
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            say(&format!("load-client: {}", as_given(&error)));
            ExitCode::FAILURE
        }
    }
}

/// Prints what another program reads.
fn print(bytes: &[u8]) -> Result<ExitCode, Failure> {
    let screen = Screen::default();
    screen.write(bytes);
    screen.finish()?;
    Ok(ExitCode::SUCCESS)
}

fn write_manuals(folder: &Path) -> Result<ExitCode, Failure> {
    handbook::write_manuals(folder).map_err(|error| format!("cannot write to {}: {error}", folder.display()))?;
    Ok(ExitCode::SUCCESS)
}

fn health(args: &HealthArgs) -> Result<ExitCode, Failure> {
    if let Err(error) = health::ask(&args.prometheus_addr, args.timeout) {
        say(&format!("http://{}: {error}", args.prometheus_addr));
        return Ok(ExitCode::FAILURE);
    }
    print(format!("http://{}: alive\n", args.prometheus_addr).as_bytes())
}

/// The exit code of runs that went well and have a rule that is met, or that cannot be judged.
const GATED: u8 = 99;

type Failure = Box<dyn std::error::Error>;

/// Opens the files, or says which cannot be written.
fn open(output: &cli::OutputArgs, command: String) -> Result<Files, Failure> {
    match Files::open(output, command) {
        Err(same @ FilesError::Same { .. }) => usage_error(same),
        files => Ok(files?),
    }
}

fn show_saved(args: &ReportArgs) -> Result<ExitCode, Failure> {
    let saved = SavedReports::read(&args.files, &args.against)?;
    let page = args.html.as_deref().map(ReportFile::open).transpose()?;
    let screen = Screen::new(args.html.as_deref().is_some_and(is_stdout));
    screen.show(&saved.text(screen.layout())?);
    if let Some(page) = page {
        // A page is as wide as its reader likes.
        let changes = saved.text(Layout { width: 200 })?;
        page.write(|mut out| html::write(&mut out, &saved.page(&changes)))?;
    }
    screen.finish()?;
    Ok(ExitCode::SUCCESS)
}

async fn run_one(args: &RunArgs, command: String, stopper: &Arc<Stopper>) -> Result<ExitCode, Failure> {
    let mut schedule = schedule(&args.load);
    if args.align {
        // The one place where a run looks at the time of day. A clock before 1970 is as good as one that shows 1970.
        schedule = schedule.joined_at(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default());
    }
    let files = open(&args.output, command)?;
    let screen = files.screen();
    let measured = match run::run(args, schedule, stopper).await {
        Err(error) if error.is_usage() => return Ok(wrong(&error)),
        measured => measured?,
    };
    screen.show(&table::single(&measured.report, screen.layout()));
    show_gates(&screen, std::slice::from_ref(&measured.report));
    let code = judge(std::slice::from_ref(&measured), &stopper.listener());
    files.write(args.load.seed, vec![measured.report])?;
    screen.finish()?;
    Ok(code)
}

/// Says what was asked for and cannot be, in one line.
fn wrong(error: &dyn std::error::Error) -> ExitCode {
    say(&format!("load-client: {}", as_given(error)));
    ExitCode::from(EXIT_USAGE)
}

fn schedule(load: &LoadArgs) -> Schedule {
    load.schedule().unwrap_or_else(|error| usage_error(error))
}

async fn run_comparison(args: &CompareArgs, command: String, stopper: &Arc<Stopper>) -> Result<ExitCode, Failure> {
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
    if args.target.is_empty() {
        return compare_strategies(args, command, stopper).await;
    }
    let load = load_of_targets(args);
    let schedule = schedule(&load);
    compare::check_targets(&load, &schedule).unwrap_or_else(|error| usage_error(error));
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

/// Shows what became of a comparison, and writes it down.
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
    files.write(seed, runs)?;
    screen.finish()?;
    Ok(if compared.failed.is_empty() {
        code
    } else {
        ExitCode::FAILURE
    })
}

fn show_gates(screen: &Screen, runs: &[Run]) {
    let gates = gates::gates(runs, screen.layout());
    if !gates.is_empty() {
        screen.show_gates(&gates);
    }
}

fn comparison(measured: &[Measured], layout: Layout) -> String {
    let runs: Vec<Run> = measured.iter().map(|measured| measured.report.clone()).collect();
    table::comparison(&runs, layout)
}

/// Says what does not add up, and what a reader should know; and whether the runs have failed.
fn judge(measured: &[Measured], stop: &Stop) -> ExitCode {
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

/// Why a load has no request.
fn no_request(report: &Run) -> String {
    if report.load.arrival == Schedule::AsFastAsPossible.label() {
        return "nothing was sent".to_owned();
    }
    let judged = Duration::try_from_secs_f64(report.load.duration_seconds).unwrap_or_default();
    format!("the schedule has no request within {judged:.1?}; give a longer --duration or a higher rate")
}

/// The lab that is asked for: a file, or the worked example, with the flags laid over it.
#[cfg(feature = "embedded")]
fn lab(args: &CompareArgs) -> Result<Lab, LabError> {
    let mut lab = args.file.as_deref().map_or_else(|| Ok(Lab::built_in()), Lab::read)?;
    lab.lay_load(args.load.words());
    lab.lay_service(args.service.words())?;
    lab.keep(&args.strategy)?;
    Ok(lab)
}

/// The load on running services: that of a lab, if there is one, under the flags.
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
    // A lab file is run once. As fast as possible, without a clock that goes on, would never end.
    let again = args.file.is_none() && !endless && !args.virtual_time;
    if again {
        compare::check_again(&strategies).unwrap_or_else(|error| usage_error(error));
    }
    let files = open(&args.output, command)?;
    let screen = files.screen();
    let mut all = Compared::default();
    if let (Some(_), Some(title)) = (&args.file, lab.title()) {
        screen.show(&format!("{title}\n"));
    }
    screen.show(&compare::introduction(&strategies, args.virtual_time, screen.layout()));
    if !args.virtual_time {
        let compared = compare::in_real_time(&strategies, args, stopper).await?;
        screen.show(&comparison(&compared.measured, screen.layout()));
        all.extend(compared);
    }
    if args.virtual_time || (again && !stopper.listener().asked()) {
        if again {
            screen.show(&compare::virtual_introduction(&strategies));
        }
        let compared = compare::in_virtual_time(&strategies, args, stopper).await?;
        screen.show(&comparison(&compared.measured, screen.layout()));
        all.extend(compared);
    }
    let seed = strategies.first().map_or(1, |strategy| strategy.load.seed);
    finish(seed, all, files, screen, stopper)
}

/// What a build without services of its own says where it would need them.
#[cfg(not(feature = "embedded"))]
const NOT_EMBEDDED: &str =
    "this build has no services of its own (feature `embedded`); name running ones with --target NAME=process:URL";

#[cfg(not(feature = "embedded"))]
#[expect(clippy::unused_async, reason = "the pair of the one above")]
async fn compare_strategies(_: &CompareArgs, _: String, _: &Arc<Stopper>) -> Result<ExitCode, Failure> {
    usage_error(NOT_EMBEDDED)
}

#[cfg(feature = "embedded")]
async fn prove(args: &SelftestArgs, stopper: &Arc<Stopper>) -> Result<ExitCode, Failure> {
    let screen = Screen::default();
    screen.show(&selftest::introduction(screen.layout()));
    let findings = selftest::run(stopper, args.progress.manner()).await;
    screen.show(&selftest::shown(&findings, screen.layout()));
    screen.finish()?;
    Ok(if findings.all_agree() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

#[cfg(not(feature = "embedded"))]
#[expect(clippy::unused_async, reason = "the pair of the one above")]
async fn prove(_: &SelftestArgs, _: &Arc<Stopper>) -> Result<ExitCode, Failure> {
    usage_error("this build has no services of its own to be proved on (feature `embedded`)")
}
