//! The program's inputs: environment variables, flags of other tools, and files of every kind. If an input is wrong, one line
//! says what to do.

use std::{
    fs,
    io::Write,
    path::Path,
    process::{Command, Output, Stdio},
};

use crate::support::{Service, load_client, own_server};

/// An address at which no service listens.
pub(crate) const NOWHERE: &str = "http://127.0.0.1:1";

pub(crate) fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

pub(crate) fn with(variables: &[(&str, &str)], args: &[&str]) -> Output {
    let mut command = load_client(args);
    command.envs(variables.iter().copied());
    command.output().unwrap()
}

/// The error of a command that must be refused with exit code 2.
pub(crate) fn refused(variables: &[(&str, &str)], args: &[&str]) -> String {
    let output = with(variables, args);
    let said = said(&output);
    assert_eq!(output.status.code(), Some(2), "{variables:?} {args:?}: {said}");
    assert!(output.stdout.is_empty());
    said
}

/// Asserts that the flags and variables are accepted: only the connection fails. Returns the error.
fn taken(variables: &[(&str, &str)], args: &[&str]) -> String {
    let fast = ["run", NOWHERE, "--connect-timeout", "20ms", "-q"];
    let output = with(variables, &[&fast, args].concat());
    let said = said(&output);
    assert_eq!(output.status.code(), Some(1), "{variables:?} {args:?}: {said}");
    assert!(said.contains("127.0.0.1:1: "), "{said}");
    said
}

#[test]
fn an_empty_variable_is_an_unset_one() {
    for variable in [
        "LOAD_SLO",
        "LOAD_RPS",
        "LOAD_STAGES",
        "LOAD_CACERT",
        "LOAD_HEADER",
        "LOAD_QUIET",
        "LOAD_JSON",
    ] {
        taken(&[(variable, "")], &[]);
    }
}

