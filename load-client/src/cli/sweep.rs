//! `load-client sweep`: its flags.

use std::path::PathBuf;

use clap::Args;

#[cfg(feature = "embedded")]
use super::service::ServiceFlags;
use super::{
    decided::{Decides, LoadWithout},
    output::OutputArgs,
    values::{Factors, factors},
};

/// `load-client sweep`.
#[derive(Debug, Args)]
pub struct SweepArgs {
    /// Lab file with the load, the strategies and their services (docs/labs.md); its rate does not count. Default: a built-in
    /// lab with five strategies
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,

    /// Run in virtual time: minutes take seconds, and the same seed gives exactly the same report
    #[arg(long, env = "LOAD_VIRTUAL_TIME")]
    pub virtual_time: bool,

    /// Run only this strategy. Repeatable
    #[arg(long, env = "LOAD_STRATEGY", value_name = "NAME", value_delimiter = ',')]
    pub strategy: Vec<String>,

    /// Loads to measure, as multiples of the capacity of the service (workers / service time; the lowest if strategies have
    /// different services)
    #[arg(
        long,
        env = "LOAD_FACTORS",
        value_name = "FACTORS",
        default_value = "0.1,0.2,0.3,0.4,0.5,0.6,0.7,0.8,0.9,1,1.1,1.2,1.5,2,3,5,7,10",
        value_parser = factors
    )]
    pub factors: Factors,

    /// The load.
    #[command(flatten)]
    pub load: LoadWithout<OfSweep>,

    /// The services that are started.
    #[cfg(feature = "embedded")]
    #[command(flatten)]
    pub service: ServiceFlags,

    /// Also write the picture as SVG, for light and dark pages. An older file of that name is removed when the run begins
    #[arg(long, env = "LOAD_SVG", value_name = "FILE", help_heading = "Output")]
    pub svg: Option<PathBuf>,

    /// What to show.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// The sweep decides the rates, and each strategy decides its RPC.
#[derive(Debug, Clone, Copy)]
pub struct OfSweep;

impl Decides for OfSweep {
    const FLAGS: &'static [&'static str] = &[
        "mode",
        "rps",
        "rps-per-client",
        "requests",
        "stages",
        "repeat",
        "trace",
        "trace-time-column",
        "trace-time-unit",
        "trace-time-zone",
        "trace-separator",
        "trace-demand-column",
        "trace-demand-unit",
        "speed",
    ];
    const INSTEAD: &'static str =
        "the sweep decides the rates, and each strategy has its own RPC; --factors says which rates there are";
}
