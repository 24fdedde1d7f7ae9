//! The results of all experiments.

use super::{
    experiments::Experiment,
    judge::{Agreement, Judged},
    setting::NotDone,
};

/// The results of the experiments, in the order of the report.
#[derive(Debug)]
pub struct Findings(pub Vec<(Experiment, Result<Judged, NotDone>)>);

impl Findings {
    /// Whether every experiment was made, and every figure is what it must be.
    pub fn all_agree(&self) -> bool {
        let agrees = |judged: &Judged| judged.lines().all(|(_, agreement)| agreement == Agreement::Agrees);
        self.0.iter().all(|(_, result)| result.as_ref().is_ok_and(agrees))
    }
}
