//! What is measured, and what a measurement comes to.

use std::{sync::Arc, time::Duration};

use super::events::Event;
use crate::{
    call::Call,
    fleet::{FleetSetup, Place},
    gates::Rules,
    live::Live,
    report::Run,
    scenario::Scenario,
    stop::Stop,
    transport::dial::Dial,
};

/// One run: a load, a target, and what the run is judged by.
#[derive(Debug, Clone)]
pub struct RunPlan {
    /// The strategy's or the target's.
    pub name: String,
    /// The load: how many clients, when and what they send.
    pub scenario: Arc<Scenario>,
    /// The call that each request makes.
    pub call: Arc<Call>,
    /// How to reach the service.
    pub dial: Dial,
    /// Goes before the numbers of messages: new for every run against a service.
    pub run_id: String,
    /// Whether the clock is virtual. Then everything runs on the current runtime.
    pub virtual_time: bool,
    /// How long the target may take to come up.
    pub connect_timeout: Duration,
    /// The state of the run for progress and the live view.
    pub live: Arc<Live>,
    /// What happens to the service meanwhile, in the order of time.
    pub events: Vec<Event>,
    /// What the run is judged by.
    pub rules: Rules,
    /// Ends the run early when it is triggered.
    pub stop: Stop,
}

/// A run that was measured.
#[derive(Debug)]
pub struct Measured {
    /// The figures, as the report has them.
    pub report: Run,
    /// What does not add up; a run with such a thing has failed.
    pub imbalances: Vec<String>,
    /// What a reader should know besides.
    pub notes: Vec<String>,
}

impl RunPlan {
    /// Where its clients send from.
    pub(super) fn place(&self) -> Place {
        if self.virtual_time { Place::Here } else { Place::Threads }
    }

    /// The clients that it needs.
    pub(super) fn fleet(&self) -> FleetSetup {
        FleetSetup {
            scenario: Arc::clone(&self.scenario),
            call: Arc::clone(&self.call),
            dial: self.dial.clone(),
            run_id: self.run_id.clone(),
            place: self.place(),
            connect_timeout: self.connect_timeout,
            live: Arc::clone(&self.live),
            stop: self.stop.clone(),
        }
    }
}
