//! The flags of `load-client compare`.

use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};

#[cfg(feature = "embedded")]
use super::service::{self, ServiceFlags};
use super::{
    connection::ConnectionArgs,
    gates::GateArgs,
    given::Given,
    load::LoadArgs,
    output::OutputArgs,
    target::{self, Target},
    tls::TlsArgs,
    values,
};

/// The flags of `load-client compare`.
#[derive(Debug, Args)]
pub struct CompareArgs {
    /// Lab file with the load, strategies and events of a comparison (docs/labs.md). Default: the built-in example
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,

    /// Print the comparison as a lab file, flags included, and do not run it
    #[arg(long, conflicts_with = "target")]
    pub print_lab: bool,

    /// Run in virtual time only: an hour takes seconds, and the same seed gives exactly the same report
    #[arg(long, env = "LOAD_VIRTUAL_TIME", conflicts_with = "target")]
    pub virtual_time: bool,

    /// Add a strategy whose queue is on this NATS server, as nats://HOST:PORT or tls://HOST:PORT: async-durable, in which one
    /// service accepts and two share the work. With a lab file: the server for the strategies whose services share a queue. Real
    /// time only. The queue has a name of its own, and is deleted at the end
    #[arg(
        long,
        env = "LOAD_NATS",
        hide_env_values = true,
        value_hint = ValueHint::Url,
        value_name = "URL",
        value_parser = values::nats_servers,
        conflicts_with = "target"
    )]
    pub nats: Option<String>,

    /// Run only this strategy. Repeatable [in the built-in example: async-unbounded, async-scaled, async-bounded, sync,
    /// sync-shed; async-durable with --nats]
    #[arg(
        long,
        env = "LOAD_STRATEGY",
        value_name = "NAME",
        conflicts_with = "target",
        value_delimiter = ','
    )]
    pub strategy: Vec<String>,

    /// Running service to compare instead, as NAME=enqueue:URL or NAME=process:URL, depending on the RPC to call. NAME=URL
    /// calls the RPC of --mode. Repeatable
    #[arg(
        long,
        env = "LOAD_TARGET",
        hide_env_values = true,
        value_hint = ValueHint::Url,
        value_name = "NAME=RPC:URL",
        value_parser = target::target,
        value_delimiter = ','
    )]
    #[cfg_attr(feature = "embedded", arg(conflicts_with_all = service::IDS))]
    pub target: Vec<Target>,

    /// Whether the report says what queueing theory predicts for each strategy that it has a model of, and whether the run
    /// agrees. Theory needs --arrival poisson
    #[arg(
        long,
        env = "LOAD_THEORY",
        value_name = "WHETHER",
        default_value = "on",
        conflicts_with = "target",
        help_heading = "Output"
    )]
    pub theory: Theory,

    /// When requests are sent, and how many. It remembers the flags that were given.
    #[command(flatten)]
    pub load: Given<LoadArgs>,

    /// The services that are started.
    #[cfg(feature = "embedded")]
    #[command(flatten)]
    pub service: ServiceFlags,

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
}

/// Whether theory stands beside what was measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Theory {
    /// Where a model applies
    On,
    /// Never
    Off,
}
