//! The program's environment: an empty variable counts as unset, an error names the source of the value, and settings that
//! contradict each other are refused, whether they come from flags or from variables.

use crate::support::program::{Program, run};

#[tokio::test]
async fn an_empty_variable_is_an_unset_one() {
    let names = [
        "FOO_WORKERS",
        "FOO_SERVICE_TIME",
        "FOO_SERVICE_TIME_DISTRIBUTION",
        "FOO_SLOWDOWN",
        "FOO_FAIL_RATE",
        "FOO_FAIL_TIME",
        "FOO_WORK",
        "FOO_QUEUE",
        "FOO_QUEUE_CAPACITY",
        "FOO_QUEUE_DIR",
        "FOO_QUEUE_DEDUPE",
        "FOO_WHEN_FULL",
        "FOO_CONCURRENCY_LIMIT",
        "FOO_LIMIT",
        "FOO_LINE",
        "FOO_CLASSES",
        "FOO_TARGET_WAIT",
        "FOO_MAX_WAITING",
        "FOO_MAX_PAYLOAD",
        "FOO_MAX_SERVICE_DEMAND",
        "FOO_MAX_CONNECTIONS",
        "FOO_DRAIN_DELAY",
        "FOO_DRAIN_TIMEOUT",
        "FOO_SEED",
        "FOO_LISTEN",
        "FOO_ADMIN_LISTEN",
        "FOO_TLS_CERT",
        "FOO_TLS_KEY",
        "FOO_TLS_CLIENT_CA",
        "FOO_LOG_FORMAT",
        "FOO_HEALTH_CERT",
        "FOO_HEALTH_KEY",
    ];
    let empty = names.map(|name| (name, ""));
    let program = Program::start(&[], &empty).await;
    for setting in ["tls=false", "workers=1", "queue_capacity=1000", "concurrency_limit=1"] {
        assert!(
            program.start_line.contains(setting),
            "{setting}: {}",
            program.start_line
        );
    }
    let address = program.address.to_string();
    assert_eq!(run(&["health", "--listen", &address], &empty).await.0, Some(0));
    // Help names empty variables too.
    let (code, help, _) = run(&["--help"], &empty).await;
    assert_eq!(code, Some(0));
    for name in names.iter().filter(|name| !name.starts_with("FOO_HEALTH")) {
        assert!(help.contains(name), "{name}: {help}");
    }
}

#[tokio::test]
async fn an_error_names_the_variable_or_the_flag_that_it_came_from() {
    for (arguments, environment, said) in [
        (&[][..], &[("FOO_WORKERS", "many")][..], "'FOO_WORKERS'"),
        (&["--workers", "many"], &[("FOO_WORKERS", "2")], "'--workers <WORKERS>'"),
        (
            &["--seed", "1"],
            &[("FOO_QUEUE", "round"), ("FOO_SEED", "x")],
            "'FOO_QUEUE'",
        ),
        (&["health"], &[("FOO_LISTEN", ":50051")], "'FOO_LISTEN'"),
        (&[], &[("FOO_TLS_CERT", "/cert.pem")], "FOO_TLS_CERT needs it"),
        (
            &[],
            &[("FOO_TLS_KEY", "/key.pem"), ("FOO_TLS_CERT", "")],
            "FOO_TLS_KEY needs it",
        ),
    ] {
        let (code, _, stderr) = run(arguments, environment).await;
        assert_eq!(code, Some(2), "{environment:?}: {stderr}");
        assert!(stderr.contains(said), "{environment:?}: {stderr}");
    }
}

