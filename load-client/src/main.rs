//! The `load-client` program.

use std::{
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
};

use clap::Parser;
use load_client::{
    cli::{Cli, Command, CompareArgs, OutputArgs, RunArgs, usage_error},
    compare,
    measure::Measured,
    output::{json, table},
    report::{Report, Run, SCHEMA},
    run,
    scenario::Schedule,
    stop::{Stop, Stopper},
};

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let stopper = Stopper::default();
    let stop = stopper.listener();
    tokio::spawn(listen_for_ctrl_c(stopper));
    let result = match cli.command {
        Command::Run(args) => run_one(&args, stop).await,
        Command::Compare(args) => run_comparison(&args, stop).await,
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            eprintln!("load-client: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Prints a part of the report. Whoever reads it may have seen enough and gone: the run goes on, and so does its file.
fn show(text: &str) {
    let _ = writeln!(io::stdout(), "{text}");
}

type Failure = Box<dyn std::error::Error>;

/// The first ends the run with a report, the second does so at once, the third ends the program.
async fn listen_for_ctrl_c(stopper: Stopper) {
    for _ in 0..2 {
        if tokio::signal::ctrl_c().await.is_err() {
            // Without Ctrl-C there is nothing to listen to, and the run must go on.
            std::future::pending::<()>().await;
        }
        stopper.stop();
    }
    let _ = tokio::signal::ctrl_c().await;
    std::process::exit(130);
}

/// Where the JSON report goes, opened before the run.
struct JsonFile(Option<(std::fs::File, PathBuf)>);

impl JsonFile {
    fn open(output: &OutputArgs) -> Result<Self, json::WriteError> {
        let opened = output.json.as_ref().map(|path| Ok((json::open(path)?, path.clone())));
        opened.transpose().map(Self)
    }

    fn write(self, seed: u64, runs: Vec<Run>) -> Result<(), json::WriteError> {
        let Some((file, path)) = self.0 else { return Ok(()) };
        let report = Report {
            schema: SCHEMA.to_owned(),
            seed,
            runs,
        };
        json::write(file, &path, &report)
    }
}

async fn run_one(args: &RunArgs, stop: Stop) -> Result<ExitCode, Failure> {
    let schedule = schedule(&args.load);
    let json = JsonFile::open(&args.output)?;
    let measured = run::run(args, schedule, stop.clone()).await?;
    show(&table::single(&measured.report));
    let code = judge(std::slice::from_ref(&measured), &stop);
    json.write(args.load.seed, vec![measured.report])?;
    Ok(code)
}

fn schedule(load: &load_client::cli::LoadArgs) -> Schedule {
    load.schedule().unwrap_or_else(|error| usage_error(error))
}

async fn run_comparison(args: &CompareArgs, stop: Stop) -> Result<ExitCode, Failure> {
    if args.target.is_empty() && args.load.mode().is_some() {
        usage_error("--mode goes with --target: a strategy of our own has a door of its own");
    }
    let schedule = schedule(&args.load);
    let json = JsonFile::open(&args.output)?;
    let measured = if args.target.is_empty() {
        strategies(args, &schedule, &stop).await?
    } else {
        let measured = compare::targets(args, &schedule, &stop).await?;
        show(&comparison(&measured));
        measured
    };
    let code = judge(&measured, &stop);
    json.write(
        args.load.seed,
        measured.into_iter().map(|measured| measured.report).collect(),
    )?;
    Ok(code)
}

fn comparison(measured: &[Measured]) -> String {
    let runs: Vec<Run> = measured.iter().map(|measured| measured.report.clone()).collect();
    table::comparison(&runs)
}

/// Says what does not add up, and what a reader should know; and whether the runs have failed.
fn judge(measured: &[Measured], stop: &Stop) -> ExitCode {
    let mut failed = false;
    for Measured {
        report,
        imbalances,
        notes,
    } in measured
    {
        for note in notes {
            eprintln!("{}: {note}", report.name);
        }
        for imbalance in imbalances {
            eprintln!("{}: FAILED: {imbalance}", report.name);
            failed = true;
        }
        if stop.asked() {
            continue;
        }
        if report.ledger.intended == 0 {
            eprintln!("{}: FAILED: nothing was sent", report.name);
            failed = true;
        } else if report.ledger.ok == 0 {
            eprintln!("{}: FAILED: nothing succeeded", report.name);
            failed = true;
        }
    }
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

#[cfg(feature = "embedded")]
async fn strategies(args: &CompareArgs, schedule: &Schedule, stop: &Stop) -> Result<Vec<Measured>, Failure> {
    let strategies = compare::Strategy::named(&args.strategy).unwrap_or_else(|error| usage_error(error));
    if args.virtual_time && *schedule == Schedule::AsFastAsPossible {
        usage_error("--rps 0 has no meaning in virtual time: nothing would make the clock go on");
    }
    let mut all = Vec::new();
    show(&compare::introduction(&strategies, args, schedule));
    if !args.virtual_time {
        let measured = compare::in_real_time(&strategies, args, schedule, stop).await?;
        show(&comparison(&measured));
        all.extend(measured);
    }
    // As fast as possible, without a clock that goes on, would never end.
    if !stop.asked() && *schedule != Schedule::AsFastAsPossible {
        if !args.virtual_time {
            show(&compare::virtual_introduction(args, schedule));
        }
        let measured = compare::in_virtual_time(&strategies, args, schedule, stop).await?;
        show(&comparison(&measured));
        all.extend(measured);
    }
    Ok(all)
}

#[cfg(not(feature = "embedded"))]
#[expect(clippy::unused_async, reason = "the pair of the one above")]
async fn strategies(_: &CompareArgs, _: &Schedule, _: &Stop) -> Result<Vec<Measured>, Failure> {
    usage_error("this build has no services of its own (feature `embedded`); name running ones with --target NAME=URL")
}