#[test]
fn switches_take_words_and_no_means_not_given() {
    for word in ["1", "yes", "true", "on", "0", "no", "false", "off"] {
        taken(&[("LOAD_QUIET", word), ("LOAD_NO_TUI", word)], &[]);
    }
    taken(&[("LOAD_ALIGN", "false")], &[]);
    taken(&[("LOAD_REPEAT", "0"), ("LOAD_RPS", "5")], &[]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    fs::write(&file, "x").unwrap();
    let both = refused(
        &[("LOAD_INSECURE", "false"), ("LOAD_CACERT", file.to_str().unwrap())],
        &["run", "https://127.0.0.1:1", "-q"],
    );
    assert!(both.contains("LOAD_CACERT") && !both.contains("insecure"), "{both}");
    let target = [
        "compare",
        "--target",
        "a=process:http://127.0.0.1:1",
        "--connect-timeout",
        "20ms",
        "-q",
    ];
    let output = with(&[("LOAD_VIRTUAL_TIME", "false")], &target);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(refused(&[("LOAD_QUIET", "perhaps")], &["run", NOWHERE]).contains("LOAD_QUIET"));
}

#[test]
fn an_error_names_the_variable_it_came_from_and_a_flag_wins_over_it() {
    let error = refused(&[("LOAD_CLIENTS", "many")], &["run", NOWHERE]);
    assert!(
        error.contains("LOAD_CLIENTS") && !error.contains("--clients"),
        "{error}"
    );
    let error = refused(&[], &["run", NOWHERE, "--clients", "many"]);
    assert!(error.contains("--clients"), "{error}");
    taken(&[("LOAD_RPS", "60")], &["--stages", "1s:5"]);
    let warned = taken(&[("LOAD_RSP", "60")], &[]);
    assert!(
        warned.contains("LOAD_RSP") && warned.contains("did you mean LOAD_RPS?"),
        "{warned}"
    );
}

#[test]
fn an_error_found_after_parsing_names_the_variable_or_the_flag_too() {
    let https = "https://127.0.0.1:1";
    let set = refused(&[("LOAD_CACERT", "/nowhere.pem")], &["run", https]);
    assert!(
        set.contains("LOAD_CACERT /nowhere.pem") && !set.contains("--cacert"),
        "{set}"
    );
    let typed = refused(&[], &["run", https, "--cacert", "/nowhere.pem"]);
    assert!(typed.contains("--cacert /nowhere.pem"), "{typed}");
    let long = refused(&[("LOAD_WARMUP", "1h")], &["run", NOWHERE, "--duration", "1s"]);
    assert!(long.contains("LOAD_WARMUP") && !long.contains("--warmup"), "{long}");
    let ignored = with(
        &[("LOAD_RPS", "60")],
        &["run", NOWHERE, "--stages", "1s:5", "-q", "--connect-timeout", "20ms"],
    );
    assert!(
        said(&ignored).contains("LOAD_RPS is ignored: it conflicts with --stages"),
        "{}",
        said(&ignored)
    );
}

#[test]
fn the_names_that_other_tools_have_are_taken() {
    let service = Service::start(["--service-time", "0s"]);
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data.json");
    fs::write(&data, "\u{feff}{\"message\": {\"id\": \"{{id}}\"}}").unwrap();
    let data = format!("@{}", data.display());
    for args in [
        &[
            "--rate",
            "200",
            "--concurrency",
            "2",
            "--total",
            "4",
            "--metadata",
            "who: me",
        ][..],
        &[
            "-r",
            "200",
            "-n",
            "4",
            "--call",
            "foo.v1.FooService.Process",
            "-d",
            &data,
        ],
    ] {
        let output = load_client(["run", &service.url, "-q"].iter().chain(args))
            .output()
            .unwrap();
        assert!(output.status.success(), "{args:?}: {}", said(&output));
        assert!(String::from_utf8_lossy(&output.stdout).contains("ok 4"), "{args:?}");
    }
}

#[test]
fn what_users_of_other_tools_type_gets_the_right_hint() {
    for (args, hint) in [
        (&["run", "127.0.0.1:50051"][..], "write it as http://127.0.0.1:50051"),
        (&["run", "localhost:50051"], "write it as http://localhost:50051"),
        (&["run", "example.com"], "write it as http://host:port"),
        (&["run", NOWHERE, "--insecure"], "leave the flag out"),
        (&["run", NOWHERE, "-H", "keep-alive: 5"], "keep-alive is set by HTTP/2"),
        (&["run", NOWHERE, "--prometheus-addr", ":9465"], "127.0.0.1:9465"),
        (&["run", NOWHERE, "--prometheus-addr", "9465"], "localhost:50051"),
        (&["run", NOWHERE, "--call", "Process"], "package.Service/Method"),
        (&["run", NOWHERE, "--plaintext"], "http://, which is without TLS"),
        (&["run", NOWHERE, "-m", "{}"], "--header 'name: value' sends metadata"),
        (&["run", NOWHERE, "-M", "f"], "--header 'name: value' sends metadata"),
        (
            &["run", NOWHERE, "-D", "f"],
            "--data-file names the file with the message",
        ),
        (&["run", NOWHERE, "-Df"], "--data-file names the file with the message"),
        (
            &["run", NOWHERE, "-i", "a,b"],
            "--proto-path names the folder with the imports",
        ),
        (&["run", NOWHERE, "-O", "csv"], "--json, --csv and --html name files"),
        (&["run", NOWHERE, "-x", "5s"], "--duration sets the length"),
        (&["capacity", NOWHERE, "--cname", "h"], "--authority sets the host"),
        (&["run", NOWHERE, "--service-time", "1s"], "start foo-service with it"),
        (&["run", NOWHERE, "--client", "5"], "'--clients'"),
        (
            &["compare", "--strategy", "asinc"],
            "there is no strategy \"asinc\"; there are async-unbounded",
        ),
        (
            &["compare", "--virtual-time", "--rps", "0"],
            "Usage: load-client compare",
        ),
    ] {
        let error = refused(&[], args);
        assert!(error.contains(hint), "{args:?}: {error}");
    }
    // A suggestion that is not similar is left out.
    let error = refused(&[], &["run", NOWHERE, "--service-tim", "1s"]);
    assert!(!error.contains("--server-name"), "{error}");
    assert!(error.contains("Usage: load-client run [OPTIONS] <URL>..."), "{error}");
}

#[test]
fn numbers_that_a_library_would_change_are_refused() {
    for (flag, value) in [
        ("--seed", "18446744073709551616"),
        ("--seed", "1.5"),
        ("--seed", "1e30"),
        ("--requests", "99999999999999999999"),
        ("--requests", "20 EB"),
        ("--requests", "1.5"),
        ("--threads", "4294967297"),
        ("--clients", "10.7"),
        ("--max-in-flight", "4294967296"),
        ("--payload-size", "1.5"),
        ("--payload-size", "99999999999999999999"),
    ] {
        let error = refused(&[], &["run", NOWHERE, flag, value]);
        assert!(error.contains(flag), "{flag} {value}: {error}");
    }
}

#[test]
fn metrics_are_served_at_a_name() {
    let service = Service::start(["--service-time", "0s"]);
    let args = [
        "run",
        &service.url,
        "-n",
        "4",
        "-r",
        "200",
        "--no-tui",
        "--prometheus-addr",
        "localhost:0",
    ];
    let output = load_client(args).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    assert!(said(&output).contains("metrics at http://"), "{}", said(&output));
}

/// Runs the load client with `input` on standard input.
fn fed(input: &[u8], args: &[&str]) -> Output {
    let mut child = load_client(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A program that exits without reading breaks the pipe. Its own error says why, so this one is ignored.
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}

#[test]
fn a_hyphen_is_standard_input_and_byte_order_marks_are_skipped() {
    let service = Service::start(["--service-time", "0s"]);
    let process = [
        "run",
        &service.url,
        "-q",
        "-n",
        "2",
        "-r",
        "200",
        "--call",
        "foo.v1.FooService/Process",
    ];
    let proto = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../proto/foo/v1/foo.proto")).unwrap();
    let marked = |text: &str| format!("\u{feff}{text}").into_bytes();
    let message = "{\"message\": {\"id\": \"{{id}}\"}}";
    let output = fed(&marked(message), &[&process[..], &["--data-file", "-"]].concat());
    assert!(output.status.success(), "{}", said(&output));
    let output = fed(
        &marked(&proto),
        &[&process[..], &["--proto", "-", "--data", message]].concat(),
    );
    assert!(output.status.success(), "{}", said(&output));
    let trace = ["run", &service.url, "-q", "--trace", "-", "--trace-time-column", "t"];
    let output = fed(&marked("t\n0\n0.01\n"), &trace);
    assert!(output.status.success(), "{}", said(&output));

    let report = load_client(["run", &service.url, "-q", "-n", "2", "-r", "200", "--json", "-"])
        .output()
        .unwrap();
    assert!(report.status.success());
    let shown = fed(&[b"\xef\xbb\xbf", &report.stdout[..]].concat(), &["report", "-"]);
    assert!(shown.status.success(), "{}", said(&shown));
    assert!(String::from_utf8_lossy(&shown.stdout).contains("scheduled 2"));
}

#[test]
fn a_service_that_is_no_foo_service_is_said_to_be_one_at_once() {
    // This server has only the reflection service.
    let url = own_server::serve_reflection_only();
    for flags in [
        &["-r", "5", "-z", "60s"][..],
        &["-n", "1"],
        &["--mode", "enqueue", "-z", "60s"],
    ] {
        let output = load_client(["run", &url, "-q"].iter().chain(flags)).output().unwrap();
        let said = said(&output);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains("--call package.Service/Method"), "{flags:?}: {said}");
        assert_eq!(said.trim_end().lines().count(), 1, "{said}");
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn completions_and_manuals_know_the_other_names() {
    let output = Command::new(env!("CARGO_BIN_EXE_load-client"))
        .args(["run", "--help"])
        .output()
        .unwrap();
    let help = String::from_utf8(output.stdout).unwrap();
    for name in [
        "--rate",
        "--concurrency",
        "--total",
        "--metadata",
        "--import-paths",
        "-d, --data",
    ] {
        assert!(help.contains(name), "{name}: {help}");
    }
}
