//! Measures several runs at the same time, and collects their results.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    fleet::FleetError,
    measure::{Measured, RunPlan, measure},
    stop::Stopper,
    ui::{
        progress::{Progress, ProgressStyle},
        watched::WatchedRun,
    },
};

/// The results of a comparison.
#[derive(Debug, Default)]
pub struct Compared {
    /// The measured runs, in the order in which the user named them.
    pub measured: Vec<Measured>,
    /// The names of the runs that could not be measured, each with the reason.
    pub failed: Vec<(String, FleetError)>,
}

/// Measures all plans at the same time, on this runtime, and shows their progress.
pub(super) async fn all_at_once(plans: Vec<RunPlan>, manner: ProgressStyle, stopper: &Arc<Stopper>) -> Compared {
    let watched = plans.iter().map(|plan| WatchedRun {
        name: plan.name.clone(),
        scenario: Arc::clone(&plan.scenario),
        live: Arc::clone(&plan.live),
    });
    let progress = Progress::start(watched.collect(), manner, stopper);
    let runs = plans
        .into_iter()
        .map(|plan| async { (plan.name.clone(), measure(plan).await) });
    let runs = futures_util::future::join_all(runs).await;
    if let Some(progress) = progress {
        progress.finish();
    }
    Compared::of(runs)
}

impl Compared {
    /// Appends the runs of another comparison.
    pub fn extend(&mut self, other: Self) {
        self.measured.extend(other.measured);
        self.failed.extend(other.failed);
    }

    /// Adds the target to the report of each run; `targets` maps the names of runs to their targets.
    pub(super) fn of_targets(mut self, targets: &BTreeMap<&str, String>) -> Self {
        for measured in &mut self.measured {
            let report = &mut measured.report;
            if let Some(configuration) = &mut report.configuration {
                configuration.target = targets.get(report.name.as_str()).cloned();
            }
        }
        self
    }

    pub(super) fn of(runs: impl IntoIterator<Item = (String, Result<Measured, FleetError>)>) -> Self {
        let mut compared = Self::default();
        for (name, run) in runs {
            match run {
                Ok(measured) => compared.measured.push(measured),
                Err(error) => compared.failed.push((name, error)),
            }
        }
        compared
    }
}
