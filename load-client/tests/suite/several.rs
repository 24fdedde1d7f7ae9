//! A service with several instances: each gets its share of the load, and the report shows the results of each instance.

use std::{fs, process::Command};

use crate::support::{Running, Service, assert_balanced, free_address, load_client, report, scrape::Page};
use load_client::report::Limit;
use rustix::process::Signal;

const QUICK: [&str; 2] = ["--service-time", "1ms"];

/// How many calls of Process a service has answered with OK.
fn answered(service: &Service) -> u64 {
    Page::scrape(&service.admin).count(r#"foo_requests_total{rpc="process",outcome="ok"}"#)
}

#[test]
fn every_url_gets_its_turn_of_the_connections() {
    let services = [Service::start(QUICK), Service::start(QUICK)];
    let urls = format!("{},{}", services[0].url, services[1].url);
    let (output, report) = report(["run", &urls, "-n", "80", "-r", "200", "-c", "8", "--connections", "2"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("several instances may serve it"), "{said}");
    let run = &report.runs[0];
    assert_balanced(run);
    assert_eq!(run.ledger.ok, 80);
    assert!(run.service.is_none(), "one instance's word does not stand for both");
    // Clients are assigned to connections in turn, and each sends equally often.
    assert_eq!(services.each_ref().map(answered), [40, 40]);
    let targets = run.targets.as_ref().unwrap();
    for (target, service) in targets.iter().zip(&services) {
        assert_eq!((&target.url, target.connected), (&service.url, 1));
        assert_eq!((target.ledger.intended, target.ledger.ok), (40, 40));
    }
    assert_eq!(run.status_codes.as_ref().unwrap()["OK"], 80);
}

#[test]
fn an_instance_that_dies_is_missed_and_taken_back_when_it_returns() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.json");
    let (stays, dies) = (Service::start(QUICK), Service::start(QUICK));
    let address = dies.address();
    let mut command = load_client(["run", &stays.url, &dies.url, "-c", "4", "-r", "100", "-z", "0s"]);
    command.arg("--json").arg(&file);
    let client = Running::start(command);
    client.wait_for_line("scheduled");
    dies.kill();
    client.wait_for_line("unavailable");
    let returned = Service::start_at(&address, QUICK);
    let name = r#"foo_requests_total{rpc="process",outcome="ok"}"#;
    Page::wait_for(&returned.admin, "a call to it", |page| page.count(name) > 0);
    crate::support::signal(client.child(), Signal::INT);
    let (status, said) = client.wait();
    assert!(status.success(), "{said:?}");
    let text = fs::read_to_string(&file).unwrap();
    let report: load_client::report::Report = serde_json::from_str(&text).unwrap();
    let run = &report.runs[0];
    assert_balanced(run);
    let ledger = &run.ledger;
    assert!(
        ledger.unavailable > 0 && ledger.rejected + ledger.failed == 0,
        "{ledger:?}"
    );
    // Requests on the connection to the other instance were not affected.
    assert!(ledger.unavailable < ledger.ok, "{ledger:?}");
    let [other, dead] = &run.targets.as_ref().unwrap()[..] else {
        panic!("{:?}", run.targets)
    };
    assert_eq!(other.ledger.unavailable, 0, "{other:?}");
    assert_eq!(dead.ledger.unavailable, ledger.unavailable, "{dead:?}");
    assert!(other.ledger.balances() && dead.ledger.balances());
    let mut sum = other.ledger;
    sum.add(&dead.ledger);
    assert_eq!(sum, *ledger);
    // The verdict must not blame the clients or the service; on a busy machine it may blame the load client.
    let limit = run.verdict.limited_by;
    assert!(matches!(limit, None | Some(Limit::Generator)), "{:?}", run.verdict);
    let first = &run.first_messages.as_ref().unwrap()["unavailable"];
    assert!(said.contains(&format!("run: first unavailable: {first}")), "{said:?}");
}

#[test]
fn a_run_does_not_begin_without_one_of_its_instances_and_says_which_and_what_to_do() {
    let service = Service::start(QUICK);
    let absent = format!("http://{}", free_address());
    // The order of the URLs does not matter.
    for urls in [[&*service.url, &*absent], [&*absent, &*service.url]] {
        let flags = ["-c", "4", "-n", "8", "--connect-timeout", "300ms"];
        let output = load_client(["run"].iter().chain(&urls).chain(&flags)).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(output.stdout.is_empty());
        let last = said.lines().last().unwrap();
        assert!(
            last.starts_with(&format!(
                "load-client: {absent}: no connection within 300ms: connection refused by"
            )),
            "{said}"
        );
        assert!(
            last.ends_with(
                "--connect-timeout waits longer. A run begins only when every URL answers: start this instance, or leave its URL \
                 out. Of an instance that goes away later, requests count as unavailable"
            ),
            "{said}"
        );
    }
    assert_eq!(answered(&service), 0);
    // The client waits for an instance that starts within the connect timeout.
    let mut command = load_client(["run", &service.url, &absent, "-c", "4", "-r", "100", "-n", "40"]);
    command.args(["--connect-timeout", "600s"]);
    let client = Running::start(command);
    client.wait_for_line("trying again for 600s");
    let _late = Service::start_at(absent.strip_prefix("http://").unwrap(), QUICK);
    let (status, said) = client.wait();
    assert!(status.success(), "{said:?}");
}

#[test]
fn too_few_connections_for_all_services_are_an_error_of_usage() {
    for few in [["-c", "1"], ["--connections", "1"]] {
        let output = load_client(["run", "http://127.0.0.1:1", "http://127.0.0.1:2"])
            .args(few)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2));
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains("2 services need a connection each"), "{said}");
        assert!(output.stdout.is_empty());
    }
}

