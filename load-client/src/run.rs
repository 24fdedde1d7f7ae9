//! `load-client run`: one running service, one load, one report.

use std::{io, sync::Arc, time::Duration};

use foo_flags::Address;

use crate::{
    call::{Call, TemplateError, types_named_in},
    cli::{CallArgs, ConnectionArgs, Defaults, DrainLimit, LoadArgs, RunArgs, TlsArgs},
    fleet::FleetError,
    live::Live,
    measure::{Measured, RunPlan, measure},
    scenario::{Rpc, Scenario, Schedule, WhenBlocked},
    schema::{SchemaError, Server},
    stop::{Stop, Stopper},
    transport::{
        dial::{Dial, TlsError},
        url::Url,
    },
    ui::{console::say, progress::Progress, prometheus::MetricsOfRun, watched::WatchedRun},
};

/// The values of a run that no flag has set.
pub(crate) const DEFAULTS: Defaults = Defaults {
    rpc: Rpc::Process,
    duration: Duration::from_secs(10),
    when_blocked: WhenBlocked::Backlog,
    drain_limit: DrainLimit::Fixed(Duration::from_secs(60)),
    connections: 1,
    clients: None,
    max_in_flight: None,
};

/// Why a run could not be made.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The load could not begin.
    #[error(transparent)]
    Fleet(#[from] FleetError),
    /// The method cannot be called.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// The data does not fit the message of the method.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// The data cannot be read.
    #[error("{0}")]
    Data(String),
    /// A file for TLS cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// A flag needs TLS, but a URL is without TLS.
    #[error(
        "{flag} is for TLS, which {url} does not ask for; write the URL with https://{}",
        plaintext(flag)
    )]
    NoTls {
        /// The flag that needs TLS.
        flag: &'static str,
        /// The URL that is without TLS.
        url: Url,
    },
    /// The flags do not describe a possible load.
    #[error("{0}")]
    Load(String),
    /// There are fewer connections than services, so a service would get no request.
    #[error(
        "{services} services need a connection each: {connections} for {clients} clients are too few (--connections, --clients)"
    )]
    TooFewConnections {
        /// The number of URLs.
        services: u32,
        /// The number of connections.
        connections: u32,
        /// The number of clients, which share the connections.
        clients: u32,
    },
    /// The metrics cannot be served at the address.
    #[error("--prometheus-addr: cannot serve metrics at {address}: {source}; port 0 takes any that is free")]
    Metrics {
        /// The address that the flag gives.
        address: Address,
        /// What the operating system says.
        source: io::Error,
    },
}

/// A hint for users of ghz, where `--insecure` means no TLS at all. Empty for any other flag.
fn plaintext(flag: &str) -> &'static str {
    if flag == "--insecure" {
        ", or leave the flag out: http:// is already without TLS, which other tools call --insecure or --plaintext"
    } else {
        ""
    }
}

impl RunError {
    /// Whether the flags, or the files that they name, are at fault.
    pub fn is_usage(&self) -> bool {
        match self {
            Self::Schema(error) => error.is_usage(),
            Self::Load(_)
            | Self::Template(_)
            | Self::Data(_)
            | Self::Tls(_)
            | Self::NoTls { .. }
            | Self::TooFewConnections { .. } => true,
            Self::Fleet(_) | Self::Metrics { .. } => false,
        }
    }
}

/// Sends the load of `schedule` to the services of `args`, and measures it.
pub async fn run(args: &RunArgs, schedule: Schedule, stopper: &Arc<Stopper>) -> Result<Measured, RunError> {
    let stop = stopper.listener();
    let dial = dial(&args.urls, &args.tls, &args.connection)?;
    let scenario = Arc::new(scenario(args, schedule)?);
    let live = live(args, &scenario)?;
    let watched = WatchedRun {
        name: names(&args.urls),
        scenario: Arc::clone(&scenario),
        live: Arc::clone(&live),
    };
    let progress = Progress::start(vec![watched], args.output.progress.manner(), stopper);
    let measured = async {
        let wanted = Wanted {
            call: &args.call,
            patience: args.load.connect_timeout,
        };
        let call = Arc::new(wanted.call(&dial, &scenario, &live, stop.clone()).await?);
        let plan = RunPlan {
            name: "run".to_owned(),
            scenario,
            call,
            dial,
            run_id: random_run_id(),
            virtual_time: false,
            connect_timeout: args.load.connect_timeout,
            live,
            events: Vec::new(),
            rules: args.gates.rules(),
            stop,
        };
        let mut measured = measure(plan).await?;
        if let Some(configuration) = &mut measured.report.configuration {
            configuration.target = Some(names(&args.urls));
        }
        Ok(measured)
    };
    let measured = measured.await;
    if let Some(progress) = progress {
        progress.finish();
    }
    measured
}

