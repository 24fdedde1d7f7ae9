//! `--call`: any unary method, described by the server's reflection, by a .proto file or by a descriptor set. If that fails, one
//! line says what to do. These tests use FooService as an example; `tests/foreign` has other services.

use std::{
    io::{Read, Write},
    net::TcpListener,
    path::{Path, PathBuf},
    process::Output,
    thread,
};

use crate::support::{Service, assert_balanced, load_client, report};
use bytes::Bytes;

/// The folder with the contract of FooService, `foo/v1/foo.proto`.
fn contracts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("proto")
}

fn service() -> Service {
    Service::start(["--service-time", "1ms"])
}

/// Runs a few calls and returns their report.
fn called(url: &str, args: &[&str]) -> load_client::report::Run {
    let (output, report) = report(["run", url, "-n", "40", "-r", "200", "-q"].iter().chain(args));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let run = report.runs.into_iter().next().unwrap();
    assert_balanced(&run);
    run
}

/// Asserts that the program refused to run: with one line on stderr, which is returned, and nothing on stdout.
fn refused(output: &Output, code: i32) -> String {
    let said = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(code), "{said}");
    assert!(output.stdout.is_empty(), "nothing is printed as a result");
    assert_eq!(said.trim_end().lines().count(), 1, "{said}");
    said
}

#[test]
fn a_method_is_driven_by_reflection_in_a_closed_and_an_open_loop() {
    let service = service();
    let data = r#"{"message": {"id": "{{id}}", "payload": "AAEC", "serviceDemand": "0.001s"}}"#;
    for load in [&["-c", "4"][..], &["-c", "2", "--max-in-flight", "50"]] {
        let args = [&["--call", "foo.v1.FooService/Process", "--data", data], load].concat();
        let run = called(&service.url, &args);
        assert_eq!(run.ledger.ok, 40, "{:?}", run.ledger);
        assert_eq!(run.rpc, "foo.v1.FooService/Process");
        assert_eq!(run.response_time_seconds["ok"].count, 40);
        assert!(run.goodput_rps.unwrap() > 0.0, "an OK counts as done");
        // The service processed as many messages as were sent.
        assert_eq!(run.service.unwrap().counts.completed, 40);
        assert!(run.audit.is_none());
    }
}

#[test]
fn a_method_is_driven_by_files_that_describe_it() {
    let service = service();
    let folder = tempfile::tempdir().unwrap();
    let set = folder.path().join("foo.bin");
    std::fs::write(&set, foo_proto::v1::FILE_DESCRIPTOR_SET).unwrap();
    let data = folder.path().join("data.json");
    std::fs::write(&data, r#"{"message": {"id": "{{counter}}"}}"#).unwrap();
    let (proto, root) = (contracts().join("foo/v1/foo.proto"), contracts());
    let [set, data, proto, root] = [&set, &data, &proto, &root].map(|path| path.to_str().unwrap());
    let call = ["--call", "foo.v1.FooService/Enqueue", "--data-file", data];
    for described in [
        &["--proto", proto][..],
        &["--proto", "foo/v1/foo.proto", "--proto-path", root],
        &["--descriptor-set", set],
    ] {
        let run = called(&service.url, &[&call, described].concat());
        assert_eq!(run.ledger.ok, 40, "{described:?}");
    }
}

#[test]
fn a_message_that_the_service_refuses_is_a_failure_with_its_reason() {
    let service = service();
    // Without data the request is an empty message, which FooService refuses.
    let args = [
        "run",
        &service.url,
        "--call",
        "foo.v1.FooService/Process",
        "-n",
        "3",
        "-q",
    ];
    let (output, report) = report(args);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("INVALID_ARGUMENT: message"), "{said}");
    assert_eq!(report.runs[0].ledger.failed, 3);
}

