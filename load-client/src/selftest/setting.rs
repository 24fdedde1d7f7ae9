//! The run of an experiment. It is like a run of `load-client run`, with flags as a user writes them. A fault happens at a
//! known time into its load.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use clap::{Args, Command, FromArgMatches};
use tokio::time::{sleep, sleep_until};

use crate::{
    call::Call,
    cli::{GateArgs, LoadArgs},
    fleet::FleetError,
    live::Live,
    measure::{Measured, RunPlan, measure},
    run::{DEFAULTS, RunError, random_run_id},
    scenario::Scenario,
    stop::Stop,
    transport::{
        dial::{Access, Dial},
        url::Url,
    },
};

/// The time between two checks whether the load has begun.
const CHECK_EVERY: Duration = Duration::from_millis(1);
/// A flag of all experiments: no request may expire only because this machine is busy (arbitrary: several times the
/// length of a run).
const PATIENT: &str = "--timeout 60s";
/// How much longer than planned a fault may take (arbitrary: half of what the bounds on its effects allow for).
const LATE_FAULT: Duration = Duration::from_millis(50);

/// Why an experiment was not made to its end.
#[derive(Debug, thiserror::Error)]
pub enum NotDone {
    /// The user asked for the end.
    #[error("stopped before its end")]
    Stopped,
    /// A service could not be started.
    #[error("its service could not be started: {0}")]
    Host(#[from] io::Error),
    /// The load could not begin.
    #[error(transparent)]
    Run(#[from] RunError),
}

/// The name of an experiment, its flags and the load that follows from them.
#[derive(Debug, Clone)]
pub(super) struct Setting {
    pub(super) name: &'static str,
    flags: Flags,
    pub(super) scenario: Arc<Scenario>,
    /// The state of the run, for the progress lines.
    pub(super) live: Arc<Live>,
    stop: Stop,
}

/// The flags that an experiment gives its run.
#[derive(Debug, Clone, Args)]
struct Flags {
    #[command(flatten)]
    load: LoadArgs,
    #[command(flatten)]
    gates: GateArgs,
}

impl Setting {
    /// The setting of a run with these flags. Environment variables have no effect.
    pub(super) fn new(name: &'static str, flags: &[&str], stop: Stop) -> Self {
        let command = Flags::augment_args(Command::new("run")).mut_args(|flag| flag.env(None));
        let words = ["run", PATIENT].into_iter().chain(flags.iter().copied());
        let matches = command.try_get_matches_from(words.flat_map(str::split_whitespace));
        let flags = matches.and_then(|matches| Flags::from_arg_matches(&matches));
        let flags = flags.expect("the flags of an experiment are flags of run");
        let schedule = flags.load.schedule().expect("no trace is read");
        let scenario = Arc::new(flags.load.scenario(schedule, DEFAULTS));
        Self {
            name,
            flags,
            scenario,
            live: Arc::new(Live::default()),
            stop,
        }
    }

    /// Measures the service as `load-client run URL FLAGS` does, while `fault` runs.
    pub(super) async fn run<T>(
        &self,
        service: SocketAddr,
        fault: impl Future<Output = Result<T, NotDone>>,
    ) -> Result<(Measured, T), NotDone> {
        let plan = self.plan(service)?;
        let measured = async { Ok(measure(plan).await?) };
        let run = async { tokio::try_join!(measured, fault) };
        let mut stop = self.stop.clone();
        tokio::select! {
            biased;
            () = stop.requested() => Err(NotDone::Stopped),
            done = run => done,
        }
    }

    /// Measures the service without a fault during the load.
    pub(super) async fn run_quietly(&self, service: SocketAddr) -> Result<Measured, NotDone> {
        let (measured, ()) = self.run(service, async { Ok(()) }).await?;
        Ok(measured)
    }

    /// Waits until the load has lasted for `age`.
    pub(super) async fn until_load_is(&self, age: Duration) {
        let start = loop {
            match self.live.started() {
                Some(start) => break start,
                None => sleep(CHECK_EVERY).await,
            }
        };
        sleep_until(start + age).await;
    }

    fn plan(&self, service: SocketAddr) -> Result<RunPlan, RunError> {
        let url: Url = format!("http://{service}").parse().expect("an address makes a URL");
        Ok(RunPlan {
            name: self.name.to_owned(),
            call: Arc::new(Call::foo(&self.scenario)),
            scenario: Arc::clone(&self.scenario),
            dial: Dial::url(&url, &Access::default())?,
            run_id: random_run_id(),
            virtual_time: false,
            connect_timeout: self.flags.load.connect_timeout,
            live: Arc::clone(&self.live),
            events: Vec::new(),
            rules: self.flags.gates.rules(),
            stop: self.stop.clone(),
        })
    }
}

/// The reason why the machine was too busy, if a fault took longer than planned.
pub(super) fn late(what: &str, planned: Duration, took: Duration) -> Option<String> {
    (took > planned + LATE_FAULT).then(|| format!("{what} of {planned:?} took {took:.2?}"))
}

impl From<FleetError> for NotDone {
    fn from(error: FleetError) -> Self {
        Self::Run(error.into())
    }
}
