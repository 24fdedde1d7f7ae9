//! The flags that judge a run.

use clap::Args;

use crate::{
    gates::{Rule, Rules},
    scenario::Scenario,
};

/// `--fail-if` and `--abort-if`: the rules that a run is judged by.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Gates")]
pub struct GateArgs {
    /// Exit with code 99 if RULE is true. Repeatable. RULE is FIGURE>BOUND, with > >= < or <=, like 'p99>250ms',
    /// 'rejected>5%', 'goodput<95%' or 'lost>0'; or 'client-limited'
    ///
    /// Times: pN (like p99 or p99.9), mean or max, compared with a duration. Without a scope they are the time to done for
    /// Enqueue, and the response time of ok answers for any other RPC. A scope in brackets names another time: ok,
    /// rejected, expired, unavailable, failed, acknowledgement, time-to-done, service-time, queue-wait, start-lag, like
    /// 'p99.9(rejected)>20ms'. Withheld requests count as never answered. With --priorities, a class is a scope too: of
    /// times, of goodput and of the outcomes of requests, like 'p99(u=0)>250ms' or 'ok(u=0)<99%'.
    ///
    /// Counts: ok, rejected, expired, unavailable, failed, throttled, withheld, in-flight, dropped, discarded, discarded-expired,
    /// discarded-dead-lettered, lost, unknown, redelivered, duplicated, done-unacknowledged or done-again, compared with a whole number or
    /// with a share of the scheduled requests.
    /// Where clients retry also attempts, retried-then-ok, given-up-by-budget, given-up-by-pushback, given-up-by-throttle,
    /// hedges and hedges-won. Goodput is compared with a share or with a rate, like 80/s.
    #[arg(long, env = "LOAD_FAIL_IF", value_name = "RULE", value_delimiter = ',')]
    fail_if: Vec<Rule>,

    /// Like --fail-if, but also checked every second: stops the run as soon as RULE is true, and prints the report so far.
    /// Repeatable
    #[arg(long, env = "LOAD_ABORT_IF", value_name = "RULE", value_delimiter = ',')]
    abort_if: Vec<Rule>,
}

impl GateArgs {
    /// Checks that each class of urgency that a rule names is one of the scenario's. The error is one sentence that
    /// names the flags.
    pub fn check(&self, scenario: &Scenario) -> Result<(), String> {
        check_classes(self.fail_if.iter().chain(&self.abort_if), scenario)
    }

    /// The rules of both flags, in the order in which they were written.
    pub fn rules(&self) -> Rules {
        Rules {
            fail_if: self.fail_if.clone(),
            abort_if: self.abort_if.clone(),
        }
    }
}

/// Checks that each class of urgency that a rule names is one of the scenario's. The error is one sentence that names
/// the flags.
pub fn check_classes<'a>(mut rules: impl Iterator<Item = &'a Rule>, scenario: &Scenario) -> Result<(), String> {
    let classes = scenario.priorities.iter().flat_map(|priorities| priorities.classes());
    let known: Vec<u8> = classes.map(|class| class.urgency).collect();
    let unfit = rules.find_map(|rule| Some((rule, rule.class().filter(|class| !known.contains(class))?)));
    unfit.map_or(Ok(()), |(rule, class)| {
        Err(format!(
            "the rule {rule} is about the class u={class}, and no request has it: --priorities says which classes there are"
        ))
    })
}
