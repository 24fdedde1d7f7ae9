//! `load-client capacity`: its flags.

use std::time::Duration;

use clap::{Args, ValueHint};

use super::{
    call::CallArgs,
    connection::ConnectionArgs,
    decided::{Decides, LoadWithout},
    output::OutputArgs,
    tls::TlsArgs,
    values::{positive_duration, positive_rate, share},
};
use crate::{gates::Rule, search::SearchSettings, transport::url::Url};

/// `load-client capacity`.
#[derive(Debug, Args)]
pub struct CapacityArgs {
    /// URL of the service, as for `run`. Several URLs, separated by commas, are instances of one service
    #[arg(
        env = "LOAD_URL",
        hide_env_values = true,
        value_hint = ValueHint::Url,
        value_name = "URL",
        required = true,
        value_delimiter = ','
    )]
    pub urls: Vec<Url>,

    /// How to search.
    #[command(flatten)]
    pub search: SearchArgs,

    /// Rule that says when a rate is too high, as for `run`: a rate holds if no rule is true. Repeatable. Besides, a rate does
    /// not hold if the response times grow for as long as the test lasts. --slo sets the time within which goodput counts
    #[arg(
        long,
        env = "LOAD_FAIL_IF",
        value_name = "RULE",
        default_value = "goodput<99%",
        value_delimiter = ',',
        help_heading = "Gates"
    )]
    pub fail_if: Vec<Rule>,

    /// The RPC method and the message.
    #[command(flatten)]
    pub call: CallArgs,

    /// The load.
    #[command(flatten)]
    pub load: LoadWithout<OfCapacity>,

    /// How the connections behave.
    #[command(flatten)]
    pub connection: ConnectionArgs,

    /// How TLS is used.
    #[command(flatten)]
    pub tls: TlsArgs,

    /// What to show.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// The flags of the search.
#[derive(Debug, Clone, Copy, Args)]
#[command(next_help_heading = "Search")]
pub struct SearchArgs {
    /// First rate to test, in requests per second. If it holds, the rate doubles until one fails; if not, it halves until one
    /// holds, up to four times
    #[arg(long, env = "LOAD_FIRST_RPS", value_name = "RPS", default_value = "10", value_parser = positive_rate)]
    first_rps: f64,

    /// Highest rate to test, in requests per second
    #[arg(long, env = "LOAD_MAX_RPS", value_name = "RPS", default_value = "1m", value_parser = positive_rate)]
    max_rps: f64,

    /// How close the highest rate that holds and the lowest rate that fails must be, as a share
    #[arg(long, env = "LOAD_PRECISION", value_name = "SHARE", default_value = "2%", value_parser = precision)]
    precision: f64,

    /// Time before each test in which the load is on and nothing is judged
    #[arg(long, env = "LOAD_SETTLE", value_name = "TIME", default_value = "3s", value_parser = positive_duration)]
    pub settle: Duration,

    /// Length of each test; longer at low rates, so that a test has 20 requests, but at most 30 s
    #[arg(long, env = "LOAD_TEST", value_name = "TIME", default_value = "5s", value_parser = positive_duration)]
    pub test: Duration,

    /// Length of the last test, at the highest rate that held. The answer comes from it alone
    #[arg(long, env = "LOAD_LAST_TEST", value_name = "TIME", default_value = "30s", value_parser = positive_duration)]
    pub last_test: Duration,
}

impl SearchArgs {
    /// The range and the precision of the search.
    pub fn settings(&self) -> SearchSettings {
        SearchSettings {
            first: self.first_rps,
            highest: self.max_rps,
            precision: self.precision,
        }
    }
}

/// The search decides the rate and the length of each test, and sends on schedule (open loop).
#[derive(Debug, Clone, Copy)]
pub struct OfCapacity;

impl Decides for OfCapacity {
    const FLAGS: &'static [&'static str] = &[
        "rps",
        "rps-per-client",
        "duration",
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
        "max-in-flight",
        "when-blocked",
        "warmup",
    ];
    const INSTEAD: &'static str = "the search decides the rates, and clients never wait for answers; --first-rps, \
                                   --max-rps, --settle, --test and --last-test say how it searches";
}

/// Reads a share from 0.1 % to 50 %.
fn precision(text: &str) -> Result<f64, String> {
    let share = share(text)?;
    if (0.001..=0.5).contains(&share) {
        Ok(share)
    } else {
        Err("must be from 0.1% to 50%".to_owned())
    }
}