/// The load that the flags describe. It is an error if it does not reach every service.
fn scenario(args: &RunArgs, schedule: Schedule) -> Result<Scenario, RunError> {
    let services = services(&args.urls);
    let defaults = Defaults {
        rpc: args.call.rpc().unwrap_or(DEFAULTS.rpc),
        connections: services,
        ..DEFAULTS
    };
    let scenario = args.load.scenario(schedule, defaults);
    checked(&args.load, &scenario, services)?;
    args.gates.check(&scenario).map_err(RunError::Load)?;
    Ok(scenario)
}

/// How many services the URLs name.
pub(crate) fn services(urls: &[Url]) -> u32 {
    u32::try_from(urls.len()).unwrap_or(u32::MAX)
}

/// Checks that the load is possible and has a connection for every service.
pub(crate) fn checked(load: &LoadArgs, scenario: &Scenario, services: u32) -> Result<(), RunError> {
    load.check(scenario).map_err(RunError::Load)?;
    if scenario.connections < services {
        return Err(RunError::TooFewConnections {
            services,
            connections: scenario.connections,
            clients: scenario.clients,
        });
    }
    Ok(())
}

/// The URLs as reports name them.
pub(crate) fn names(urls: &[Url]) -> String {
    let names: Vec<String> = urls.iter().map(Url::to_string).collect();
    names.join(", ")
}

/// How to reach the services.
pub(crate) fn dial(urls: &[Url], tls: &TlsArgs, connection: &ConnectionArgs) -> Result<Dial, RunError> {
    let plain = urls.iter().find(|url| !url.is_secure());
    match (tls.asked_for(), plain) {
        (Some(flag), Some(url)) => Err(RunError::NoTls { flag, url: url.clone() }),
        _ => Ok(Dial::urls(urls, &tls.access())?.with(connection.options())),
    }
}

/// The flags that say which method is called, and how.
pub(crate) struct Wanted<'a> {
    pub(crate) call: &'a CallArgs,
    /// How long to wait for the service to come up.
    pub(crate) patience: Duration,
}

impl Wanted<'_> {
    /// The call to make: an RPC of FooService, or the method that a flag names, with its types looked up. A stop ends
    /// the lookup.
    pub(crate) async fn call(
        &self,
        dial: &Dial,
        scenario: &Scenario,
        live: &Live,
        mut stop: Stop,
    ) -> Result<Call, RunError> {
        let Some(name) = self.call.method() else {
            return Ok(Call::foo(scenario));
        };
        let data = self.call.data().map_err(RunError::Data)?;
        let source = self.call.source();
        let server = Server {
            dial,
            metadata: &scenario.metadata,
            patience: self.patience,
            troubled: &|line| live.troubled(line),
        };
        let types = types_named_in(&data);
        let method = tokio::select! {
            biased;
            () = stop.requested() => return Err(FleetError::Stopped.into()),
            method = source.method(name, &types, server) => method?,
        };
        Ok(Call::other(&method, &data, scenario)?)
    }
}

/// The live counts of the run. They are also served as metrics, if an address is given for them.
fn live(args: &RunArgs, scenario: &Arc<Scenario>) -> Result<Arc<Live>, RunError> {
    let Some(address) = &args.prometheus_addr else {
        return Ok(Arc::default());
    };
    let page = MetricsOfRun::new(Arc::clone(scenario));
    let live = Arc::new(Live::exporting(page.histograms()));
    let bound = page
        .serve(address, Arc::clone(&live))
        .map_err(|source| RunError::Metrics {
            address: address.clone(),
            source,
        })?;
    if !args.output.progress.quiet {
        say(&format!("metrics at http://{bound}/metrics"));
    }
    Ok(live)
}

/// 16 hexadecimal digits from the system's randomness: no two runs against a service share an id.
pub fn random_run_id() -> String {
    use rand::TryRng;
    let bits = rand::rngs::SysRng.try_next_u64().expect("the system gives randomness");
    format!("{bits:016x}")
}
