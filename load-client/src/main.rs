//! The `load-client` program.

// `print!` and `eprint!` panic if their output is full or closed; `say` and `Screen` do not.
#![warn(clippy::print_stderr, clippy::print_stdout)]

mod comparison;
mod curves;
mod ending;
mod files;
mod signals;

use std::{
    path::Path,
    process::ExitCode,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

#[cfg(feature = "embedded")]
use load_client::selftest;
use load_client::{
    cli::{self, Command, HealthArgs, ReportArgs, RunArgs, SelftestArgs, Started, as_given, handbook},
    health,
    present::{html, table},
    run,
    saved::SavedReports,
    stop::Stopper,
    ui::{
        console::{Screen, say},
        file::{ReportFile, is_stdout},
    },
};

use comparison::run_comparison;
use ending::{Failure, judge, open, print, schedule, show_gates, wrong};

#[tokio::main]
async fn main() -> ExitCode {
    let Started { cli, command } = cli::parse();
    let stopper = Arc::new(Stopper::default());
    tokio::spawn(signals::listen(Arc::clone(&stopper)));
    let result = match cli.command {
        Command::Run(args) => run_one(&args, command, &stopper).await,
        Command::Compare(args) => run_comparison(&args, command, &stopper).await,
        Command::Capacity(args) => curves::capacity(&args, command, &stopper).await,
        Command::Sweep(args) => curves::sweep(&args, command, &stopper).await,
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

fn show_saved(args: &ReportArgs) -> Result<ExitCode, Failure> {
    let saved = SavedReports::read(&args.files, &args.against)?;
    let page = args.html.as_deref().map(ReportFile::open).transpose()?;
    let screen = Screen::new(args.html.as_deref().is_some_and(is_stdout));
    let changes = saved.changes()?;
    screen.show(&saved.text(&changes, screen.layout()));
    if let Some(page) = page {
        page.write(|mut out| html::write(&mut out, &saved.page(&changes)))?;
    }
    screen.finish()?;
    Ok(ExitCode::SUCCESS)
}

async fn run_one(args: &RunArgs, command: String, stopper: &Arc<Stopper>) -> Result<ExitCode, Failure> {
    let mut schedule = schedule(&args.load);
    if args.align {
        // The one place where a run looks at the time of day. A clock that shows a time before 1970 counts as 1970.
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
    let report = files.report(args.load.seed, vec![measured.report]);
    files.write(&report)?;
    screen.finish()?;
    Ok(code)
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
    cli::usage_error("this build has no services of its own to be proved on (feature `embedded`)")
}
