//! The command line: every flag, its environment variable, default, range and unit; and the exit codes.

mod call;
mod capacity;
mod check;
mod choices;
mod compare;
mod connection;
mod decided;
mod gates;
mod given;
pub mod handbook;
mod hints;
mod load;
mod metadata;
mod output;
mod policy;
mod priorities;
mod secrets;
#[cfg(feature = "embedded")]
mod service;
mod stages;
mod sweep;
mod target;
mod tls;
mod trace;
mod typed;
mod values;

use std::{path::PathBuf, time::Duration};

use clap::{Args, CommandFactory, Parser, Subcommand, ValueHint, error::ErrorKind};
use clap_complete::Shell;
use foo_flags::Address;

#[cfg(feature = "embedded")]
pub use self::service::ServiceFlags;
pub use self::{
    call::CallArgs,
    capacity::{CapacityArgs, SearchArgs},
    check::modified_by,
    compare::{CompareArgs, Theory},
    connection::ConnectionArgs,
    gates::{GateArgs, check_classes},
    given::{Given, Words},
    load::{Defaults, DrainLimit, LoadArgs, OPEN_LOOP},
    output::{OutputArgs, ProgressArgs},
    sweep::SweepArgs,
    target::Target,
    tls::TlsArgs,
    values::Factors,
};
use crate::{transport::url::Url, ui::console::say};

/// Drives a gRPC service with many clients and reports honestly what happened.
///
/// Exit codes: 0 if the run succeeded; 1 if it failed (no request could be sent, none succeeded, or the counts do not add
/// up); 2 for a usage error; 99 if the run succeeded and a --fail-if or --abort-if rule is true. Rejected requests fail a
/// run only if a rule says so. Ctrl-C stops a run early and prints the report so far.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true)]
pub struct Cli {
    /// The subcommand with its flags.
    #[command(subcommand)]
    pub command: Command,
}

/// What the program is to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Drive one running service
    Run(Box<RunArgs>),
    /// Compare strategies side by side: the built-in example, which starts its own services, or running services
    Compare(Box<CompareArgs>),
    /// Find the highest rate that a running service holds, in a few minutes
    ///
    /// The rate doubles until the service does not hold it, and then closes in. Every test begins with a time to settle.
    /// The highest rate that held is tested again for longer, and the answer comes from that test: a rate that holds and a
    /// rate that does not. Requests are always sent on schedule (open loop).
    ///
    /// It exits with 0 if there is an answer. It exits with 1 if no rate holds, if the load client itself is the limit (then
    /// the capacity is at least the rate that is shown), if a rule cannot be judged, or if the search was stopped.
    Capacity(Box<CapacityArgs>),
    /// Measure the goodput of each strategy of a lab from a tenth of the capacity to ten times the capacity
    ///
    /// Each strategy has its own services, which the command starts. At each load all strategies run at the same time, as with
    /// `compare`. The result is a curve for each strategy beside the ideal: the offered load up to the capacity, and the
    /// capacity above it.
    Sweep(Box<SweepArgs>),
    /// Test the measurements themselves, in about 12 s: measure services with known faults and check every figure
    ///
    /// Services in this process freeze, delay, reject, lose, drop and die in a known way, over loopback and in real time. The
    /// command measures them as `run` measures any service. It exits with 0 if all figures are right. It exits with 1 if a
    /// figure is wrong, if an experiment could not be made or was stopped, or if this machine is too busy to tell.
    Selftest(SelftestArgs),
    /// Show a saved report again, or compare several
    Report(ReportArgs),
    /// Check that a running load client is alive: exit with 0 if it is, with 1 if not
    Health(HealthArgs),
    /// Print the completions for a shell. Put this into its startup file: source <(load-client completions bash)
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Print the manual page, or write all manual pages into a folder
    Man {
        /// An existing folder, like /usr/local/share/man/man1
        folder: Option<PathBuf>,
    },
}

