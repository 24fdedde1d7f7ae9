//! Runs that are made at the same time, and what they came to.

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

/// What a comparison came to.
#[derive(Debug, Default)]
pub struct Compared {
    /// In the order they were named.
    pub measured: Vec<Measured>,
    /// Those that could not be measured, and why.
    pub failed: Vec<(String, FleetError)>,
}

/// Measures all plans at the same time, on this runtime, and shows how they get on.
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
    /// Adds the runs of another comparison behind these.
    pub fn extend(&mut self, other: Self) {
        self.measured.extend(other.measured);
        self.failed.extend(other.failed);
    }

    /// Notes down what each run was made against, by its name.
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
