//! `load-client sweep`: measures goodput at several offered loads.

use std::{fs, path::Path};

use load_client::report::{Report, SweepReport};

use crate::support::{assert_balanced, load_client, markup::parse, named, report};

fn swept(args: &[&str]) -> Report {
    let (output, report) = report([&["sweep", "--virtual-time", "-q"], args].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    report
}

/// The goodput of a strategy at a load, as a share of the capacity.
fn goodput(sweep: &SweepReport, name: &str, factor: f64) -> f64 {
    let curve = sweep.curves.iter().find(|curve| curve.name == name).unwrap();
    let point = curve
        .points
        .iter()
        .find(|point| (point.factor - factor).abs() < 1e-9)
        .unwrap();
    point.goodput_rps.unwrap() / sweep.capacity_rps
}

#[test]
fn below_the_capacity_all_hold_the_load_and_above_it_only_those_that_reject_do() {
    let report = swept(&["--factors", "0.5,2"]);
    let sweep = report.sweep.as_ref().unwrap();
    assert!((sweep.capacity_rps - 80.0).abs() < 1e-9 && (sweep.slo_seconds - 0.5).abs() < 1e-9);
    assert_eq!((sweep.curves.len(), report.runs.len()), (5, 10));
    for curve in &sweep.curves {
        let half = goodput(sweep, &curve.name, 0.5);
        assert!((half - 0.5).abs() < 0.05, "{}: {half}", curve.name);
        for point in &curve.points {
            let run = report.run(&point.run).unwrap();
            assert_eq!(run.goodput_rps, point.goodput_rps);
            assert!(run.ledger.balances() && run.series.is_empty());
        }
    }
    for (name, least, most) in [("sync-auto", 0.95, 1.01), ("async-unbounded", 0.0, 0.2)] {
        let double = goodput(sweep, name, 2.0);
        assert!((least..=most).contains(&double), "{name}: {double}");
    }
}

#[test]
fn the_same_seed_gives_the_same_sweep_and_the_pictures_and_the_table_show_it() {
    let folder = tempfile::tempdir().unwrap();
    let sweep = |name: &str| {
        let path = |extension: &str| folder.path().join(format!("{name}.{extension}"));
        let output = load_client(["sweep", "--virtual-time", "-q", "--factors", "1,0.5,2", "-z", "5s"])
            .args(["--strategy", "sync-auto,async-bounded", "--json"])
            .arg(path("json"))
            .arg("--html")
            .arg(path("html"))
            .arg("--svg")
            .arg(path("svg"))
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let files = ["json", "html", "svg"].map(|extension| fs::read_to_string(path(extension)).unwrap());
        (String::from_utf8(output.stdout).unwrap(), files)
    };
    let (text, [json, html, svg]) = sweep("one");
    assert_eq!((text.clone(), [json.clone(), html.clone(), svg.clone()]), sweep("two"));
    let row: Vec<&str> = text
        .lines()
        .find(|line| line.trim().starts_with("0.5×"))
        .unwrap()
        .split_whitespace()
        .collect();
    assert_eq!(row[..3], ["0.5×", "40", "40"], "{text}");
    let page = parse(&html).unwrap();
    let chart = page.named("figure")[0];
    let drawn: Vec<&str> = chart.named("path").iter().map(|path| path.get("data-run")).collect();
    assert_eq!(drawn, ["ideal", "sync-auto", "async-bounded"]);
    for path in chart.named("path").iter().skip(1) {
        assert_eq!(path.get("d").matches(['M', 'L']).count(), 3, "{}", path.get("d"));
    }
    let picture = parse(&format!("<!DOCTYPE html>{svg}")).unwrap();
    let names: Vec<String> = picture.named("text").iter().map(|text| text.text()).collect();
    for name in ["sync-auto", "async-bounded", "ideal", "0.5×", "2×", "100 %"] {
        assert!(names.iter().any(|known| known == name), "{names:?}");
    }
    assert!(svg.contains("prefers-color-scheme: dark"));
    // The saved report gives the same text.
    let shown = load_client(["report"])
        .arg(folder.path().join("one.json"))
        .output()
        .unwrap();
    assert!(text.contains(String::from_utf8(shown.stdout).unwrap().trim()), "{text}");
}

#[test]
fn a_sweep_in_real_time_measures_services_over_sockets() {
    let strategies = [
        "--strategy",
        "sync-auto,async-unbounded",
        "--arrival",
        "constant",
        "-z",
        "2s",
    ];
    let (output, report) = report(["sweep", "-q", "--factors", "0.5,2"].iter().chain(&strategies));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let sweep = report.sweep.as_ref().unwrap();
    assert_eq!((sweep.curves.len(), report.runs.len()), (2, 4));
    for curve in &sweep.curves {
        // The capacity is 80 requests per second, and the load lasts two seconds. The clients have different phases, so up to one
        // request of each client can be scheduled just after the load.
        for (point, most) in curve.points.iter().zip([80, 320]) {
            let run = report.run(&point.run).unwrap();
            assert!(!run.virtual_time);
            assert_balanced(run);
            assert!(
                (most / 2..=most).contains(&run.ledger.intended),
                "{}: {:?}",
                run.name,
                run.ledger
            );
            assert_eq!(run.goodput_rps, point.goodput_rps);
        }
    }
    // On any machine, four workers with 50 ms per message process at most 200 messages, because the last answers come within
    // 500 ms after the load.
    let answered = named(&report, "sync-auto at 2×").ledger.ok;
    assert!((1..=4 * 50).contains(&answered), "{answered} answers");
    // With an unbounded queue every message is processed, now or later.
    for name in ["async-unbounded at 0.5×", "async-unbounded at 2×"] {
        let run = named(&report, name);
        assert_eq!(run.audit.as_ref().unwrap().done, run.ledger.ok, "{name}");
    }
}

#[test]
fn the_picture_of_the_documentation_is_of_the_built_in_lab() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/sweep.svg");
    let picture = parse(&format!("<!DOCTYPE html>{}", fs::read_to_string(file).unwrap())).unwrap();
    // One load is computed again, and its point must be where the picture has it. Its index is that of 2× in the default loads.
    let report = swept(&["--factors", "2"]);
    let sweep = report.sweep.as_ref().unwrap();
    let curves: Vec<_> = picture
        .named("path")
        .into_iter()
        .filter(|path| path.is("curve"))
        .collect();
    assert_eq!(curves.len(), sweep.curves.len());
    let number = |text: &str| text.parse::<f64>().unwrap();
    let level = |share: &str| {
        let label = picture
            .named("text")
            .into_iter()
            .find(|text| text.text() == share)
            .unwrap();
        number(label.get("y"))
    };
    for (path, curve) in curves.iter().zip(&sweep.curves) {
        let points: Vec<Vec<f64>> = path
            .get("d")
            .trim_start_matches('M')
            .split('L')
            .map(|point| point.split(' ').map(number).collect())
            .collect();
        assert_eq!(points.len(), 18, "{}", curve.name);
        let (bottom, top) = (level("0 %"), level("100 %"));
        let drawn = (bottom - (points[13][1] + 4.0)) / (bottom - top);
        let computed = goodput(sweep, &curve.name, 2.0);
        assert!(
            (drawn - computed).abs() < 0.005,
            "{}: {drawn} drawn, {computed} computed",
            curve.name
        );
    }
}

#[test]
fn what_the_sweep_decides_and_what_has_no_capacity_is_refused() {
    for (args, expected) in [
        (&["--rps", "5"][..], "--factors"),
        (&["--service-time", "0s"], "no capacity"),
        (&["--factors", "0"], "0.001"),
        (&["--strategy", "x"], "there is no strategy"),
    ] {
        let output = load_client(["sweep", "--virtual-time"]).args(args).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {said}");
        assert!(said.contains(expected), "{args:?}: {said}");
    }
}
