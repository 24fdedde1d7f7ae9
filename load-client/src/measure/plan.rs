//! The plan of a run, and the result of measuring it.

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

/// One run: its load, its target, and the rules by which it is judged.
#[derive(Debug, Clone)]
pub struct RunPlan {
    /// The name of the strategy, the target or the test.
    pub name: String,
    /// The load: how many clients, when and what they send.
    pub scenario: Arc<Scenario>,
    /// The call that each request makes.
    pub call: Arc<Call>,
    /// How to reach the service.
    pub dial: Dial,
    /// The id of the run, which begins the id of each message. It must be new for every run against a service.
    pub run_id: String,
    /// True if the run is in virtual time. Then everything runs on the current runtime.
    pub virtual_time: bool,
    /// How long to wait for a target that does not accept connections yet.
    pub connect_timeout: Duration,
    /// The state of the run for progress and the live view.
    pub live: Arc<Live>,
    /// The changes of the service while the load runs, in the order of time.
    pub events: Vec<Event>,
    /// The rules by which the run is judged.
    pub rules: Rules,
    /// Ends the run early when it is triggered.
    pub stop: Stop,
}

/// A run that was measured.
#[derive(Debug)]
pub struct Measured {
    /// The report of the run.
    pub report: Run,
    /// Numbers that do not add up, in words. If there are any, the run has failed.
    pub imbalances: Vec<String>,
    /// Notes for the reader of the report.
    pub notes: Vec<String>,
}

impl RunPlan {
    /// The threads on which the clients run.
    pub(super) fn place(&self) -> Place {
        if self.virtual_time { Place::Here } else { Place::Threads }
    }

    /// The settings of the fleet that sends the load.
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
