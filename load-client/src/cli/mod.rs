//! The command line: every flag, its environment variable, default, range and unit; and the exit codes.

mod call;
mod check;
mod choices;
mod connection;
mod gates;
mod given;
pub mod handbook;
mod load;
mod metadata;
mod output;
#[cfg(feature = "embedded")]
mod service;
mod stages;
mod target;
mod tls;
mod trace;
mod typed;
mod values;

use std::{path::PathBuf, time::Duration};

use clap::{Args, CommandFactory, Parser, Subcommand, error::ErrorKind};
use clap_complete::Shell;
use foo_flags::Address;

#[cfg(feature = "embedded")]
pub use self::service::ServiceFlags;
pub use self::{
    call::CallArgs,
    connection::ConnectionArgs,
    gates::GateArgs,
    given::{Given, Words},
    load::{Defaults, DrainLimit, LoadArgs},
    output::{OutputArgs, ProgressArgs},
    target::Target,
    tls::TlsArgs,
};
use crate::{transport::url::Url, ui::console::say};

/// Drives a gRPC service with many clients and reports honestly what happened.
///
/// Exits with 0 if the run went well, with 1 if it failed (nothing could be sent, nothing succeeded, the counts do not
/// add up), with 2 for usage, with 99 if it went well and a --fail-if or --abort-if is met. Refusals do not fail a run
/// unless a gate says so. Ctrl-C ends a run early, with the report so far.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Drive one running service
    Run(Box<RunArgs>),
    /// Show strategies side by side: the worked example on services of its own, or running services
    Compare(Box<CompareArgs>),
    /// Prove the measuring itself, in about 12 s: what is reported of services with known faults beside what it must be
    ///
    /// Services in this process freeze, delay, refuse, lose, drop and die in a known way, over loopback and in real time, and
    /// are measured as `run` measures any other. Exits with 0 if all figures are what they must be; with 1 if one is not, if
    /// an experiment could not be made or was stopped, or if this machine is too busy for it to be told.
    Selftest(SelftestArgs),
    /// Show saved reports again, or what has changed from one to the next
    Report(ReportArgs),
    /// Ask a running load client whether it is alive; exit with 0 if it is, with 1 if not
    Health(HealthArgs),
    /// Print the completions of a shell, for its startup file: source <(load-client completions bash)
    Completions {
        /// Which shell
        shell: Shell,
    },
    /// Print the manual page, or write it and those of the commands into a folder
    Man {
        /// An existing folder, like /usr/local/share/man/man1
        folder: Option<PathBuf>,
    },
}

/// `load-client run`.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// The service, as http://host:port or, over TLS, https://host:port. Of several that serve the same, each gets its turn
    /// of the connections; dns:///host:port stands for all addresses of a name, asked for whenever a connection is made
    #[arg(
        env = "LOAD_URL",
        hide_env_values = true,
        value_name = "URL",
        required = true,
        value_delimiter = ','
    )]
    pub urls: Vec<Url>,

    /// What is called.
    #[command(flatten)]
    pub call: CallArgs,

    /// The load.
    #[command(flatten)]
    pub load: LoadArgs,

    /// Begin within the stages where the clock is, as if they had been repeating since 1970: runs that are started apart
    /// are in the same stage at the same time
    #[arg(long, env = "LOAD_ALIGN", requires = "repeat", help_heading = "Load")]
    pub align: bool,

    /// What must not be.
    #[command(flatten)]
    pub gates: GateArgs,

    /// How its connections behave.
    #[command(flatten)]
    pub connection: ConnectionArgs,

    /// How it is reached.
    #[command(flatten)]
    pub tls: TlsArgs,

    /// What to show.
    #[command(flatten)]
    pub output: OutputArgs,

    /// Serve live metrics of the run for Prometheus, as HOST:PORT, such as localhost:9465; /metrics has them, /livez answers
    /// health checks
    #[arg(long, env = "LOAD_PROMETHEUS_ADDR", value_name = "ADDR", help_heading = "Output")]
    pub prometheus_addr: Option<Address>,
}

/// `load-client compare`.
#[derive(Debug, Args)]
pub struct CompareArgs {
    /// A lab file: load, strategies and events of a comparison (docs/labs.md). Without it, the worked example
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,

    /// Write the lab that would be run, flags included, as a lab file to standard output, and run nothing
    #[arg(long, conflicts_with = "target")]
    pub print_lab: bool,

