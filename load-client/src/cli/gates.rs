//! The flags by which a run is judged.

use clap::Args;

use crate::gates::{Rule, Rules};

/// What must not be.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Gates")]
pub struct GateArgs {
    /// Exit with 99 if this is so; may be repeated. FIGURE>BOUND, with > >= < or <=, like 'p99>250ms', 'rejected>5%',
    /// 'goodput<95%', 'lost>0'; or 'client-limited'
    ///
    /// Times have durations for bounds: pN (p99, p99.9), mean and max, of ok answers or of what stands in brackets: ok,
    /// rejected, expired, unavailable, failed, service-time, time-to-done, queue-wait, start-lag, like
    /// 'p99.9(rejected)>20ms'. Of ok answers and time to done, withheld sends count as never answered.
    ///
    /// Counts have numbers for bounds, or shares of what was intended: ok, rejected, expired, unavailable, failed, withheld,
    /// in-flight, dropped, discarded, lost, unknown, duplicated, done-unacknowledged. Goodput has a share, or a rate, like 80/s.
    #[arg(long, env = "LOAD_FAIL_IF", value_name = "RULE", value_delimiter = ',')]
    fail_if: Vec<Rule>,

    /// Likewise, and stop as soon as it is so, with the report so far: looked at once a second, on what is known by then;
    /// may be repeated
    #[arg(long, env = "LOAD_ABORT_IF", value_name = "RULE", value_delimiter = ',')]
    abort_if: Vec<Rule>,
}

impl GateArgs {
    /// The rules.
    pub fn rules(&self) -> Rules {
        Rules {
            fail_if: self.fail_if.clone(),
            abort_if: self.abort_if.clone(),
        }
    }
}
