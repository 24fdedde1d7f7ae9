//! The program's flags, variables, log level and `health` command: the service runs with the given settings, and an error
//! names the flag that is wrong.

use crate::support::program::{Program, run};
use foo_proto::v1::{ProcessRequest, foo_service_client::FooServiceClient};
use tonic::Request;

#[tokio::test]
async fn the_start_line_shows_the_defaults() {
    let program = Program::start(&[], &[]).await;
    for setting in [
        "workers=1",
        "service_time=250ms",
        "service_time_distribution=constant",
        "fail_rate=0% fail_time=0ns",
        "work=sleep",
        "queue=bounded queue_capacity=1000 when_full=reject",
        "limit=auto concurrency_limit=1 line=auto classes=off max_waiting=1000",
        "max_payload=1048576",
        "drain_delay=0ns drain_timeout=30s",
    ] {
        assert!(
            program.start_line.contains(setting),
            "{setting}: {}",
            program.start_line
        );
    }
}

#[tokio::test]
async fn every_flag_has_an_environment_variable() {
    let environment = [
        ("FOO_WORKERS", "3"),
        ("FOO_SERVICE_TIME", "20ms"),
        ("FOO_SERVICE_TIME_DISTRIBUTION", "bimodal"),
        ("FOO_SLOWDOWN", "60s:1x,20s:1.5x"),
        ("FOO_FAIL_RATE", "0.5%"),
        ("FOO_FAIL_TIME", "3ms"),
        ("FOO_WORK", "cpu"),
        ("FOO_QUEUE", "bounded"),
        ("FOO_QUEUE_CAPACITY", "10k"),
        ("FOO_WHEN_FULL", "drop-oldest"),
        ("FOO_MESSAGE_TTL", "30s"),
        ("FOO_CONTENTION", "2%"),
        ("FOO_CONCURRENCY_LIMIT", "5"),
        ("FOO_CLASSES", "strict"),
        ("FOO_MAX_WAITING", "0"),
        ("FOO_MAX_PAYLOAD", "64KiB"),
        ("FOO_MAX_SERVICE_DEMAND", "5s"),
        ("FOO_MAX_CONNECTIONS", "7"),
        ("FOO_DRAIN_DELAY", "5s"),
        ("FOO_DRAIN_TIMEOUT", "1m"),
        ("FOO_SEED", "42"),
    ];
    let program = Program::start(&[], &environment).await;
    for setting in [
        "workers=3",
        "service_time=20ms",
        "service_time_distribution=bimodal slowdown=1m:1x,20s:1.5x contention=2% fail_rate=0.5% fail_time=3ms",
        "work=cpu",
        "queue=bounded queue_capacity=10000 when_full=drop-oldest message_ttl=30s",
        "concurrency_limit=5",
        "classes=strict max_waiting=0",
        "max_payload=65536",
        "max_service_demand=5s",
        "max_connections=7",
        "drain_delay=5s",
        "drain_timeout=60s",
        "seed=42",
    ] {
        assert!(
            program.start_line.contains(setting),
            "{setting}: {}",
            program.start_line
        );
    }
}

#[tokio::test]
async fn a_flag_wins_over_the_environment() {
    let program = Program::start(&["--workers", "2"], &[("FOO_WORKERS", "3")]).await;
    assert!(program.start_line.contains("workers=2"), "{}", program.start_line);
}

#[tokio::test]
async fn a_bad_value_exits_with_2_and_names_the_flag() {
    for (flag, value) in [
        ("--workers", "0"),
        ("--workers", "many"),
        ("--workers", "1.5"),
        ("--log-format", "xml"),
        ("--drain-delay", "2h"),
        ("--service-time", "5"),
        ("--service-time", "2h"),
        ("--service-time-distribution", "normal"),
        ("--slowdown", "60s:1.5"),
        ("--fail-rate", "0.05"),
        ("--contention", "2"),
        ("--message-ttl", "5"),
        ("--fail-time", "2h"),
        ("--work", "play"),
        ("--queue", "round"),
        ("--queue-capacity", "0"),
        ("--when-full", "panic"),
        ("--concurrency-limit", "0"),
        ("--limit", "none"),
        ("--line", "queue"),
        ("--classes", "yes"),
        ("--max-waiting", "-1"),
        ("--max-payload", "65MiB"),
        ("--max-service-demand", "61m"),
        ("--max-connections", "0"),
        ("--drain-timeout", "soon"),
        ("--seed", "x"),
        ("--listen", "nowhere"),
        ("--admin-listen", "127.0.0.1"),
    ] {
        let flag_and_value = format!("{flag}={value}");
        let (code, _, stderr) = run(&[&flag_and_value], &[]).await;
        assert_eq!(code, Some(2), "{flag_and_value}: {stderr}");
        assert!(stderr.contains(flag), "{flag_and_value}: {stderr}");
    }
    let (code, _, stderr) = run(&[], &[("FOO_WORKERS", "0")]).await;
    assert_eq!(code, Some(2));
    assert!(
        stderr.contains("FOO_WORKERS") && !stderr.contains("--workers"),
        "{stderr}"
    );
}

