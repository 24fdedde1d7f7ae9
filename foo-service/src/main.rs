//! The `foo-service` program: flags in, a service that serves until it is told to stop, an exit code.

use std::{
    io::{self, IsTerminal},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    process::ExitCode,
    time::Duration,
};

use clap::{Args, CommandFactory, Parser, Subcommand, error::ErrorKind};
use foo_service::{
    admin::Admin,
    app::{Parts, Service, accept, random_instance_id},
    config::{Listen, Settings},
    lifecycle::{ShutdownTrigger, shutdown},
    metrics::prometheus,
};
use tokio::{net::TcpListener, time::timeout};
use tonic::transport::Endpoint;
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient};
use tracing_subscriber::EnvFilter;

/// Messages were abandoned: the drain ran out of time.
const EXIT_ABANDONED: u8 = 3;

/// A gRPC service with one pool of workers behind two doors: Enqueue (fire-and-forget) and Process (synchronous).
///
/// SIGTERM or Ctrl-C drains: new work is refused, admitted work is finished. A second one stops at once. Exits with 0
/// after a complete drain, with 3 if messages were abandoned. RUST_LOG sets what is logged (default: info).
#[derive(Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    listen: Listen,
    #[command(flatten)]
    settings: Settings,
}

#[derive(Subcommand)]
enum Command {
    /// Ask a running service whether it serves; exit with 0 if it does, with 1 if not
    Health(HealthArgs),
}

#[derive(Args)]
struct HealthArgs {
    /// The service's gRPC address
    #[arg(long, env = "FOO_LISTEN", default_value = "127.0.0.1:50051")]
    listen: SocketAddr,
    /// How long it may take to answer
    #[arg(long, default_value = "2s", value_parser = humantime::parse_duration)]
    timeout: Duration,
}

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    match cli.command {
        Some(Command::Health(args)) => health(&args).await,
        None => {
            if let Err(error) = cli.settings.check() {
                Cli::command().error(ErrorKind::ValueValidation, error).exit();
            }
            start_logging();
            match run(cli.listen, cli.settings).await {
                Ok(code) => code,
                Err(error) => {
                    tracing::error!("{error}");
                    ExitCode::FAILURE
                }
            }
        }
    }
}

fn start_logging() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none())
        .init();
}

async fn run(listen: Listen, settings: Settings) -> Result<ExitCode, String> {
    let recorder = prometheus();
    let instance_id = random_instance_id();
    let service = Service::new(Parts {
        settings: settings.clone(),
        recorder: &recorder,
        instance_id: instance_id.clone(),
        owns_process: true,
    });
    let listener = TcpListener::bind(listen.listen).await.map_err(|error| {
        format!(
            "cannot listen on {} for gRPC: {error}; choose another with --listen",
            listen.listen
        )
    })?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    let admin = Admin::new(recorder, service.metrics(), service.ledger(), service.lifecycle());
    let admin = admin.start(listen.admin_listen).map_err(|error| {
        let address = listen.admin_listen;
        format!("cannot listen on {address} for /metrics: {error}; choose another with --admin-listen")
    })?;
    // Before anybody is told that it serves: a signal that comes right then has to drain as well.
    let signals = Signals::listen().map_err(|error| format!("cannot listen for signals: {error}"))?;
    log_start(&settings, address, admin, &instance_id);

    let (trigger, shutdown) = shutdown();
    tokio::spawn(listen_for_signals(signals, trigger));
    let drained = service
        .serve(accept(listener), shutdown)
        .await
        .map_err(|error| error.to_string())?;
    tracing::info!(abandoned = drained.abandoned, "stopped");
    Ok(if drained.abandoned == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(EXIT_ABANDONED)
    })
}

fn log_start(settings: &Settings, address: SocketAddr, admin: SocketAddr, instance_id: &str) {
    tracing::info!(
        %address,
        %admin,
        instance_id,
        workers = settings.workers,
        service_time = ?settings.service_time,
        service_time_distribution = ?settings.service_time_distribution,
        work = ?settings.work,
        queue = ?settings.capacity(),
        concurrency_limit = settings.limit(),
        max_waiting = settings.max_waiting,
        max_payload = settings.max_payload,
        max_service_demand = ?settings.max_service_demand,
        max_connections = settings.max_connections,
        drain_timeout = ?settings.drain_timeout,
        seed = settings.seed,
        "serving"
    );
}

/// The first signal drains, the second stops at once.
async fn listen_for_signals(mut signals: Signals, trigger: ShutdownTrigger) {
    signals.next().await;
    trigger.drain();
    signals.next().await;
    trigger.now();
}

/// SIGTERM and Ctrl-C. Listening from the start, so that none is lost between the first and the second.
struct Signals {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
}

impl Signals {
    #[cfg(unix)]
    fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    #[cfg(unix)]
    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }

    #[cfg(not(unix))]
    fn listen() -> io::Result<Self> {
        Ok(Self {})
    }

    #[cfg(not(unix))]
    async fn next(&mut self) {
        // It fails only where the system has no Ctrl-C: then there is nothing to wait for.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

async fn health(args: &HealthArgs) -> ExitCode {
    let url = format!("http://{}", reachable(args.listen));
    let asked = async {
        let endpoint = Endpoint::from_shared(url.clone()).map_err(|error| error.to_string())?;
        let channel = endpoint.connect().await.map_err(|error| cause(&error))?;
        let answer = HealthClient::new(channel).check(HealthCheckRequest::default()).await;
        let answer = answer.map_err(|status| format!("{:?}: {}", status.code(), status.message()))?;
        Ok::<_, String>(answer.into_inner().status())
    };
    match timeout(args.timeout, asked).await {
        Ok(Ok(ServingStatus::Serving)) => {
            println!("{url}: serving");
            ExitCode::SUCCESS
        }
        Ok(Ok(other)) => {
            eprintln!("{url}: {}", other.as_str_name());
            ExitCode::FAILURE
        }
        Ok(Err(error)) => {
            eprintln!("{url}: {error}");
            ExitCode::FAILURE
        }
        Err(_) => {
            eprintln!("{url}: no answer within {:?}", args.timeout);
            ExitCode::FAILURE
        }
    }
}

/// Where to reach a service that listens there: one that listens everywhere is asked on loopback.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

/// The innermost reason: tonic's own says no more than "transport error".
fn cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}