/// A command that runs `program` with this file as /etc/hosts, in a mount namespace of its own. Some systems do not allow that.
fn with_hosts(hosts: &std::path::Path, program: &Command) -> Command {
    let mut command = Command::new("unshare");
    command
        .args(["--user", "--map-root-user", "--mount", "sh", "-c"])
        .arg("mount --bind \"$0\" /etc/hosts && exec \"$@\"")
        .arg(hosts)
        .arg(program.get_program())
        .args(program.get_args());
    command
}

#[test]
fn a_dns_name_stands_for_all_its_addresses_and_is_asked_again_at_every_connect() {
    let folder = tempfile::tempdir().unwrap();
    let hosts = folder.path().join("hosts");
    fs::write(&hosts, "127.0.0.1 twins\n127.0.0.2 twins\n").unwrap();
    let possible = with_hosts(&hosts, &Command::new("true")).status();
    if !possible.is_ok_and(|status| status.success()) {
        eprintln!("SKIPPED: no mount namespace for a hosts file of our own on this system");
        return;
    }
    let first = Service::start(QUICK);
    let port = first.address().split(':').nth(1).unwrap().to_owned();
    let second = Service::start_at(&format!("127.0.0.2:{port}"), QUICK);
    let url = format!("dns:///twins:{port}");
    let run = load_client(["run", &url, "-c", "4", "--connections", "2", "-r", "100", "-z", "0s"]);
    let client = Running::start(with_hosts(&hosts, &run));
    let name = r#"foo_requests_total{rpc="process",outcome="ok"}"#;
    let called = |page: &Page| page.count(name) > 0;
    Page::wait_for(&first.admin, "a call to the first", called);
    Page::wait_for(&second.admin, "a call to the second", called);
    // The second instance moves to another address. A client finds it only if it resolves the name again.
    let third = Service::start_at(&format!("127.0.0.3:{port}"), QUICK);
    fs::write(&hosts, "127.0.0.1 twins\n127.0.0.3 twins\n").unwrap();
    second.kill();
    Page::wait_for(&third.admin, "a call to the third", called);
    crate::support::signal(client.child(), Signal::INT);
    let (status, said) = client.wait();
    assert!(status.success(), "{said:?}");
}

#[test]
fn two_targets_of_one_name_are_a_usage_error() {
    let targets = "a=process:http://127.0.0.1:1,b=process:http://127.0.0.1:2,a=enqueue:http://127.0.0.1:3";
    let output = load_client(["compare", "--target", targets]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(
        said.contains("there are two --target a=...; each needs a name of its own"),
        "{said}"
    );
}
