//! The program's outputs: files appear whole or not at all, standard output that cannot be written is a failure, standard
//! error that cannot be written is not, and a signal leaves no incomplete file.

use std::{
    fs::{self, File, OpenOptions},
    io::{BufRead, BufReader},
    os::unix::process::ExitStatusExt,
    path::Path,
    process::{Command, Output, Stdio},
};

use crate::support::{Running, Service, free_address, load_client, signal};
use rustix::process::Signal;

/// The names of the files in a folder, sorted.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// The URL of an address at which no service listens.
fn nowhere() -> String {
    format!("http://{}", free_address())
}

fn full() -> File {
    OpenOptions::new().write(true).open("/dev/full").unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn quick<'a>(url: &'a str, more: &[&'a str]) -> Command {
    load_client(["run", url, "-q", "-n", "3", "-r", "300"].iter().chain(more))
}

#[test]
fn a_run_that_could_not_start_leaves_no_file_and_no_older_report() {
    let folder = tempfile::tempdir().unwrap();
    for (name, old) in [("new.json", None), ("old.json", Some("the report of another run"))] {
        let file = folder.path().join(name);
        if let Some(old) = old {
            fs::write(&file, old).unwrap();
        }
        let path = file.to_str().unwrap();
        let output = quick(
            &nowhere(),
            &[
                "--connect-timeout",
                "100ms",
                "--json",
                path,
                "--html",
                &format!("{path}.html"),
            ],
        )
        .output()
        .unwrap();
        assert_eq!(output.status.code(), Some(1), "{}", said(&output));
        assert_eq!(names(folder.path()), [""; 0], "{name}");
    }
}

#[test]
fn a_file_that_cannot_be_written_stops_the_run_before_it_begins_and_costs_no_other_file() {
    let folder = tempfile::tempdir().unwrap();
    let old = folder.path().join("old.json");
    fs::write(&old, "old").unwrap();
    for wrong in ["no/such/folder/x.csv", "."] {
        let wrong = folder.path().join(wrong);
        let (old, wrong) = (old.to_str().unwrap(), wrong.to_str().unwrap());
        let output = quick(&nowhere(), &["--json", old, "--csv", wrong]).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert!(said(&output).contains("cannot write"), "{}", said(&output));
        assert_eq!(fs::read_to_string(old).unwrap(), "old");
    }
}

#[test]
fn two_outputs_into_one_file_are_refused_however_its_path_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let link = path("link");
    std::os::unix::fs::symlink("old", &link).unwrap();
    fs::create_dir(path("inner")).unwrap();
    fs::write(path("old"), "old").unwrap();
    let (old, new) = (path("old"), path("new"));
    for (one, other) in [
        (&old, &old),
        (&old, &link),
        (&new, &path("./new")),
        (&new, &path("inner/../new")),
        (&"-".to_owned(), &"/dev/stdout".to_owned()),
    ] {
        let output = quick(&nowhere(), &["--json", one, "--csv", other]).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{one} {other}: {}", said(&output));
        assert!(
            said(&output).contains("--json and --csv both write to"),
            "{}",
            said(&output)
        );
        assert_eq!(fs::read_to_string(&old).unwrap(), "old");
    }
}

#[test]
fn a_report_takes_the_place_and_the_permissions_of_an_older_one() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
    let service = Service::start(["--service-time", "0s"]);
    let folder = tempfile::tempdir().unwrap();
    let (file, link) = (folder.path().join("real.json"), folder.path().join("link.json"));
    fs::write(&file, "x".repeat(1_000_000)).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    symlink("real.json", &link).unwrap();
    let output = quick(&service.url, &["--json", link.to_str().unwrap()])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", said(&output));
    serde_json::from_str::<serde_json::Value>(&fs::read_to_string(&file).unwrap()).unwrap();
    assert_eq!(fs::metadata(&file).unwrap().mode() & 0o777, 0o640);
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(names(folder.path()), ["link.json", "real.json"]);
    // A new file gets the permissions that the user's umask allows, as with any other program.
    let (mine, others) = (folder.path().join("new.json"), folder.path().join("others"));
    File::create(&others).unwrap();
    let output = quick(&service.url, &["--json", mine.to_str().unwrap()])
        .output()
        .unwrap();
    assert!(output.status.success());
    assert_eq!(
        fs::metadata(&mine).unwrap().mode(),
        fs::metadata(&others).unwrap().mode()
    );
}

