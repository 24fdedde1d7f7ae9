//! The program's log: the program starts, serves and drains even if standard error is closed, full or not read.

use std::{fs::OpenOptions, net::SocketAddr, process::Stdio};

use crate::support::{
    demanding, message, ms,
    page::{get, samples},
    program::{Program, command, run},
    until_async, within_patience,
};
use foo_service::job::JobOutcome;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};

async fn lost(admin: SocketAddr) -> u64 {
    let (_, page) = get(admin, "/metrics").await;
    samples(&page)["foo_log_lines_lost_total"].parse().unwrap()
}

#[tokio::test]
async fn a_reader_of_the_log_that_leaves_costs_no_message() {
    let program = Program::start(&["--service-time", "20ms"], &[]).await;
    let caller = program.caller().await;
    for _ in 0..20 {
        caller.enqueue(message("acknowledged")).await.unwrap();
    }
    program.close_log();
    // Make the program log again and again, until it has noticed that the pipe is broken.
    until_async(async || {
        program.hang_up();
        lost(program.admin).await > 0
    })
    .await;
    program.terminate();
    // Exit code 0 means that all acknowledged messages were processed.
    assert_eq!(program.exit_code().await, Some(0));
}

#[tokio::test]
async fn a_reader_of_the_log_that_does_not_read_holds_nobody_up() {
    let program = Program::start(&["--service-time", "0s", "--workers", "100"], &[("RUST_LOG", "trace")]).await;
    program.stop_reading_log();
    let caller = program.caller().await;
    // At this log level a call logs about a hundred lines, which fill the pipe and then the log's own buffer.
    until_async(async || {
        caller.process(message("")).await.unwrap();
        lost(program.admin).await > 0
    })
    .await;
    caller.process(message("still served")).await.unwrap();
    program.terminate();
    assert_eq!(program.exit_code().await, Some(0));
}

#[tokio::test]
async fn a_log_on_a_full_disk_is_no_reason_not_to_start() {
    // The log cannot show the chosen ports, so the test chooses them. If another process takes one first, it chooses again.
    within_patience(async {
        loop {
            let free: Vec<_> = (0..2)
                .map(|_| std::net::TcpListener::bind("127.0.0.1:0").unwrap())
                .collect();
            let [listen, admin] = [0, 1].map(|at: usize| free[at].local_addr().unwrap());
            drop(free);
            let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
            let mut program = command(&[])
                .args(["--listen", &listen.to_string(), "--admin-listen", &admin.to_string()])
                .stderr(Stdio::from(full))
                .spawn()
                .unwrap();
            let health = async || run(&["health", "--listen", &listen.to_string()], &[]).await.0;
            while health().await != Some(0) {
                if program
                    .try_wait()
                    .unwrap()
                    .is_some_and(|status| status.code() == Some(1))
                {
                    break;
                }
                assert_eq!(program.try_wait().unwrap(), None, "it has not ended");
            }
            if program.try_wait().unwrap().is_none() {
                assert!(lost(admin).await > 0);
                program.kill().await.unwrap();
                return;
            }
        }
    })
    .await;
}

#[tokio::test]
async fn health_and_help_do_not_mind_a_full_or_closed_output() {
    let program = Program::start(&[], &[]).await;
    let address = program.address.to_string();
    for (arguments, code) in [
        (&["health", "--listen", &*address][..], 0),
        (&["health", "--listen", "127.0.0.1:1", "--timeout", "1s"], 1),
        (&["--workers", "0"], 2),
        // The requested text cannot be written.
        (&["--help"], 1),
        (&["--version"], 1),
    ] {
        let full = || Stdio::from(OpenOptions::new().write(true).open("/dev/full").unwrap());
        let status = command(&[])
            .args(arguments)
            .stdout(full())
            .stderr(full())
            .status()
            .await
            .unwrap();
        assert_eq!(status.code(), Some(code), "{arguments:?}");
    }
    let mut child = command(&[]).arg("--help").spawn().unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().await.unwrap().code(), Some(0), "nobody's fault");
}

#[tokio::test]
async fn sighup_without_certificates_is_ignored_and_logged() {
    let mut program = Program::start(&[], &[]).await;
    program.hang_up();
    program.logged("there are no certificates to reload").await;
    program.caller().await.process(demanding("", ms(0))).await.unwrap();
    program.terminate();
    assert_eq!(program.exit_code().await, Some(0));
}

#[tokio::test]
async fn as_json_each_line_is_an_object_with_its_time_level_and_message() {
    let mut program = command(&[("FOO_LOG_FORMAT", "json"), ("FOO_WORKER", "2")])
        .args(["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"])
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(program.stderr.take().unwrap()).lines();
    let mut next = async || -> serde_json::Value {
        let line = within_patience(lines.next_line()).await.unwrap().unwrap();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
    };
    let warning = next().await;
    assert_eq!(warning["level"], "WARN");
    assert!(
        warning["message"].as_str().unwrap().contains("FOO_WORKERS"),
        "{warning}"
    );
    let start = next().await;
    assert_eq!(
        (&start["level"], &start["message"]),
        (&"INFO".into(), &"serving".into())
    );
    assert_eq!((&start["workers"], &start["queue"]), (&1.into(), &"bounded".into()));
    assert!(start["timestamp"].as_str().unwrap().ends_with('Z'), "{start}");
    program.kill().await.unwrap();
}

#[tokio::test]
async fn a_log_level_that_makes_no_sense_is_refused_with_an_example() {
    let (code, _, stderr) = run(&[], &[("RUST_LOG", "foo=bananas")]).await;
    assert_eq!(code, Some(2));
    assert!(
        stderr.contains("RUST_LOG=foo=bananas") && stderr.contains("foo_service=debug"),
        "{stderr}"
    );
    let (code, _, stderr) = run(&[], &[("RUST_LOG", "inof")]).await;
    assert_eq!(code, Some(2));
    assert!(
        stderr.contains("there is no level inof: did you mean info?"),
        "{stderr}"
    );
    // An empty variable counts as unset, so the level is info.
    Program::start(&[], &[("RUST_LOG", "")]).await;
}

#[tokio::test]
async fn rejected_requests_leave_one_line_in_the_log() {
    let flags = ["--queue-capacity", "1", "--max-waiting", "0", "--drain-timeout", "0s"];
    let mut program = Program::start(&flags, &[]).await;
    let caller = program.caller().await;
    for _ in 0..10 {
        let _ = caller.enqueue(demanding("", ms(60_000))).await;
    }
    program.terminate();
    let line = program.logged("rejected 8 requests in the last").await;
    assert!(line.contains("8 because the queue was full"), "{line}");
    program.logged(&format!("{}=2", JobOutcome::Abandoned.label())).await;
}

#[tokio::test]
async fn a_closed_standard_error_is_no_reason_not_to_serve() {
    let mut shell = tokio::process::Command::new("/bin/sh");
    shell
        .args([
            "-c",
            "exec \"$0\" \"$@\" 2>&-",
            env!("CARGO_BIN_EXE_foo-service"),
            "--version",
        ])
        .stdout(Stdio::piped());
    let mut child = shell.spawn().unwrap();
    let mut version = String::new();
    child.stdout.take().unwrap().read_to_string(&mut version).await.unwrap();
    assert_eq!(version.trim(), concat!("foo-service ", env!("CARGO_PKG_VERSION")));
    assert_eq!(child.wait().await.unwrap().code(), Some(0));
}
