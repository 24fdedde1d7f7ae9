//! Runs in virtual time agree with queueing theory where theory is exact. The runs are long, so that the error bands are narrow.

use std::fs;

use load_client::report::{Agreement, Report, TheoryFigureReport};

use crate::support::report;

/// How many bands a figure may be off when eleven figures are judged together and 95 of 100 such tests are to pass: Šidák (1967),
/// z = 2.83 standard deviations for a level of 0.95^(1/11) each, over the 1.96 of a band.
const TOGETHER: f64 = 2.83 / 1.96;

/// Runs strategies on four workers that take a second on average, for so many requests, with these keys of [load].
fn run(load: &str, strategies: &str) -> Report {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("theory.toml");
    let lab = format!(
        "[load]\narrival = \"poisson\"\ntimeout = \"1h\"\n{load}\n[service]\nworkers = 4\nservice-time = \"1s\"\nline = \"fifo\"\n{strategies}"
    );
    fs::write(&file, lab).unwrap();
    let (output, report) = report(["compare", file.to_str().unwrap(), "--virtual-time", "-q"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    report
}

fn figures(report: &Report) -> Vec<(&str, &TheoryFigureReport)> {
    let runs = report.runs.iter();
    runs.flat_map(|run| {
        let theory = run.theory.as_ref().unwrap_or_else(|| panic!("{}", run.name));
        assert_eq!((theory.exact, &theory.reason), (Some(true), &None), "{}", run.name);
        theory.figures.iter().map(|figure| (run.name.as_str(), figure))
    })
    .collect()
}

#[test]
fn every_exact_model_is_within_its_band_of_the_measurement() {
    let report = run(
        "clients = 32\nrps = 3.2\nduration = \"2000s\"",
        r#"
[[strategy]]
name = "endless"
mode = "enqueue"
service = { queue = "unbounded", service-time-distribution = "exponential" }

[[strategy]]
name = "endless-constant"
mode = "enqueue"
service = { queue = "unbounded" }

[[strategy]]
name = "bounded"
mode = "enqueue"
service = { queue-capacity = 4, service-time-distribution = "exponential" }

[[strategy]]
name = "drops"
mode = "enqueue"
service = { queue-capacity = 4, when-full = "drop-oldest", service-time-distribution = "exponential" }

[[strategy]]
name = "drops-constant"
mode = "enqueue"
service = { workers = 1, queue-capacity = 4, when-full = "drop-oldest", service-time = "300ms" }

[[strategy]]
name = "waiting"
mode = "process"
service = { max-waiting = 100, service-time-distribution = "exponential" }

[[strategy]]
name = "waiting-constant"
mode = "process"
service = { workers = 1, max-waiting = 100, service-time = "300ms" }

[[strategy]]
name = "some-room"
mode = "process"
service = { max-waiting = 2, service-time-distribution = "exponential" }

[[strategy]]
name = "no-line"
mode = "process"
service = { max-waiting = 0, service-time-distribution = "lognormal" }
"#,
    );
    let figures = figures(&report);
    assert_eq!(figures.len(), 11, "{figures:#?}");
    for (name, figure) in figures {
        let off = (figure.measured.unwrap() - figure.predicted).abs();
        println!("{name}: {:.2} bands off", off / figure.band);
        assert!(off <= TOGETHER * figure.band, "the model is wrong: {name}: {figure:?}");
        // The random numbers are always the same, so a figure that was inside once stays inside. If a change draws other
        // numbers, one of eleven figures is outside its own band in 43 % of the cases (1 - 0.95^11), and the bound above alone
        // says whether a model is wrong.
        assert_eq!(figure.agreement, Agreement::Consistent, "{name}: {figure:?}");
    }
}

#[test]
fn a_run_that_is_too_short_says_that_it_is() {
    let report = run(
        "clients = 32\nrps = 3.6\nduration = \"60s\"",
        "[[strategy]]\nname = \"short\"\nmode = \"enqueue\"\nservice = { queue = \"unbounded\", service-time-distribution = \"exponential\" }\n",
    );
    assert_eq!(figures(&report)[0].1.agreement, Agreement::TooShort);
}

#[test]
fn where_no_formula_applies_the_report_says_why() {
    for (load, expected) in [
        ("clients = 8\nrps = 8\nduration = \"30s\"", "at or above the capacity"),
        ("clients = 8\nrps = 2\nduration = \"30s\"\nslo = \"1s\"", ""),
        ("clients = 8\nstages = \"10s:1,10s:2\"", "the rate of the load changes"),
    ] {
        let report = run(
            load,
            "[[strategy]]\nname = \"queue\"\nmode = \"enqueue\"\nservice = { queue = \"unbounded\" }\n",
        );
        let theory = report.runs[0].theory.as_ref().unwrap();
        assert_eq!(theory.reason.is_none(), theory.model.is_some());
        let reason = theory.reason.as_deref().unwrap_or_default();
        assert!(
            reason.contains(expected) && (expected.is_empty() == reason.is_empty()),
            "{reason}"
        );
    }
}