#[test]
fn devices_and_pipes_are_written_where_they_are() {
    let service = Service::start(["--service-time", "0s"]);
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let reader = std::thread::spawn({
        let pipe = pipe.clone();
        move || fs::read_to_string(pipe).unwrap()
    });
    let flags = ["--json", pipe.to_str().unwrap(), "--csv", "/dev/null"];
    let output = quick(&service.url, &flags).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    serde_json::from_str::<serde_json::Value>(&reader.join().unwrap()).unwrap();
    assert_eq!(names(folder.path()), ["pipe"]);
    let output = quick(&service.url, &["--json", "/dev/full"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("cannot write /dev/full"), "{}", said(&output));
}

#[test]
fn a_file_that_cannot_be_written_at_the_end_costs_no_other_file() {
    let service = Service::start(["--service-time", "0s"]);
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (page, json, link) = (path("page.html"), path("report.json"), path("link"));
    std::os::unix::fs::symlink("/dev/full", &link).unwrap();
    let output = quick(&service.url, &["--csv", "/dev/full", "--html", &page, "--json", &json])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("cannot write /dev/full"), "{}", said(&output));
    serde_json::from_str::<serde_json::Value>(&fs::read_to_string(&json).unwrap()).unwrap();
    assert!(fs::metadata(&page).unwrap().len() > 0);
    // The error names all files that cannot be written.
    let output = quick(&service.url, &["--csv", "/dev/full", "--json", &link])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = said(&output);
    assert!(
        said.contains("cannot write /dev/full") && said.contains(&format!("cannot write {link}")),
        "{said}"
    );
}

#[test]
fn a_hyphen_is_standard_output_and_the_table_goes_to_standard_error() {
    let service = Service::start(["--service-time", "0s"]);
    let folder = tempfile::tempdir().unwrap();
    for name in ["-", "/dev/stdout"] {
        let output = quick(&service.url, &["--json", name])
            .current_dir(folder.path())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", said(&output));
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(report["runs"][0]["ledger"]["ok"], 3);
        assert!(said(&output).contains("goodput"), "the table: {}", said(&output));
    }
    let csv = quick(&service.url, &["--csv", "-"]).output().unwrap();
    assert!(csv.stdout.starts_with(b"run,t_seconds,"), "{csv:?}");
    let page = quick(&service.url, &["--html", "-"]).output().unwrap();
    assert!(page.stdout.starts_with(b"<!doctype html>") || page.stdout.starts_with(b"<!DOCTYPE html>"));
    assert_eq!(names(folder.path()), [""; 0]);
}

#[test]
fn standard_output_that_is_full_is_a_failure_in_every_command() {
    let service = Service::start(["--service-time", "0s"]);
    let folder = tempfile::tempdir().unwrap();
    let saved = folder.path().join("saved.json");
    let saved = saved.to_str().unwrap();
    assert!(
        quick(&service.url, &["--json", saved])
            .output()
            .unwrap()
            .status
            .success()
    );
    let compare = ["compare", "--virtual-time", "--strategy", "sync", "-z", "2s", "-q"];
    let target = format!("a=process:{}", service.url);
    let commands: [&[&str]; 9] = [
        &["run", &service.url, "-q", "-n", "3", "-r", "300"],
        &compare,
        &["compare", "--target", &target, "-q", "-n", "3", "-r", "300"],
        &["report", saved],
        &["completions", "bash"],
        &["man"],
        &["--help"],
        &["run", "--help"],
        &["--version"],
    ];
    for args in commands {
        let output = load_client(args)
            .stdout(full())
            .stderr(Stdio::piped())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1), "{args:?}: {}", said(&output));
        assert!(
            said(&output).contains("cannot write to standard output: No space"),
            "{args:?}: {}",
            said(&output)
        );
    }
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let service = Service::start(["--service-time", "0s"]);
    for args in [
        &["run", service.url.as_str(), "-q", "-n", "3", "-r", "300"][..],
        &["completions", "bash"],
        &["man"],
        &["run", "--help"],
    ] {
        let mut child = load_client(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!(
            (output.status.code(), said(&output).as_str()),
            (Some(0), ""),
            "{args:?}"
        );
    }
}

