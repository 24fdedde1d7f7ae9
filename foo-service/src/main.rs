//! The `foo-service` program: reads the flags, serves until a signal stops it, and ends with an exit code.

#[cfg(feature = "nats")]
mod dead_letters;
mod signals;

use std::{
    io::{self, Write},
    net::SocketAddr,
    process::ExitCode,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

#[cfg(feature = "nats")]
use crate::dead_letters::DeadLettersArgs;
use clap::{CommandFactory, Parser, Subcommand, error::ErrorKind};
use foo_flags::{Address, Parsed};
use foo_service::{
    admin::{Admin, AdminParts},
    app::{Parts, Service, accept_and_tell, random_instance_id, refusals::Refusals},
    config::{Listen, LogArgs, Settings, TlsArgs, word},
    enqueue::Capacity,
    health::HealthArgs,
    lifecycle::shutdown,
    log::{Log, LostLines},
    metrics::prometheus,
    tls::{Certificates, secure},
};
use signals::Signals;
use tokio::net::TcpListener;

/// The exit code if messages were abandoned because the drain ran out of time.
const EXIT_ABANDONED: u8 = 3;

/// The exit code if the server of the queue cannot be used with these settings. The same as for any usage error.
const EXIT_USAGE: u8 = 2;

/// A gRPC service with one pool of workers behind two RPCs: Enqueue (fire-and-forget) and Process (synchronous).
///
/// SIGTERM or Ctrl-C starts a drain: the service rejects new calls and finishes the admitted ones. A second signal stops it
/// at once. Exit codes: 0 after a complete drain, 3 if messages were abandoned. SIGHUP reloads the certificates. The log
/// goes to standard error; RUST_LOG sets its level (default: info). Each flag can also be an environment variable; an empty
/// variable counts as unset.
#[derive(Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    listen: Listen,
    #[command(flatten)]
    tls: TlsArgs,
    #[command(flatten)]
    log: LogArgs,
    #[command(flatten)]
    settings: Settings,
}

#[derive(Subcommand)]
enum Command {
    /// Check that a running service serves: exit with 0 if it does, with 1 if not
    Health(HealthArgs),
    /// List the dead letters of a shared queue, or queue them again
    #[cfg(feature = "nats")]
    DeadLetters(Box<DeadLettersArgs>),
}

#[tokio::main]
async fn main() -> ExitCode {
    let parsed = foo_flags::parse::<Cli>("FOO_");
    if parsed.cli.command.is_some() {
        // Subcommands start no log, so warnings go to standard error directly.
        for warning in &parsed.warnings {
            let _ = writeln!(io::stderr(), "foo-service: {warning}");
        }
    }
    match &parsed.cli.command {
        None => {}
        Some(Command::Health(args)) => return health(args).await,
        #[cfg(feature = "nats")]
        Some(Command::DeadLetters(args)) => {
            let outcome = dead_letters::run(args).await;
            return outcome.unwrap_or_else(|error| {
                let _ = writeln!(io::stderr(), "{}", as_given(&error));
                ExitCode::FAILURE
            });
        }
    }
    let settings = &parsed.cli.settings;
    let contradictions = settings.contradictions(|id| parsed.given(id));
    let contradictions = contradictions.map_err(|contradiction| contradiction.to_string());
    if let Err(error) = settings.check().and(contradictions) {
        usage_error(&error);
    }
    let filter = std::env::var_os("RUST_LOG").filter(|filter| !filter.is_empty());
    let filter = filter.map(|filter| filter.to_string_lossy().into_owned());
    let log = Log::start(parsed.cli.log.log_format, filter.as_deref()).unwrap_or_else(|error| usage_error(&error));
    let Parsed { cli, warnings, .. } = parsed;
    for warning in warnings {
        tracing::warn!("{warning}");
    }
    match Box::pin(run(cli.listen, cli.tls, cli.settings, log.lost())).await {
        Ok(code) => code,
        Err(error) => {
            tracing::error!("{}", as_given(&error));
            ExitCode::FAILURE
        }
    }
}

/// Rewrites an error: each flag whose value came from an environment variable is replaced by that variable's name.
fn as_given(error: &str) -> String {
    foo_flags::as_given::<Cli>(error)
}

/// Ends the program with a usage error that names what is wrong.
fn usage_error(error: &str) -> ! {
    Cli::command().error(ErrorKind::ValueValidation, as_given(error)).exit()
}

