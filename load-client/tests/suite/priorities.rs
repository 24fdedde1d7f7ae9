//! Classes of urgency: requests get them at random by their shares, a service with classes serves urgent requests first, and
//! the figures and gates of each class show that.

use std::fs;

use load_client::report::{ClassReport, Report, Run};

use crate::support::{assert_balanced, load_client, markup::parse, named, report};

/// A load of ten times what four workers with 20 ms per message can process. Requests of class 0 alone are half of the capacity.
const LAB: &str = r#"
[load]
clients = 64
max-in-flight = 100
rps = 2000
arrival = "poisson"
duration = "10s"
slo = "200ms"
timeout = "200ms"
priorities = "u=0:5%,u=3:95%"
[service]
workers = 4
service-time = "20ms"
[[strategy]]
name = "classes"
mode = "process"
service = { classes = "shared" }
[[strategy]]
name = "alike"
mode = "process"
"#;

const CAPACITY: f64 = 200.0;

fn class(run: &Run, place: usize) -> &ClassReport {
    &run.classes.as_ref().unwrap()[place]
}

fn share(class: &ClassReport) -> f64 {
    class.ledger.ok as f64 / class.ledger.intended as f64
}

#[test]
fn a_service_with_classes_answers_the_urgent_requests_of_a_tenfold_load_and_wastes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let [lab, json, html] = ["lab.toml", "report.json", "page.html"].map(|name| folder.path().join(name));
    fs::write(&lab, LAB).unwrap();
    let output = load_client(["compare", lab.to_str().unwrap(), "--virtual-time", "-q"])
        .args(["--fail-if", "p99(u=0)>60ms", "--fail-if", "ok(u=0)<99.4%"])
        .arg("--json")
        .arg(&json)
        .arg("--html")
        .arg(&html)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    // The rules are met by the strategy `alike`, whose service does not use classes.
    assert_eq!(output.status.code(), Some(99), "{text}");
    let report: Report = serde_json::from_str(&fs::read_to_string(&json).unwrap()).unwrap();
    report.runs.iter().for_each(assert_balanced);
    let (classes, alike) = (named(&report, "classes"), named(&report, "alike"));
    assert!(
        classes.gates.iter().all(|gate| gate.met == Some(false)),
        "{:?}",
        classes.gates
    );
    assert!(
        alike.gates.iter().any(|gate| gate.met == Some(true)),
        "{:?}",
        alike.gates
    );
    let urgent = class(classes, 0);
    assert!(share(urgent) >= 0.994, "{:?}", urgent.ledger);
    assert!(urgent.response_time_seconds["ok"].p99 <= 0.06, "{urgent:?}");
    let goodput = classes.goodput_rps.unwrap() / CAPACITY;
    assert!(goodput >= 0.98, "{goodput}");
    let by_class = urgent.goodput_rps.unwrap() + class(classes, 1).goodput_rps.unwrap();
    assert!((by_class - classes.goodput_rps.unwrap()).abs() < 1e-6, "{by_class}");
    let (one, other) = (share(class(alike, 0)), share(class(alike, 1)));
    assert!((one - other).abs() < 0.05, "{one} {other}");
    // A twentieth of 20,000 requests is 1000; the tolerance is five standard deviations and a bit more.
    let intended = urgent.ledger.intended;
    assert!(intended.abs_diff(1000) < 5 * 31 + 50, "{intended}");

    assert!(
        text.contains("By class of urgency, from u=0, the most urgent:"),
        "{text}"
    );
    assert!(text.contains("classes u=0 "), "{text}");
    let page = parse(&fs::read_to_string(&html).unwrap()).unwrap().text();
    assert!(page.contains("By class of urgency"), "{page}");
    assert!(page.contains("u=0:5%,u=3:95%"), "{page}");
}

#[test]
fn classes_change_neither_the_schedule_nor_a_service_that_does_not_look_at_them() {
    let run = |flags: &[&str]| {
        let load = [
            "compare",
            "--virtual-time",
            "-q",
            "-z",
            "60s",
            "--arrival",
            "poisson",
            "--strategy",
            "sync-shed",
        ];
        let (output, report) = report(load.iter().chain(flags));
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        report.runs.into_iter().next().unwrap()
    };
    let plain = run(&[]);
    let classes = run(&["--priorities", "u=1:50%,u=7:50%"]);
    assert!(plain.classes.is_none());
    assert_eq!(plain.ledger, classes.ledger);
    assert_eq!(plain.series, classes.series);
    assert_eq!(classes.classes, run(&["--priorities", "u=1:50%,u=7:50%"]).classes);
    assert_ne!(
        classes.classes,
        run(&["--priorities", "u=1:50%,u=7:50%", "--seed", "2"]).classes
    );
}

#[test]
fn what_contradicts_the_classes_is_a_usage_error() {
    for (flags, says) in [
        (
            &["--priorities", "u=0:20%"][..],
            "the shares add up to 20 %, and must add up to 100 %",
        ),
        (
            &["--priorities", "u=0:100%", "-H", "priority: u=1"],
            "both say how urgent a request is; leave one of them out",
        ),
        (
            &["--fail-if", "p99(u=0)>1s"],
            "the rule p99(u=0)>1s is about the class u=0, and no request has it: --priorities says which classes there are",
        ),
        (&["--fail-if", "lost(u=0)>0"], "lost is not known for each class"),
    ] {
        let output = load_client(["run", "http://127.0.0.1:1"]).args(flags).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(says), "{said}");
    }
}

#[test]
fn a_comparison_refuses_a_rule_about_a_class_that_no_request_has_before_it_begins() {
    let says = "the rule p99(u=0)>1s is about the class u=0, and no request has it";
    let target = ["compare", "--target", "a=process:http://127.0.0.1:1"];
    for command in [&["compare"][..], &["compare", "--virtual-time"], &target] {
        let output = load_client(command.iter().chain(&["--fail-if", "p99(u=0)>1s"]))
            .output()
            .unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(says), "{said}");
    }
}
