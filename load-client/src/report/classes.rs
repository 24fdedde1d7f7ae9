//! The requests of a run by their class of urgency.

use std::{collections::BTreeMap, time::Duration};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{DistributionReport, by_outcome, per_second, schema::By};
use crate::{ledger::Ledger, outcome::Outcome, recorder::ClassFigures, scenario::Priorities};

/// The requests of one class of urgency.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ClassReport {
    /// The class as the requests carry it in their metadata `priority`: from `u=0`, the most urgent class, to `u=7`.
    pub class: String,
    /// The share of all requests that this class was to have, from 0 to 1.
    pub share: f64,
    /// How every scheduled request of the class ended. The ledger of the run is the sum of these.
    pub ledger: Ledger,
    /// Requests of the class that were answered as done within the SLO, per second of load; null for Enqueue, whose
    /// answers do not say that, and for a load of no length.
    pub goodput_rps: Option<f64>,
    /// Response times, from the scheduled send to the end of the call, by outcome; outcomes that did not occur are left
    /// out.
    #[schemars(with = "By<Outcome, DistributionReport>")]
    pub response_time_seconds: BTreeMap<String, DistributionReport>,
}

/// The classes of a run, in the order in which they were asked for. `judged`: the length of the load without its warm-up, or
/// `None` if answers do not say that a message is done.
pub fn classes(priorities: &Priorities, figures: &[ClassFigures], judged: Option<Duration>) -> Vec<ClassReport> {
    let classes = priorities.classes().iter().zip(figures);
    let report = |(asked, seen): (&crate::scenario::ClassShare, &ClassFigures)| ClassReport {
        class: format!("u={}", asked.urgency),
        share: asked.share,
        ledger: seen.ledger,
        goodput_rps: judged.and_then(|judged| per_second(seen.good, judged)),
        response_time_seconds: by_outcome(&seen.response_time, DistributionReport::new),
    };
    classes.map(report).collect()
}