#[tokio::test]
async fn an_address_in_use_exits_with_1_and_names_the_flag_to_change() {
    let program = Program::start(&[], &[]).await;
    let (taken, taken_admin) = (program.address.to_string(), program.admin.to_string());
    for (listen, admin, flag) in [
        (&*taken, "127.0.0.1:0", "--listen"),
        ("127.0.0.1:0", &*taken_admin, "--admin-listen"),
    ] {
        let (code, _, stderr) = run(&["--listen", listen, "--admin-listen", admin], &[]).await;
        assert_eq!(code, Some(1), "{stderr}");
        assert!(stderr.contains(flag), "{stderr}");
    }
}

#[tokio::test]
async fn health_exits_with_0_against_a_running_service() {
    let program = Program::start(&[], &[]).await;
    let address = program.address.to_string();
    let (code, stdout, stderr) = run(&["health", "--listen", &address], &[]).await;
    assert_eq!((code, &*stderr), (Some(0), ""));
    assert!(stdout.contains("serving"), "{stdout}");
    // As in a container, `health` runs with the service's environment, which has its address.
    let environment = [("FOO_LISTEN", &*address), ("FOO_WORKERS", "2")];
    assert_eq!(run(&["health"], &environment).await.0, Some(0));
    // `health` asks a service that listens on all addresses on loopback.
    let everywhere = format!("0.0.0.0:{}", program.address.port());
    assert_eq!(run(&["health", "--listen", &everywhere], &[]).await.0, Some(0));
}

#[tokio::test]
async fn health_exits_with_1_where_there_is_none_or_one_that_drains() {
    // The port is bound but does not listen: no other process can get it, and connections to it are refused.
    let free = tokio::net::TcpSocket::new_v4().unwrap();
    free.bind(std::net::SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let address = free.local_addr().unwrap().to_string();
    let (code, _, stderr) = run(&["health", "--listen", &address], &[]).await;
    assert_eq!(code, Some(1));
    assert!(stderr.contains(&address), "{stderr}");

    let mut program = Program::start(&[], &[]).await;
    let endless = crate::support::demanding("", crate::support::ms(60_000));
    program.caller().await.enqueue(endless).await.unwrap();
    program.terminate();
    program.logged(" draining ").await;
    let address = program.address.to_string();
    let (code, _, stderr) = run(&["health", "--listen", &address], &[]).await;
    assert_eq!(code, Some(1));
    assert!(stderr.contains("NOT_SERVING"), "{stderr}");
}

#[tokio::test]
async fn health_exits_with_1_where_nobody_answers() {
    // This server accepts connections and never answers.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = silent.local_addr().unwrap().to_string();
    let (code, _, stderr) = run(&["health", "--listen", &address, "--timeout", "50ms"], &[]).await;
    assert_eq!(code, Some(1));
    assert!(stderr.contains("no answer"), "{stderr}");
}

/// Calls Process with this request id, and returns the request id in the answer.
async fn request_id(program: &Program, sent: Option<&'static str>) -> Option<String> {
    let connection = program.caller().await.connection;
    let mut client = FooServiceClient::with_origin(connection, crate::support::origin());
    let mut request = Request::new(ProcessRequest {
        message: Some(crate::support::demanding("", crate::support::ms(0))),
    });
    if let Some(id) = sent {
        request.metadata_mut().insert("x-request-id", id.parse().unwrap());
    }
    let answer = client.process(request).await.unwrap();
    let id = answer.metadata().get("x-request-id")?;
    Some(id.to_str().unwrap().to_owned())
}

#[tokio::test]
async fn calls_are_logged_under_their_request_ids_where_debug_is_asked_for() {
    let mut program = Program::start(&[], &[("RUST_LOG", "debug")]).await;
    assert_eq!(request_id(&program, Some("mine")).await.as_deref(), Some("mine"));
    program.logged("request_id=\"mine\"").await;
    let made = request_id(&program, None).await.unwrap();
    program.logged(&format!("request_id=\"{made}\"")).await;
}

#[tokio::test]
async fn where_it_is_not_only_a_callers_own_request_id_comes_back() {
    let program = Program::start(&[], &[]).await;
    assert_eq!(request_id(&program, Some("mine")).await.as_deref(), Some("mine"));
    assert_eq!(request_id(&program, None).await, None);
}
