//! The `foo-service` program: flags in, a service that serves until it is told to stop, an exit code.

use std::{
    io::{self, IsTerminal},
    net::SocketAddr,
    process::ExitCode,
    sync::Arc,
};

use clap::{CommandFactory, Parser, Subcommand, error::ErrorKind};
use foo_service::{
    admin::Admin,
    app::{Parts, Service, accept, random_instance_id},
    config::{Listen, Settings, TlsArgs},
    health::HealthArgs,
    lifecycle::{ShutdownTrigger, shutdown},
    metrics::prometheus,
    tls::{Certificates, secure},
};
use tokio::net::TcpListener;
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
    tls: TlsArgs,
    #[command(flatten)]
    settings: Settings,
}

#[derive(Subcommand)]
enum Command {
    /// Ask a running service whether it serves; exit with 0 if it does, with 1 if not
    Health(HealthArgs),
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
            match run(cli.listen, cli.tls, cli.settings).await {
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

async fn run(listen: Listen, tls: TlsArgs, settings: Settings) -> Result<ExitCode, String> {
    let certificates = tls.files().map(Certificates::load).transpose();
    let certificates = certificates.map_err(|error| error.to_string())?.map(Arc::new);
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
    if let Some(certificates) = &certificates {
        let certificates = Arc::clone(certificates);
        listen_for_hangup(certificates).map_err(|error| format!("cannot listen for SIGHUP: {error}"))?;
    }
    log_start(&settings, address, admin, &instance_id, certificates.is_some());

    let (trigger, shutdown) = shutdown();
    tokio::spawn(listen_for_signals(signals, trigger));
    let incoming = accept(listener);
    let drained = match certificates {
        None => service.serve(incoming, shutdown).await,
        Some(certificates) => service.serve(secure(incoming, certificates), shutdown).await,
    };
    let drained = drained.map_err(|error| error.to_string())?;
    tracing::info!(abandoned = drained.abandoned, "stopped");
    Ok(if drained.abandoned == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(EXIT_ABANDONED)
    })
}

fn log_start(settings: &Settings, address: SocketAddr, admin: SocketAddr, instance_id: &str, tls: bool) {
    tracing::info!(
        %address,
        %admin,
        tls,
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

/// Has the certificates read again at every SIGHUP.
#[cfg(unix)]
fn listen_for_hangup(certificates: Arc<Certificates>) -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut hangup = signal(SignalKind::hangup())?;
    tokio::spawn(async move {
        while hangup.recv().await.is_some() {
            match certificates.reload() {
                Ok(()) => tracing::info!("certificates read again, for connections to come"),
                Err(error) => tracing::error!(%error, "certificates not read again: those from before stay"),
            }
        }
    });
    Ok(())
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "the pair of the one above")]
fn listen_for_hangup(_: Arc<Certificates>) -> io::Result<()> {
    Ok(())
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
    match args.ask().await {
        Ok(()) => {
            println!("{}: serving", args.url());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{}: {error}", args.url());
            ExitCode::FAILURE
        }
    }
}
