//! Gates are rules like `p99>250ms` that a run is judged by. A rule ([`Rule`]) uses the names of the report and nothing
//! else. The judgement ([`Rule::judge`]) counts requests that never ended as slower than any bound.

mod error;
mod evidence;
mod finding;
mod grammar;
mod judge;
mod rule;

pub(crate) use self::rule::{Bound, Condition, Scope};
pub use self::{
    error::RuleError,
    evidence::Evidence,
    finding::{Finding, Judgement, Missing, Unended, Unknown},
    rule::{Comparison, Rule, Statistic},
};

/// The rules of a run.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    /// The rules of `--fail-if`, judged at the end of the run.
    pub fail_if: Vec<Rule>,
    /// The rules of `--abort-if`, judged every second and at the end. A rule that is met stops the run.
    pub abort_if: Vec<Rule>,
}
