//! Runs a search: it makes one test after the other until the search has an answer.

use std::{sync::Arc, time::Duration};

use super::{
    answer::{Ending, found},
    judge::judge,
};
use crate::{
    call::Call,
    cli::{Defaults, LoadArgs, OPEN_LOOP},
    fleet::FleetError,
    gates::{Rule, Rules},
    live::Live,
    measure::{Measured, RunPlan, measure},
    report::{FoundReport, Limit, ProbeReport, ProbeResult},
    run,
    scenario::{Rpc, Scenario, Schedule, WhenBlocked},
    search::{Next, Probe, Search, SearchSettings, Seen},
    stop::Stopper,
    transport::dial::Dial,
    ui::{
        console::say,
        progress::{Progress, ProgressStyle},
        watched::WatchedRun,
    },
    units::plain,
};

/// A test is made longer until this many requests are scheduled in it (arbitrary).
const LEAST_REQUESTS: f64 = 20.0;
/// A test is not made longer than this to schedule more requests (arbitrary).
const LONGEST_TEST: Duration = Duration::from_secs(30);

/// The lengths of the tests.
#[derive(Debug, Clone, Copy)]
pub struct Lengths {
    /// The warm-up before each test, under the same load.
    pub settle: Duration,
    /// The length of each test but the last.
    pub test: Duration,
    /// The length of the longer test, from which the answer comes.
    pub last_test: Duration,
}

/// The service to test, the load, and the settings of the search.
#[derive(Debug)]
pub struct Setting {
    /// The flags of the load, without those that the search sets itself.
    pub load: LoadArgs,
    /// The RPC to call.
    pub rpc: Rpc,
    /// The number of services that share the load.
    pub services: u32,
    /// The call to send.
    pub call: Arc<Call>,
    /// How to reach the services.
    pub dial: Dial,
    /// The name of the service in the report; `None` if it has no name.
    pub target: Option<String>,
    /// True if the tests run on a simulated clock, with the service in this process.
    pub virtual_time: bool,
    /// The rules of `--fail-if`: a rate fails if one of them is met.
    pub rules: Vec<Rule>,
    /// The first rate, the highest rate and the precision.
    pub search: SearchSettings,
    /// The lengths of the tests.
    pub lengths: Lengths,
    /// How progress is shown.
    pub style: ProgressStyle,
}

/// The result of a search.
#[derive(Debug)]
pub struct Found {
    /// One run for each test, in the order in which the tests were made; at least one.
    pub measured: Vec<Measured>,
    /// The answer, if there is one, and the result of each test.
    pub report: FoundReport,
}

/// The scenario of a test at the rate `rps` that takes `length`, without a warm-up.
pub(super) fn scenario(load: &LoadArgs, rpc: Rpc, services: u32, rps: f64, length: Duration) -> Scenario {
    let defaults = Defaults {
        rpc,
        duration: length,
        when_blocked: WhenBlocked::Withhold,
        connections: services,
        max_in_flight: Some(OPEN_LOOP),
        ..run::DEFAULTS
    };
    let schedule = Schedule::Rate {
        rps,
        spacing: load.spacing(),
    };
    load.scenario(schedule, defaults)
}

impl Setting {
    fn scenario(&self, probe: Probe, number: u64) -> Scenario {
        let length = if probe.long {
            self.lengths.last_test
        } else {
            self.lengths.test
        };
        let enough = Duration::from_secs_f64((LEAST_REQUESTS / probe.rate).min(LONGEST_TEST.as_secs_f64()));
        let whole = self.lengths.settle + length.max(enough);
        let mut scenario = scenario(&self.load, self.rpc, self.services, probe.rate, whole);
        scenario.warmup = self.lengths.settle;
        // Each test has its own seed, so a repeated test has other random numbers.
        scenario.seed = scenario.seed.wrapping_add(number);
        scenario
    }

    fn plan(&self, probe: Probe, number: u64, stopper: &Stopper) -> RunPlan {
        let kind = if probe.long { "last test" } else { "test" };
        RunPlan {
            name: format!("{kind} {} at {}/s", number + 1, plain(probe.rate)),
            scenario: Arc::new(self.scenario(probe, number)),
            call: Arc::clone(&self.call),
            dial: self.dial.clone(),
            run_id: if self.virtual_time {
                format!("v{number}")
            } else {
                run::random_run_id()
            },
            virtual_time: self.virtual_time,
            connect_timeout: self.load.connect_timeout,
            live: Arc::new(Live::default()),
            events: Vec::new(),
            rules: Rules {
                fail_if: self.rules.clone(),
                abort_if: Vec::new(),
            },
            stop: stopper.listener(),
        }
    }

    /// Makes one test.
    async fn test(&self, plan: RunPlan, stopper: &Arc<Stopper>) -> Result<Measured, FleetError> {
        let watched = WatchedRun {
            name: plan.name.clone(),
            scenario: Arc::clone(&plan.scenario),
            live: Arc::clone(&plan.live),
        };
        // Progress is shown in lines at most: a live view that opens and closes for each test cannot be read.
        let progress = Progress::start(vec![watched], self.style.min(ProgressStyle::Lines), stopper);
        let measured = measure(plan).await;
        if let Some(progress) = progress {
            progress.finish();
        }
        let mut measured = measured?;
        if let Some(made) = &mut measured.report.configuration {
            made.target.clone_from(&self.target);
        }
        Ok(measured)
    }
}

/// Makes tests until the search is complete, no further test can be made or judged, or the user stops it. The result
/// also contains a test that was stopped.
///
/// # Errors
///
/// If the first test cannot be made.
pub async fn find(setting: &Setting, stopper: &Arc<Stopper>) -> Result<Found, FleetError> {
    let stop = stopper.listener();
    let mut search = Search::new(setting.search);
    let (mut measured, mut probes, mut limit) = (Vec::new(), Vec::new(), None);
    let ending = loop {
        let probe = match search.next() {
            Next::Probe(_) if stop.asked() => break Ending::Stopped,
            Next::Probe(probe) => probe,
            Next::End(end) => break Ending::Searched(end),
        };
        let plan = setting.plan(probe, measured.len() as u64, stopper);
        let done = match setting.test(plan, stopper).await {
            Ok(done) => done,
            Err(error) if measured.is_empty() => return Err(error),
            Err(_) if stop.asked() => break Ending::Stopped,
            Err(error) => break Ending::Broken(error.to_string()),
        };
        let run = &done.report;
        let (result, says) = if stop.asked() {
            (ProbeResult::Stopped, "it was stopped".to_owned())
        } else {
            judge(run)
        };
        if setting.style > ProgressStyle::Nothing {
            say(&format!("{}: {}: {says}", run.name, result.label()));
        }
        if result == ProbeResult::Limited {
            limit = run
                .verdict
                .limited_by
                .map(|limit: Limit| (limit, run.verdict.reason.clone()));
        }
        probes.push(ProbeReport {
            run: run.name.clone(),
            rps: probe.rate,
            long: probe.long,
            result,
            says: says.clone(),
        });
        measured.push(done);
        match result {
            ProbeResult::Holds => search.saw(Seen::Holds),
            ProbeResult::Fails => search.saw(Seen::Fails),
            ProbeResult::Limited => search.saw(Seen::Limited),
            ProbeResult::Unknown => break Ending::Unknown(says),
            ProbeResult::Stopped => break Ending::Stopped,
        }
    };
    Ok(Found {
        measured,
        report: found(&ending, probes, limit),
    })
}