#[test]
fn what_cannot_be_called_is_said_in_one_line_with_what_to_do() {
    let service = service();
    let run = |args: &[&str]| {
        load_client(["run", &service.url, "-q"].iter().chain(args))
            .output()
            .unwrap()
    };
    let process = "foo.v1.FooService/Process";
    for (args, said) in [
        (
            &["--call", "foo.v1.Nobody/Process"][..],
            "there are foo.v1.FooService, grpc.health.v1.Health",
        ),
        (
            &["--call", "foo.v1.FooService/Proceed"],
            "has no method Proceed; it has Enqueue, Process, Watch",
        ),
        (&["--call", "foo.v1.FooService/Watch"], "only unary methods"),
        (&["--call", process, "--data", "{"], "the data is not JSON"),
        (
            &["--call", process, "--data", r#"{"massage": {}}"#],
            "'massage' (did you mean 'message'?). foo.v1.ProcessRequest has the fields message",
        ),
        (
            &["--call", process, "--data", r#"{"message": {"ID": ""}}"#],
            "foo.v1.Message has the fields id, payload",
        ),
        (
            &["--call", process, "--data", r#"{"message": {"id": 5}}"#],
            "id: invalid type",
        ),
        (
            &["--call", process, "--data", r#"{"message": {"id": "{{Id}}"}}"#],
            "there are {{counter}}",
        ),
        (
            &["--call", process, "--data-file", "/nowhere.json"],
            "--data-file /nowhere.json: No such file",
        ),
        (
            &["--call", process, "--proto", "/nowhere.proto"],
            "/nowhere.proto: there is no such file",
        ),
        (
            &["--call", process, "--descriptor-set", "/nowhere.bin"],
            "/nowhere.bin: No such file",
        ),
        (
            &["--call", process, "--descriptor-set", "/etc/hostname"],
            "--descriptor_set_out",
        ),
    ] {
        let line = refused(&run(args), 2);
        assert!(line.contains(said), "{args:?}: {line}");
    }
}

#[test]
fn a_wrong_proto_file_is_named_with_the_place_that_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let proto = folder.path().join("wrong.proto");
    let proto = proto.to_str().unwrap();
    for (text, said) in [
        ("syntax = \"proto3\";\nmessage {}", "wrong.proto:2:9"),
        (
            "syntax = \"proto3\";\nimport \"other.proto\";",
            "other.proto' not found; --proto-path FOLDER",
        ),
        ("syntax = \"proto3\";\nmessage A { B b = 1; }", "'B'"),
    ] {
        std::fs::write(proto, text).unwrap();
        let args = ["run", "http://127.0.0.1:1", "--call", "a.B/C", "--proto", proto, "-q"];
        let line = refused(&load_client(args).output().unwrap(), 2);
        assert!(line.contains(said), "{line}");
    }
}

#[test]
fn flags_that_contradict_a_call_are_refused() {
    for args in [
        &["--call", "a.B/C", "--mode", "process"][..],
        &["--call", "a.B/C", "--payload-size", "5"],
        &["--call", "a.B/C", "--data", "{}", "--data-file", "f"],
        &["--call", "a.B/C", "--proto", "f", "--descriptor-set", "f"],
        &["--call", "B"],
        &["--data", "{}"],
        &["--proto", "f"],
    ] {
        let output = load_client(["run", "http://127.0.0.1:1"].iter().chain(args))
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2), "{args:?}");
    }
}

/// Serves HTTP/2, and answers every request with 200 and this body, which is not gRPC. Returns its URL.
fn serve_garbage(body: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    thread::spawn(move || {
        runtime.block_on(async move {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(async move {
                    let mut connection = h2::server::handshake(stream).await.unwrap();
                    while let Some(Ok((_, mut respond))) = connection.accept().await {
                        let mut answer = respond.send_response(http::Response::new(()), false).unwrap();
                        answer.send_data(Bytes::from_static(body), true).unwrap();
                    }
                });
            }
        });
    });
    url
}

/// Serves HTTP/2 correctly until the connection is established, then writes meaningless bytes. Returns its URL.
fn serve_noise() -> String {
    const SETTINGS: [u8; 9] = [0, 0, 0, 4, 0, 0, 0, 0, 0];
    const ACKNOWLEDGED: [u8; 9] = [0, 0, 0, 4, 1, 0, 0, 0, 0];
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for mut connection in listener.incoming().map_while(Result::ok) {
            thread::spawn(move || -> std::io::Result<()> {
                connection.write_all(&[SETTINGS, ACKNOWLEDGED].concat())?;
                connection.read_exact(&mut [0; 24])?;
                loop {
                    let mut head = [0; 9];
                    connection.read_exact(&mut head)?;
                    let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
                    let mut body = vec![0; length];
                    connection.read_exact(&mut body)?;
                    match head[3] {
                        // The client uses a connection only after its ping was answered.
                        6 => connection.write_all(&[&[0, 0, 8, 6, 1, 0, 0, 0, 0], &body[..]].concat())?,
                        1 => connection.write_all(&[0xde; 4096])?,
                        _ => {}
                    }
                }
            });
        }
    });
    url
}

#[test]
fn a_server_of_garbage_cannot_be_asked_what_it_is() {
    for url in [serve_garbage(b""), serve_garbage(b"\0\0\0\0\x03oh!"), serve_noise()] {
        let args = ["run", &url, "--call", "a.B/C", "--connect-timeout", "10s", "-q"];
        let line = refused(&load_client(args).output().unwrap(), 1);
        assert!(
            line.contains("reflection failed") && line.contains("--proto FILE"),
            "{line}"
        );
    }
}

#[test]
fn a_server_of_garbage_fails_every_call_and_the_run() {
    let proto = contracts().join("foo/v1/foo.proto");
    for (url, outcome) in [
        (serve_garbage(b""), "failed"),
        (serve_garbage(b"\0\0\0\0\x03oh!"), "failed"),
        (serve_noise(), "unavailable"),
    ] {
        let args = [
            "run",
            &url,
            "--call",
            "foo.v1.FooService/Process",
            "-n",
            "4",
            "-r",
            "0",
            "-q",
            "--proto",
        ];
        let (output, report) = report(args.iter().copied().chain([proto.to_str().unwrap()]));
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains("nothing succeeded"), "{said}");
        assert!(said.contains(&format!("first {outcome}: ")), "{said}");
        let run = &report.runs[0];
        assert_balanced(run);
        assert_eq!(run.ledger.ok, 0);
        // A load that is over at once has no rate.
        assert!(run.goodput_rps.unwrap_or_default() <= 0.0, "{:?}", run.goodput_rps);
    }
}
