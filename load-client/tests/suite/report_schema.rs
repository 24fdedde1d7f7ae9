//! `docs/report.schema.json` is generated from the report's types. These tests check real reports of `--json` against it, field by
//! field.

use std::{fs, path::Path};

use crate::support::{Service, json_schema::violations, load_client};
use load_client::{
    ledger::{AuditCounts, Ledger},
    outcome::Outcome,
};
use serde_json::Value;

fn schema() -> Value {
    load_client::report::schema()
}

#[test]
fn the_schema_of_reports_is_as_committed() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/report.schema.json");
    let now = format!("{}\n", serde_json::to_string_pretty(&schema()).unwrap());
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        fs::write(&file, &now).unwrap();
    }
    let committed = fs::read_to_string(&file).unwrap_or_default();
    assert!(
        committed == now,
        "docs/report.schema.json differs: UPDATE_SCHEMA=1 cargo test --workspace --test suite schema"
    );
}

fn written<S: AsRef<std::ffi::OsStr>>(args: &[S]) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.json");
    load_client(args).arg("--json").arg(&file).output().unwrap();
    serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap()
}

#[test]
fn reports_of_all_kinds_are_as_the_schema_says() {
    let service = Service::start(["--service-time", "5ms", "--max-waiting", "1"]);
    let rules = ["--fail-if", "p99>1us", "--fail-if", "lost>0"];
    let comparison = [
        "compare",
        "--virtual-time",
        "-z",
        "20s",
        "-q",
        "--abort-if",
        "client-limited",
    ];
    let queued = ["run", &service.url, "--mode", "enqueue", "-n", "40", "-r", "100", "-q"];
    let refused = ["run", &service.url, "-c", "16", "-n", "200", "-r", "0", "-q"];
    let reports = [
        written(&comparison),
        written(&[&queued[..], &rules].concat()),
        written(&[&refused[..], &rules].concat()),
    ];
    assert_eq!(reports[0]["runs"].as_array().unwrap().len(), 5);
    assert!(reports[1]["runs"][0]["audit"].is_object() && reports[2]["runs"][0]["audit"].is_null());
    // A report that is written today has every field of the schema.
    let mut schema = schema();
    require_all(&mut schema);
    for report in &reports {
        let found = violations(&schema, report);
        assert!(found.is_empty(), "{found:#?}");
    }
    // The check itself is checked: in these objects a missing field, an additional field and a field of another type must be
    // violations.
    for place in [
        "",
        "/runs/0",
        "/runs/0/ledger",
        "/runs/0/verdict",
        "/runs/0/configuration",
        "/runs/0/response_time_curve/ok/0",
        "/runs/0/gates/0",
        "/runs/0/series/0",
    ] {
        for break_it in [remove_first, add_one, retype_first] {
            let mut broken = reports[1].clone();
            break_it(broken.pointer_mut(place).unwrap().as_object_mut().unwrap());
            assert!(!violations(&schema, &broken).is_empty(), "{place}: {broken}");
        }
    }
}

#[test]
fn a_report_of_an_older_program_is_one_still() {
    let report = written(&["compare", "--virtual-time", "-z", "10s", "-q", "--strategy", "sync"]);
    let old = without_what_came_later(&schema(), &report);
    assert!(old != report && old["runs"][0]["series"][0].get("response_time_p99").is_none());
    assert_eq!(violations(&schema(), &old), [""; 0]);
    let read: load_client::report::Report = serde_json::from_value(old).unwrap();
    assert_eq!((read.command, &read.runs[0].configuration), (None, &None));
    assert!(
        read.runs[0]
            .series
            .iter()
            .all(|point| point.response_time_p99.is_none() && point.concurrency_limit.is_none())
    );
}

#[test]
fn the_schema_has_every_count_and_every_outcome_and_no_other() {
    let schema = schema();
    let names = |place: &str| -> Vec<String> {
        let object = schema.pointer(place).unwrap_or_else(|| panic!("{place}"));
        object.as_object().unwrap().keys().cloned().collect()
    };
    let sorted = |mut names: Vec<&str>| -> Vec<String> {
        names.sort_unstable();
        names.into_iter().map(str::to_owned).collect()
    };
    let outcomes = sorted(Outcome::ALL.map(Outcome::label).to_vec());
    for times in ["response_time_seconds", "response_time_curve", "service_time_seconds"] {
        let place = format!("/$defs/Run/properties/{times}/properties");
        assert_eq!(names(&place), outcomes, "{times}");
    }
    let ledger = Ledger::COLUMNS.iter().map(|column| column.name).collect();
    assert_eq!(names("/$defs/Ledger/properties"), sorted(ledger));
    let audit = AuditCounts::COLUMNS.iter().map(|column| column.name).collect();
    assert_eq!(names("/$defs/AuditCounts/properties"), sorted(audit));
}

/// A report, its runs and their steps, with only those fields that the schema requires.
fn without_what_came_later(schema: &Value, report: &Value) -> Value {
    let keep = |schema: &Value, value: &mut Value| {
        let required: Vec<&str> = schema["required"]
            .as_array()
            .unwrap()
            .iter()
            .map(|name| name.as_str().unwrap())
            .collect();
        value
            .as_object_mut()
            .unwrap()
            .retain(|name, _| required.contains(&name.as_str()));
    };
    let mut report = report.clone();
    keep(schema, &mut report);
    for run in report["runs"].as_array_mut().unwrap() {
        keep(&schema["$defs"]["Run"], run);
        for point in run["series"].as_array_mut().unwrap() {
            keep(&schema["$defs"]["PointReport"], point);
        }
    }
    report
}

/// Makes all fields of each object required if some are. Objects without required fields, such as a set of outcomes, stay.
fn require_all(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            let names: Option<Vec<Value>> = fields
                .get("properties")
                .and_then(Value::as_object)
                .map(|properties| properties.keys().cloned().map(Value::String).collect());
            if let (Some(names), true) = (names, fields.contains_key("required")) {
                fields.insert("required".to_owned(), Value::Array(names));
            }
            fields.values_mut().for_each(require_all);
        }
        Value::Array(items) => items.iter_mut().for_each(require_all),
        _ => {}
    }
}

type Object = serde_json::Map<String, Value>;

fn remove_first(object: &mut Object) {
    let name = object.keys().next().unwrap().clone();
    object.remove(&name);
}

fn add_one(object: &mut Object) {
    object.insert("something_else".to_owned(), Value::Null);
}

fn retype_first(object: &mut Object) {
    let value = object.values_mut().next().unwrap();
    *value = Value::Array(vec![Value::Null]);
}
