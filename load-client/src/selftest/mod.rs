//! `load-client selftest`: proves the measuring itself, on services in this process whose faults are known.
//!
//! It uses real sockets, real time and the same code as `run`, so that it proves what a user gets. All experiments are
//! made at the same time, each on a service of its own. Together they send a thousand requests per second, which leaves
//! nearly all of a machine idle.

mod experiments;
mod faulty;
mod findings;
mod host;
mod judge;
mod setting;
mod table;

use std::sync::Arc;

use self::setting::Setting;
pub use self::{
    experiments::Experiment,
    findings::Findings,
    judge::{Agreement, Judged, Line},
    setting::NotDone,
    table::{introduction, shown},
};
use crate::{
    stop::Stopper,
    ui::{
        progress::{Progress, ProgressStyle},
        watched::WatchedRun,
    },
};

/// Makes all experiments. A stop ends those that are not over yet.
pub async fn run(stopper: &Arc<Stopper>, manner: ProgressStyle) -> Findings {
    let settings: Vec<Setting> = Experiment::ALL
        .iter()
        .map(|experiment| Setting::new(experiment.name(), experiment.flags(), stopper.listener()))
        .collect();
    let watched = settings.iter().map(|setting| WatchedRun {
        name: setting.name.to_owned(),
        scenario: Arc::clone(&setting.scenario),
        live: Arc::clone(&setting.live),
    });
    let progress = Progress::start(watched.collect(), manner, stopper);
    let made = Experiment::ALL
        .iter()
        .zip(&settings)
        .map(|(experiment, setting)| async move { (*experiment, experiment.make(setting).await) });
    let made = futures_util::future::join_all(made).await;
    if let Some(progress) = progress {
        progress.finish();
    }
    Findings(made)
}