#[tokio::test]
async fn an_error_found_after_parsing_names_the_variable_or_the_flag_too() {
    let files = [("FOO_TLS_CERT", "/nowhere.pem"), ("FOO_TLS_KEY", "/nowhere.key")];
    for (arguments, environment, said) in [
        (&[][..], &files[..], "FOO_TLS_CERT /nowhere.pem: "),
        (
            &["--tls-cert", "/elsewhere.pem"],
            &files[1..],
            "--tls-cert /elsewhere.pem: ",
        ),
        (
            &[],
            &[("FOO_LISTEN", "no-such-host.invalid:1")],
            "choose another address with FOO_LISTEN",
        ),
        (
            &["--listen", "no-such-host.invalid:1"],
            &[],
            "choose another address with --listen",
        ),
    ] {
        let (code, _, stderr) = run(arguments, environment).await;
        assert_eq!(code, Some(1), "{environment:?}: {stderr}");
        assert!(stderr.contains(said), "{said}: {stderr}");
    }
}

#[tokio::test]
async fn settings_that_contradict_each_other_are_refused_wherever_they_come_from() {
    for (arguments, environment, said) in [
        (
            &[][..],
            &[("FOO_QUEUE", "unbounded"), ("FOO_QUEUE_CAPACITY", "8")][..],
            "FOO_QUEUE and FOO_QUEUE_CAPACITY contradict each other",
        ),
        (
            &["--queue", "unbounded"],
            &[("FOO_WHEN_FULL", "reject")],
            "--queue and FOO_WHEN_FULL contradict each other",
        ),
        (
            &["--queue=unbounded", "--queue-capacity=8"],
            &[],
            "--queue and --queue-capacity contradict each other",
        ),
        (
            &["--service-time", "0s", "--service-time-distribution", "pareto"],
            &[],
            "--service-time and --service-time-distribution contradict each other",
        ),
        (
            &["--line", "shed"],
            &[("FOO_MAX_WAITING", "8")],
            "--line and FOO_MAX_WAITING contradict each other: with the line shed no call waits",
        ),
        (
            &["--classes=shared"],
            &[("FOO_LINE", "shed")],
            "FOO_LINE and --classes contradict each other",
        ),
        (
            &["--line=lifo", "--target-wait=50ms"],
            &[],
            "--line and --target-wait contradict each other: this line does not look at how long calls wait",
        ),
        (
            &[],
            &[("FOO_FAIL_TIME", "10ms")],
            "FOO_FAIL_TIME has no effect, because no message fails: give --fail-rate too, or leave FOO_FAIL_TIME out",
        ),
        (
            &["--fail-time=10ms", "--fail-rate=0%"],
            &[],
            "--fail-time has no effect, because no message fails",
        ),
    ] {
        let (code, _, stderr) = run(arguments, environment).await;
        assert_eq!(code, Some(2), "{said}: {stderr}");
        assert!(stderr.contains(said), "{said}: {stderr}");
    }
    // A default or an unset value contradicts no other setting.
    for (arguments, environment) in [
        (&["--queue", "unbounded"][..], &[("FOO_QUEUE_CAPACITY", "")][..]),
        (&["--line=shed"], &[("FOO_MAX_WAITING", "")]),
        (&["--fail-rate=5%"], &[("FOO_FAIL_TIME", "10ms")]),
        (
            &[
                "--line=codel",
                "--target-wait=50ms",
                "--classes=shared",
                "--max-waiting=8",
            ],
            &[],
        ),
    ] {
        Program::start(arguments, environment).await;
    }
}

#[tokio::test]
async fn a_variable_that_nobody_knows_is_told_with_the_nearest_name() {
    let mut shown = Program::start(&["--workers", "2"], &[("FOO_SERVICE_TIMES", "1s"), ("FOO_BAR", "1")]).await;
    assert!(shown.start_line.contains("service_time=250ms"));
    shown.terminate();
    // Warnings come before the start line, so they also appear if the start fails.
    let refused = run(
        &["--listen", "127.0.0.1:1", "--admin-listen", "nowhere.invalid:1"],
        &[("FOO_SERVICE_TIMES", "1s")],
    )
    .await;
    assert!(refused.2.contains("did you mean FOO_SERVICE_TIME?"), "{}", refused.2);
    shown.logged("stopped").await;
}