/// The flags of `load-client run`.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// URL of the service: http://host:port, or https://host:port for TLS. With several URLs, separated by commas, the
    /// connections are distributed round-robin. dns:///host:port means all addresses of a name; the name is resolved again
    /// for every connection
    #[arg(
        env = "LOAD_URL",
        hide_env_values = true,
        value_hint = ValueHint::Url,
        value_name = "URL",
        required = true,
        value_delimiter = ','
    )]
    pub urls: Vec<Url>,

    /// The RPC method and the message.
    #[command(flatten)]
    pub call: CallArgs,

    /// When requests are sent, and how many.
    #[command(flatten)]
    pub load: LoadArgs,

    /// Align the stages with the clock, as if they had been repeating since 1970. Runs that start at different times are
    /// then always in the same stage
    #[arg(long, env = "LOAD_ALIGN", requires = "repeat", help_heading = "Load")]
    pub align: bool,

    /// The rules that fail a run.
    #[command(flatten)]
    pub gates: GateArgs,

    /// How connections are opened and kept.
    #[command(flatten)]
    pub connection: ConnectionArgs,

    /// How TLS is used, if a URL asks for it.
    #[command(flatten)]
    pub tls: TlsArgs,

    /// What is shown, and which report files are written.
    #[command(flatten)]
    pub output: OutputArgs,

    /// Address for live metrics of the run, as HOST:PORT, such as localhost:9465. Prometheus reads /metrics; /livez answers
    /// health checks
    #[arg(long, env = "LOAD_PROMETHEUS_ADDR", value_name = "ADDR", value_hint = ValueHint::Hostname, help_heading = "Output")]
    pub prometheus_addr: Option<Address>,
}

/// The flags of `load-client selftest`.
#[derive(Debug, Args)]
pub struct SelftestArgs {
    /// What to show while it runs.
    #[command(flatten)]
    pub progress: ProgressArgs,
}

/// The flags of `load-client report`.
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// Reports that --json has written. One file: show it again. Several: compare each of them with the first
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,

    /// Report to compare with instead of the first file. Repeatable: with several runs under the same conditions, the
    /// comparison says whether a change is larger than the differences among them
    #[arg(long, value_name = "FILE")]
    pub against: Vec<PathBuf>,

    /// Also write one HTML page with the runs of all reports in the same charts
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
}

/// The flags of `load-client health`.
#[derive(Debug, Args)]
pub struct HealthArgs {
    /// Address of its metrics
    #[arg(
        long,
        env = "LOAD_PROMETHEUS_ADDR",
        value_name = "ADDR",
        value_hint = ValueHint::Hostname,
        default_value = "127.0.0.1:9465"
    )]
    pub prometheus_addr: Address,
    /// Time limit for the answer
    #[arg(long, default_value = "2s", value_parser = values::positive_duration)]
    pub timeout: Duration,
}

/// What the command line and the environment ask for.
#[derive(Debug)]
pub struct Started {
    /// The subcommand with the values of its flags.
    pub cli: Cli,
    /// The command line that starts the same again, without credentials: for the report.
    pub command: String,
}

/// Reads the command line and the environment, and warns of variables that no flag knows. Does not return if there is
/// nothing to run; see [`foo_flags::parse_with_hints`].
pub fn parse() -> Started {
    let parsed = foo_flags::parse_with_hints::<Cli>("LOAD_", &hints::HINTS);
    for warning in &parsed.warnings {
        say(&format!("load-client: {warning}"));
    }
    Started {
        command: typed::line(&Cli::command(), &parsed.matches),
        cli: parsed.cli,
    }
}

/// The text of an error, with the environment variable in place of each flag that has its value from one.
pub fn as_given(error: &(impl std::fmt::Display + ?Sized)) -> String {
    foo_flags::as_given::<Cli>(&error.to_string())
}

/// Ends the program with a usage error and exit code 2.
pub fn usage_error(message: impl std::fmt::Display) -> ! {
    let message = as_given(&message);
    let mut program = Cli::command();
    program.build();
    // The usage line is that of the command that was called.
    let called = std::env::args().nth(1).unwrap_or_default();
    match program.find_subcommand_mut(called) {
        Some(command) => command.error(ErrorKind::ValueValidation, message).exit(),
        None => program.error(ErrorKind::ValueValidation, message).exit(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flags_do_not_contradict_each_other() {
        Cli::command().debug_assert();
    }
}
