//! Gates: rules like `p99>250ms` that a run is judged by. A closed grammar of the report's own names ([`Rule`]), and the
//! judgement ([`Rule::judge`]), which counts requests that never came to their end as slower than any bound.

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
    /// Judged at the end of the run.
    pub fail_if: Vec<Rule>,
    /// Judged every second too: a rule that is met stops the run.
    pub abort_if: Vec<Rule>,
}