async fn run(listen: Listen, tls: TlsArgs, settings: Settings, lost_lines: LostLines) -> Result<ExitCode, String> {
    // First of all: a signal that comes during the start must start a drain (or be ignored), not kill the process.
    let signals = Signals::listen().map_err(|error| format!("cannot listen for signals: {error}"))?;
    let certificates = tls.files().map(Certificates::load).transpose();
    let certificates = certificates.map_err(|error| error.to_string())?.map(Arc::new);
    let recorder = prometheus();
    let instance_id = random_instance_id();
    let service = Service::new(Parts {
        settings: settings.clone(),
        recorder: &recorder,
        instance_id: instance_id.clone(),
        // For the phases of `--slowdown`. A clock that shows a time before 1970 counts as 1970.
        time_of_day: SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default(),
        owns_process: true,
    });
    let service = service.map_err(|error| error.to_string())?;
    if let Err(unfit) = service.reach_queue().await {
        tracing::error!("{}", as_given(&unfit.to_string()));
        return Ok(ExitCode::from(EXIT_USAGE));
    }
    let listener = bind(&listen.listen, "gRPC", "--listen")?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    let admin_listener = bind(&listen.admin_listen, "/metrics", "--admin-listen")?;
    let admin_address = admin_listener.local_addr().map_err(|error| error.to_string())?;
    let admin = Admin::new(
        recorder,
        AdminParts {
            metrics: service.metrics(),
            turns: service.turns(),
            ledger: service.ledger(),
            enqueue: service.enqueue(),
            role: service.role(),
            lifecycle: service.lifecycle(),
            accepting: service.accepting(),
            lost_lines,
        },
    );
    admin
        .start(admin_listener)
        .map_err(|error| format!("cannot serve /metrics: {error}"))?;
    let listener = TcpListener::from_std(listener).map_err(|error| error.to_string())?;
    log_start(&settings, address, admin_address, &instance_id, certificates.is_some());
    if let Some(warning) = service.accepting().warning(settings.max_connections) {
        tracing::warn!("{warning}");
    }
    certificates
        .as_deref()
        .inspect(|certificates| signals::warn_of(certificates, as_given));

    let (trigger, shutdown) = shutdown();
    tokio::spawn(signals.obey(trigger, service.lifecycle(), certificates.clone(), as_given));
    let mut refusals = Refusals::new(service.ledger(), service.accepting());
    let (accepting, metrics) = (service.accepting(), service.metrics());
    let incoming = accept_and_tell(listener, accepting);
    let serving = async {
        match certificates {
            None => Box::pin(service.serve(incoming, shutdown)).await,
            Some(certificates) => Box::pin(service.serve(secure(incoming, certificates, metrics), shutdown)).await,
        }
    };
    let drained = tokio::select! {
        drained = serving => drained,
        () = refusals.log_each_minute() => unreachable!("it never ends"),
    };
    refusals.log();
    let drained = drained.map_err(|error| error.to_string())?;
    tracing::info!(abandoned = drained.abandoned, "stopped");
    Ok(if drained.abandoned == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(EXIT_ABANDONED)
    })
}

/// Opens a non-blocking listener on `address`. The error names the address, the use (`what`) and the flag to change.
fn bind(address: &Address, what: &str, flag: &str) -> Result<std::net::TcpListener, String> {
    let bound = address.bind().and_then(|listener| {
        listener.set_nonblocking(true)?;
        Ok(listener)
    });
    bound.map_err(|error| format!("cannot listen on {address} for {what}: {error}; choose another address with {flag}"))
}

fn log_start(settings: &Settings, address: SocketAddr, admin: SocketAddr, instance_id: &str, tls: bool) {
    let (queue_capacity, when_full) = match settings.capacity() {
        Capacity::Unbounded => (None, None),
        Capacity::Bounded { places, when_full } => (Some(places), Some(word(&when_full))),
    };
    tracing::info!(
        version = %env!("CARGO_PKG_VERSION"),
        %address,
        %admin,
        tls,
        instance_id = %instance_id,
        workers = settings.workers,
        service_time = ?settings.service_time,
        service_time_distribution = %word(&settings.service_time_distribution),
        slowdown = settings.slowdown.as_ref().map(tracing::field::display),
        contention = %settings.contention,
        fail_rate = %settings.fail_rate,
        fail_time = ?settings.fail_time,
        work = %word(&settings.work),
        accept = %word(&settings.accept),
        queue = %settings.queue,
        queue_capacity,
        when_full = when_full.as_deref().map(tracing::field::display),
        message_ttl = settings.message_ttl.map(tracing::field::debug),
        limit = %settings.limit_kind.name,
        concurrency_limit = settings.limit(),
        line = %settings.line.name,
        classes = %word(&settings.classes),
        max_waiting = settings.max_waiting,
        max_payload = settings.max_payload,
        max_service_demand = ?settings.max_service_demand,
        max_connections = settings.max_connections,
        drain_delay = ?settings.drain_delay,
        drain_timeout = ?settings.drain_timeout,
        seed = settings.seed,
        "serving"
    );
}

/// Checks a running service and prints the answer. The exit code does not depend on whether the text can be written.
async fn health(args: &HealthArgs) -> ExitCode {
    match args.ask().await {
        Ok(()) => {
            let _ = writeln!(io::stdout(), "{}: serving", args.url());
            ExitCode::SUCCESS
        }
        Err(error) => {
            let _ = writeln!(io::stderr(), "{}: {}", args.url(), as_given(&error));
            ExitCode::FAILURE
        }
    }
}
