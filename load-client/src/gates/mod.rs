//! Gates: rules like `p99>250ms` that a run is judged by. A closed grammar of the report's own names ([`Rule`]), and the
//! judgement ([`Rule::judge`]), which counts what was withheld as never answered.

mod evidence;
mod grammar;
mod judge;
mod rule;

pub use self::{evidence::Evidence, grammar::RuleError, rule::Rule};

/// What a run is judged by.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    /// At its end.
    pub fail_if: Vec<Rule>,
    /// On its way too: one that is met stops it.
    pub abort_if: Vec<Rule>,
}