#[test]
fn standard_error_that_is_full_closed_or_gone_is_no_panic_and_loses_only_its_lines() {
    let service = Service::start(["--service-time", "0s"]);
    let commands: [(&[&str], i32); 5] = [
        (
            &[
                "run",
                &service.url,
                "-n",
                "3",
                "-r",
                "300",
                "--prometheus-addr",
                "127.0.0.1:0",
            ],
            0,
        ),
        (&["run", "nonsense"], 2),
        (&["run", &nowhere(), "--connect-timeout", "100ms"], 1),
        (&["report", "/no/such/file"], 1),
        (&["health", "--prometheus-addr", "127.0.0.1:1"], 1),
    ];
    for (args, code) in commands {
        let status = load_client(args).stdout(Stdio::null()).stderr(full()).status().unwrap();
        assert_eq!(status.code(), Some(code), "full: {args:?}");
        let mut child = load_client(args)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stderr.take());
        assert_eq!(child.wait().unwrap().code(), Some(code), "gone: {args:?}");
    }
}

/// Whether this process ignores SIGHUP, so that the programs that it starts do too.
fn hangups_are_ignored() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.map_or(0, |mask| u64::from_str_radix(mask.trim(), 16).unwrap());
    ignored & 1 == 1
}

#[test]
fn every_signal_that_asks_for_the_end_gives_the_report() {
    let service = Service::start(["--service-time", "0s"]);
    for which in [Signal::HUP, Signal::TERM, Signal::INT] {
        if which == Signal::HUP && hangups_are_ignored() {
            println!("SKIPPED: SIGHUP is ignored, as under nohup, and the program inherits and respects that");
            continue;
        }
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("report.json");
        let metrics = ["--prometheus-addr", "127.0.0.1:0"];
        let args = [
            "run",
            &service.url,
            "-z",
            "0s",
            "-r",
            "200",
            "--no-tui",
            "--json",
            file.to_str().unwrap(),
        ];
        let running = Running::start(load_client(args.iter().chain(&metrics)));
        running.wait_for_line(" ok ");
        assert!(!file.exists(), "nothing is written before the end");
        signal(running.child(), which);
        let (status, lines) = running.wait();
        assert_eq!(status.code(), Some(0), "{which:?}: {lines:?}");
        let report: serde_json::Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
        assert!(report["runs"][0]["ledger"]["ok"].as_u64().unwrap() > 0);
    }
}

#[test]
fn a_run_that_is_killed_leaves_nothing_under_the_name() {
    let service = Service::start(["--service-time", "0s"]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.json");
    fs::write(&file, "old").unwrap();
    let args = [
        "run",
        &service.url,
        "-z",
        "0s",
        "-r",
        "200",
        "--no-tui",
        "--json",
        file.to_str().unwrap(),
    ];
    let mut running = Running::start(load_client(args));
    running.wait_for_line(" ok ");
    running.kill();
    assert_eq!(names(folder.path()), [""; 0]);
}

#[test]
fn nohup_is_respected() {
    let service = Service::start(["--service-time", "0s"]);
    let shell = format!(
        "trap '' HUP; exec {} run {} -z 0s -r 200 --no-tui",
        env!("CARGO_BIN_EXE_load-client"),
        service.url
    );
    let mut child = Command::new("sh")
        .args(["-c", &shell])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut line = || lines.next().unwrap().unwrap();
    while !line().contains(" ok ") {}
    signal(&child, Signal::HUP);
    // Two more lines show that the program still runs.
    assert!(line().contains(" ok ") && line().contains(" ok "));
    signal(&child, Signal::TERM);
    let mut rest = String::new();
    lines.map_while(Result::ok).for_each(|line| rest.push_str(&line));
    let status = child.wait().unwrap();
    assert_eq!((status.code(), status.signal()), (Some(0), None), "{rest}");
}