#[tokio::test]
async fn every_subcommand_warns_of_a_variable_that_nobody_knows() {
    let program = Program::start(&[], &[]).await;
    let address = program.address.to_string();
    let unknown = [("FOO_HEALTH_CERTS", "x"), ("FOO_BAR", "1")];
    let (code, stdout, stderr) = run(&["health", "--listen", &address], &unknown).await;
    assert_eq!(code, Some(0), "{stderr}");
    assert!(stdout.contains("serving"), "{stdout}");
    assert_eq!(
        stderr.lines().collect::<Vec<_>>(),
        [
            "foo-service: FOO_BAR is set, but foo-service knows no such variable; --help lists those that it knows",
            "foo-service: FOO_HEALTH_CERTS is set, but foo-service knows no such variable: did you mean FOO_HEALTH_CERT?",
        ]
    );
    let (code, _, stderr) = run(&["dead-letters", "list"], &unknown).await;
    assert_eq!(code, Some(1), "{stderr}");
    assert!(stderr.contains("did you mean FOO_HEALTH_CERT?"), "{stderr}");
}

#[tokio::test]
async fn an_address_may_be_a_name_and_one_that_is_none_is_told_with_an_example() {
    let program = Program::start(&["--listen", "localhost:0", "--admin-listen", "localhost:0"], &[]).await;
    assert!(program.address.ip().is_loopback() && program.admin.ip().is_loopback());
    let by_name = format!("localhost:{}", program.address.port());
    assert_eq!(run(&["health", "--listen", &by_name], &[]).await.0, Some(0));
    for (address, said) in [
        (":50051", "0.0.0.0:50051"),
        ("localhost", "localhost:50051"),
        ("127.0.0.1:99999", "from 0 to 65535"),
        ("http://127.0.0.1:50051", "leave out http://"),
    ] {
        for flag in ["--listen", "--admin-listen"] {
            let (code, _, stderr) = run(&[&format!("{flag}={address}")], &[]).await;
            assert_eq!(code, Some(2), "{address}: {stderr}");
            assert!(stderr.contains(said) && stderr.contains(flag), "{address}: {stderr}");
        }
    }
    let (code, _, stderr) = run(&["--listen", "no-such-host.invalid:1"], &[]).await;
    assert_eq!(code, Some(1), "{stderr}");
    assert!(
        stderr.contains("cannot listen on no-such-host.invalid:1 for gRPC"),
        "{stderr}"
    );
}

#[tokio::test]
async fn a_credential_is_shown_nowhere() {
    for secret in [
        "nats://me:s3cret@h",
        "nats://s3cret@h",
        "nats://me:s3cret",
        "nats://me:s3 cret@h",
        "nats:me:s3cret@h",
        "me:s3cret",
        "http://me:s3cret@h",
        "s3cret@h",
    ] {
        for (flag, variable) in [
            ("--queue", "FOO_QUEUE"),
            ("--listen", "FOO_LISTEN"),
            ("--admin-listen", "FOO_ADMIN_LISTEN"),
        ] {
            let typed = run(&[&format!("{flag}={secret}")], &[]).await;
            let set = run(&[], &[(variable, secret)]).await;
            for ((code, _, stderr), name) in [(typed, flag), (set, variable)] {
                assert_eq!(code, Some(2), "{secret}: {stderr}");
                assert!(stderr.contains(name), "{secret}: {stderr}");
                assert!(!stderr.contains("s3"), "{secret}: {stderr}");
            }
        }
        let (code, _, stderr) = run(&[secret], &[]).await;
        let may_be_one = secret.contains(['@', '/']);
        assert!(
            code == Some(2) && (!stderr.contains("s3") || !may_be_one),
            "{secret}: {stderr}"
        );
        let (code, help, _) = run(&["--help"], &[("FOO_QUEUE", secret)]).await;
        assert!(code == Some(0) && !help.contains("s3"), "{help}");
    }
    // A wrong word is no credential, so the error repeats it.
    assert!(run(&["--queue=bonded"], &[]).await.2.contains("'bonded'"));
}
