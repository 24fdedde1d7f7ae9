//! Faulty targets: frozen, silent, closing connections at once, or only partly reachable. And a load client that is itself
//! frozen, which its report must say.

use std::{
    io::Read,
    net::TcpListener,
    sync::atomic::{AtomicU32, Ordering::Relaxed},
    thread,
};

use crate::support::{Running, Service, assert_balanced, load_client, report, signal};
use rustix::process::Signal;

#[test]
fn a_peer_that_accepts_and_says_nothing_is_given_up_on() {
    // Without the ping in `transport/link.rs` this test fails: the connection counts as established, and the load begins.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let output = load_client(["run", &url, "--connect-timeout", "300ms"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("no connection within 300ms"), "{said}");
}

#[test]
fn a_peer_that_closes_at_once_is_not_dialled_without_end() {
    static ACCEPTED: AtomicU32 = AtomicU32::new(0);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for connection in listener.incoming() {
            ACCEPTED.fetch_add(1, Relaxed);
            drop(connection);
        }
    });
    let output = load_client(["run", &url, "--connect-timeout", "2s"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    // Two connections are dialled again after pauses of 50 ms, which double up to a second.
    assert!(ACCEPTED.load(Relaxed) < 40, "{ACCEPTED:?} connections in 2 s");
}

#[test]
fn a_peer_that_speaks_something_else_is_named_as_such() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for mut connection in listener.incoming().map_while(Result::ok) {
            use std::io::Write;
            let _ = connection.read(&mut [0; 64]);
            let _ = connection.write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n");
        }
    });
    let output = load_client(["run", &url, "--connect-timeout", "500ms"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty(), "nothing is printed as a result");
}

#[test]
fn one_target_that_is_not_there_costs_no_other_its_row() {
    let service = Service::start(["--service-time", "1ms"]);
    let there = format!("there=process:{}", service.url);
    let args = [
        "compare",
        "--target",
        "gone=process:http://127.0.0.1:1",
        "--target",
        &there,
        "-z",
        "1s",
    ];
    let (output, report) = report(args.into_iter().chain(["--connect-timeout", "300ms", "-q"]));
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        said.contains("gone: FAILED: http://127.0.0.1:1: no connection within 300ms"),
        "{said}"
    );
    assert_eq!(report.runs.len(), 1);
    assert_eq!(report.runs[0].ledger.ok, 8);
}

#[test]
fn a_generator_that_was_frozen_does_not_call_it_backpressure() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.json");
    let service = Service::start(["--service-time", "1ms"]);
    let mut command = load_client(["run", &service.url, "-c", "4", "-r", "200", "-z", "6s"]);
    command.args(["--when-blocked", "withhold", "--json"]).arg(&file);
    let client = Running::start(command);
    client.wait_for_line("scheduled");
    signal(client.child(), Signal::STOP);
    // The freeze must last for a fixed time, so there is no condition to wait for.
    let thawed = std::time::Instant::now() + std::time::Duration::from_millis(1500);
    while let Some(left) = thawed.checked_duration_since(std::time::Instant::now()) {
        thread::park_timeout(left);
    }
    signal(client.child(), Signal::CONT);
    let (status, said) = client.wait();
    assert!(status.success(), "{said:?}");
    let report: load_client::report::Report = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    let run = &report.runs[0];
    assert_balanced(run);
    assert!(run.verdict.client_limited, "{:?}", run.verdict);
}

#[test]
fn the_reason_of_a_failure_is_given_once() {
    let service = Service::start(["--service-time", "0s"]);
    let output = load_client([
        "run",
        &service.url,
        "-n",
        "3",
        "-r",
        "0",
        "--payload-size",
        "1500KiB",
        "-q",
    ])
    .output()
    .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        said.contains("message.payload: has 1536000 bytes, the limit is 1048576"),
        "{said}"
    );
    assert!(said.contains("nothing succeeded"), "{said}");
}
