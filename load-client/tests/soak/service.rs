//! The service under load, in virtual time: started, driven by the clients, ended.

use std::{io, sync::Arc, time::Duration};

use foo_service::{
    app::{Drained, Parts, Service},
    enqueue::LOG_CAPACITY,
    job::Door,
    ledger::Ledger,
    lifecycle::{ShutdownTrigger, shutdown},
};
use load_client::{
    call::Call,
    gates::Rules,
    live::Live,
    measure::{Measured, RunPlan, measure},
    scenario::{Rpc, Scenario, Schedule, Spacing, WhenBlocked},
    stop::Stopper,
    transport::dial::Dial,
};
use metrics::NoopRecorder;
use tokio::{
    io::DuplexStream,
    sync::mpsc,
    task::JoinHandle,
    time::{Instant, sleep},
};
use tokio_stream::{StreamExt, wrappers::ReceiverStream};

use crate::{CLIENTS, TIMEOUT, trials::Trial};

/// A service whose counts a test can read.
pub(crate) struct Soaked {
    rpc: Rpc,
    pub(crate) ledger: Arc<Ledger>,
    dial: Dial,
    trigger: ShutdownTrigger,
    serving: JoinHandle<Result<Drained, tonic::transport::Error>>,
}

impl Soaked {
    pub(crate) fn start(trial: &Trial) -> Self {
        let service = Service::new(Parts {
            settings: trial.settings.clone(),
            recorder: &NoopRecorder,
            instance_id: "soaked".to_owned(),
            time_of_day: Duration::ZERO,
            owns_process: false,
        })
        .expect("a queue in memory has no file that could be missing");
        let (connections, arriving) = mpsc::channel::<DuplexStream>(64);
        let (trigger, stop) = shutdown();
        Self {
            rpc: trial.rpc,
            ledger: service.ledger(),
            dial: Dial::memory(connections),
            trigger,
            serving: tokio::spawn(service.serve(ReceiverStream::new(arriving).map(Ok::<_, io::Error>), stop)),
        }
    }

    /// The load, and what is left of it afterwards if `drain`. Also says how long all of that took.
    pub(crate) async fn load(&self, length: Duration, drain: bool) -> (Measured, Duration) {
        let began = Instant::now();
        let scenario = Scenario {
            rpc: self.rpc,
            clients: CLIENTS,
            connections: 4,
            threads: 1,
            schedule: Schedule::Rate {
                rps: f64::from(CLIENTS),
                spacing: Spacing::Constant,
            },
            max_in_flight: 1,
            when_blocked: WhenBlocked::Withhold,
            duration: Some(length),
            requests: None,
            timeout: TIMEOUT,
            slo: TIMEOUT,
            warmup: Duration::ZERO,
            drain_limit: (!drain).then_some(Duration::ZERO),
            payload_size: 64,
            metadata: http::HeaderMap::new(),
            priorities: None,
            policies: load_client::policy::PolicySettings::default(),
            seed: 1,
        };
        let stopper = Stopper::default();
        let plan = RunPlan {
            name: "soak".to_owned(),
            call: Arc::new(Call::foo(&scenario)),
            scenario: Arc::new(scenario),
            dial: self.dial.clone(),
            run_id: "v".to_owned(),
            virtual_time: true,
            connect_timeout: Duration::from_secs(10),
            live: Arc::new(Live::default()),
            events: Vec::new(),
            rules: Rules::default(),
            stop: stopper.listener(),
        };
        let measured = measure(plan).await.expect("the service can be reached");
        // Connections close, and callers that have just given up are noticed.
        sleep(Duration::from_millis(10)).await;
        (measured, began.elapsed())
    }

    /// What the log of completions holds: ended messages that came in through Enqueue.
    pub(crate) fn logged(&self) -> u64 {
        let ended: u64 = self.ledger.door(Door::Enqueue).outcomes.iter().sum();
        ended.min(LOG_CAPACITY as u64)
    }

    pub(crate) async fn end(self) {
        self.trigger.now();
        let ended = self.serving.await.expect("serving does not panic");
        ended.expect("the transport works");
    }
}