    /// Only in virtual time: an hour takes seconds, and the same seed gives the same bytes
    #[arg(long, env = "LOAD_VIRTUAL_TIME", conflicts_with = "target")]
    pub virtual_time: bool,

    /// Only this strategy; may be repeated [of the worked example: async-unbounded, async-scaled, async-bounded, sync,
    /// sync-shed]
    #[arg(
        long,
        env = "LOAD_STRATEGY",
        value_name = "NAME",
        conflicts_with = "target",
        value_delimiter = ','
    )]
    pub strategy: Vec<String>,

    /// Compare a running service instead, as NAME=enqueue:URL or NAME=process:URL after the RPC to call. --mode is the RPC
    /// of a NAME=URL without one. Repeatable
    #[arg(long, env = "LOAD_TARGET", value_name = "NAME=RPC:URL", value_parser = target::target, value_delimiter = ',')]
    pub target: Vec<Target>,

    /// The load.
    #[command(flatten)]
    pub load: Given<LoadArgs>,

    /// The services that are started.
    #[cfg(feature = "embedded")]
    #[command(flatten)]
    pub service: ServiceFlags,

    /// What must not be.
    #[command(flatten)]
    pub gates: GateArgs,

    /// How its connections behave.
    #[command(flatten)]
    pub connection: ConnectionArgs,

    /// How it is reached.
    #[command(flatten)]
    pub tls: TlsArgs,

    /// What to show.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `load-client selftest`.
#[derive(Debug, Args)]
pub struct SelftestArgs {
    /// What to show while it runs.
    #[command(flatten)]
    pub progress: ProgressArgs,
}

/// `load-client report`.
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// Reports as --json writes them. One is shown again; of more, each figure of the first beside that of every other, with
    /// the change
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,

    /// What to compare with instead; may be repeated, for runs under the same conditions: a change is then held against
    /// what these differ by among themselves
    #[arg(long, value_name = "FILE")]
    pub against: Vec<PathBuf>,

    /// Also write the reports to a file, as one page for a browser: the runs of all of them in the same charts
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
}

/// `load-client health`.
#[derive(Debug, Args)]
pub struct HealthArgs {
    /// Where it serves its metrics
    #[arg(
        long,
        env = "LOAD_PROMETHEUS_ADDR",
        value_name = "ADDR",
        default_value = "127.0.0.1:9465"
    )]
    pub prometheus_addr: Address,
    /// How long it may take to answer
    #[arg(long, default_value = "2s", value_parser = values::positive_duration)]
    pub timeout: Duration,
}

/// Where a service's own settings are.
const OF_THE_SERVICE: &str =
    "it is a setting of the service: start foo-service with it; for its own services `load-client compare` takes it";
/// Flags of other tools, and of the service, that are not here.
const HINTS: [(&str, &str); 16] = [
    ("--plaintext", "write the URL with http://, which is without TLS"),
    ("--skipTLS", "--insecure does not verify the server's certificate"),
    ("--skip-tls", "--insecure does not verify the server's certificate"),
    ("--vus", "--clients sets the number of clients"),
    ("--qps", "--rps sets the rate"),
    ("--body", "--data has the message"),
    ("--body-file", "--data-file names the file with the message"),
    ("--protoset", "--descriptor-set names the file that protoc has written"),
    (
        "--async",
        "--max-in-flight sets how many requests a client sends without waiting for answers",
    ),
    ("--output", "--json, --csv and --html name files for the report"),
    ("--format", "--json, --csv and --html name files for the report"),
    ("--workers", OF_THE_SERVICE),
    ("--service-time", OF_THE_SERVICE),
    ("--queue-capacity", OF_THE_SERVICE),
    ("--max-waiting", OF_THE_SERVICE),
    (
        "--capacity",
        "capacity is workers / service time: set --workers and --service-time of the service",
    ),
];

/// What the program was started with.
#[derive(Debug)]
pub struct Started {
    /// The values.
    pub cli: Cli,
    /// The command line that starts the same again, without credentials: for the report.
    pub command: String,
}

/// Reads the command line and the environment, and warns of variables that no flag knows. Does not return if there is
/// nothing to run; see [`foo_flags::parse_with_hints`].
pub fn parse() -> Started {
    let parsed = foo_flags::parse_with_hints::<Cli>("LOAD_", &HINTS);
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

/// Ends the program with a usage error that names what is wrong.
pub fn usage_error(message: impl std::fmt::Display) -> ! {
    let message = as_given(&message);
    let mut program = Cli::command();
    program.build();
    // The line about usage is that of the command that was called.
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
