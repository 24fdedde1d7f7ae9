//! `--html`: one page that says what the report says, loads nothing, and is not broken by what somebody calls a target.

use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use crate::support::{
    Running, Service, load_client,
    markup::{Element, parse},
    scrape::Page,
};
use load_client::{
    present::words::explain,
    report::{PointReport, Report, Run},
};
use rustix::process::Signal;

/// Whether a step has a figure.
type Known = fn(&PointReport) -> bool;

/// How high every plot is, in its own units: the bottom is 0.
const BOTTOM: f64 = 190.0;

fn page(file: &Path) -> Element {
    parse(&fs::read_to_string(file).unwrap()).unwrap()
}

fn read(file: &Path) -> Report {
    serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap()
}

/// Runs the load client in `folder`; the page and the report that it left there.
fn pages<S: AsRef<std::ffi::OsStr>>(folder: &Path, args: impl IntoIterator<Item = S>) -> (Element, Report) {
    let [html, json] = ["page.html", "report.json"].map(|name| folder.join(name));
    let mut command = load_client(args);
    command.arg("--html").arg(&html).arg("--json").arg(&json);
    let output = command.output().unwrap();
    assert!(html.exists(), "{}", String::from_utf8_lossy(&output.stderr));
    (page(&html), read(&json))
}

/// Writes the page of a report that was changed by hand.
fn page_of(folder: &Path, report: &Report) -> Element {
    let [html, json] = ["changed.html", "changed.json"].map(|name| folder.join(name));
    fs::write(&json, serde_json::to_string(report).unwrap()).unwrap();
    let output = load_client(["report"])
        .arg(&json)
        .arg("--html")
        .arg(&html)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    page(&html)
}

fn minute(folder: &Path) -> (Element, Report) {
    let args = [
        "compare",
        "--virtual-time",
        "-z",
        "60s",
        "-q",
        "--fail-if",
        "withheld>10%",
    ];
    pages(folder, args)
}

/// The rows of the table with that caption, each cell as text.
fn table(page: &Element, caption: &str) -> Vec<Vec<String>> {
    let tables = page.named("table").into_iter();
    let mut tables = tables.filter(|table| table.named("caption")[0].text().starts_with(caption));
    let table = tables.next().unwrap_or_else(|| panic!("no table {caption}"));
    assert!(table.named("th").iter().all(|head| !head.get("scope").is_empty()));
    let rows = table.named("tbody")[0].named("tr").into_iter();
    rows.map(|row| row.all().into_iter().map(Element::text).collect())
        .collect()
}

/// The heads of the columns of the table with that caption.
fn heads(page: &Element, caption: &str) -> Vec<String> {
    let tables = page.named("table").into_iter();
    let mut tables = tables.filter(|table| table.named("caption")[0].text().starts_with(caption));
    let head = tables.next().unwrap().named("thead")[0].named("th");
    head.into_iter().map(Element::text).collect()
}

/// A time as it is written, in seconds.
fn seconds(text: &str) -> f64 {
    let (value, unit) = text.split_once(' ').unwrap_or_else(|| panic!("{text:?} has no unit"));
    let unit = match unit {
        "s" => 1.0,
        "ms" => 1e-3,
        other => panic!("{other}"),
    };
    value.trim_start_matches('<').parse::<f64>().unwrap() * unit
}

fn charts(page: &Element) -> Vec<&Element> {
    page.named("figure")
}

fn chart<'a>(page: &'a Element, id: &str) -> &'a Element {
    let found = charts(page).into_iter().find(|chart| chart.get("id") == id);
    found.unwrap_or_else(|| panic!("no chart {id}"))
}

/// The path of a run in a chart.
fn path<'a>(chart: &'a Element, run: &str) -> &'a str {
    let paths = chart.named("path").into_iter();
    let mut paths = paths.filter(|path| path.get("data-run") == run);
    paths
        .next()
        .unwrap_or_else(|| panic!("{} has no {run}", chart.get("id")))
        .get("d")
}

/// The pieces of a path between two lifts of the pen, each as the points that it goes through.
fn pieces(path: &str) -> Vec<Vec<(f64, f64)>> {
    let mut pieces: Vec<Vec<(f64, f64)>> = Vec::new();
    let starts = path.match_indices(|c: char| c.is_ascii_alphabetic()).map(|(at, _)| at);
    let starts: Vec<usize> = starts.chain([path.len()]).collect();
    for part in starts.windows(2) {
        let (letter, numbers) = path[part[0]..part[1]].split_at(1);
        let numbers: Vec<f64> = numbers
            .split_whitespace()
            .map(|number| number.parse().unwrap())
            .collect();
        let last = pieces
            .last()
            .and_then(|piece| piece.last())
            .copied()
            .unwrap_or_default();
        match letter {
            "M" => pieces.push(vec![(numbers[0], numbers[1])]),
            "L" => pieces.last_mut().unwrap().push((numbers[0], numbers[1])),
            "H" => pieces.last_mut().unwrap().push((numbers[0], last.1)),
            "V" => pieces.last_mut().unwrap().push((last.0, numbers[0])),
            "h" | "Z" => {}
            other => panic!("{other} in {path}"),
        }
    }
    pieces
}

/// How high the path is over `x`; `None` in a gap.
fn level(path: &str, x: f64) -> Option<f64> {
    let pieces = pieces(path);
    let spans = pieces.iter().flat_map(|piece| piece.windows(2));
    let mut spans = spans.filter(|span| span[0].0 < x && x <= span[1].0);
    spans.next().map(|span| {
        let part = (x - span[0].0) / (span[1].0 - span[0].0);
        span[0].1 + part * (span[1].1 - span[0].1)
    })
}

/// The end of the time axis, in seconds.
fn end(run: &Run) -> f64 {
    let last = run.series.last().unwrap().t;
    last + run.series[1].t
}

#[test]
fn every_run_is_in_every_chart_or_said_to_have_no_figures() {
    let folder = tempfile::tempdir().unwrap();
    let (page, report) = minute(folder.path());
    let all: BTreeSet<&str> = report.runs.iter().map(|run| run.name.as_str()).collect();
    let charts = charts(&page);
    assert!(charts.len() >= 8, "{}", charts.len());
    for chart in &charts {
        let drawn = chart.named("path").into_iter().filter(|path| !path.get("d").is_empty());
        let mut there: BTreeSet<&str> = drawn.map(|path| path.get("data-run")).collect();
        let missing = chart.named("p").into_iter().filter(|text| text.is("missing"));
        let missing: String = missing.map(Element::text).collect();
        there.extend(
            all.iter()
                .filter(|name| missing.split([' ', ',', '.']).any(|word| word == **name)),
        );
        assert!(there.is_superset(&all), "{}: {there:?}", chart.get("id"));
        // Told apart by colour and by dashes.
        let looks = chart.named("path").into_iter().filter(|path| path.is("line"));
        let looks: Vec<&str> = looks.map(|path| path.get("class")).collect();
        assert_eq!(looks.iter().collect::<BTreeSet<_>>().len(), looks.len(), "{looks:?}");
        // For whoever cannot see them.
        let svg = chart.named("svg")[0];
        let named: Vec<&str> = svg.get("aria-labelledby").split(' ').collect();
        let texts = svg
            .all()
            .into_iter()
            .filter(|element| named.contains(&element.get("id")));
        assert!(texts.map(Element::text).all(|text| !text.is_empty()));
        assert_eq!((svg.get("role"), named.len()), ("img", 2));
    }
}

#[test]
fn the_figures_are_those_of_the_report() {
    let folder = tempfile::tempdir().unwrap();
    let (page, report) = minute(folder.path());
    let runs = table(&page, "The runs");
    let columns = heads(&page, "The runs");
    let responses = table(&page, "Times, all from the scheduled send");
    let ledger = table(&page, "The clients' ledger");
    let text = page.text();
    for (run, (row, balance)) in report.runs.iter().zip(runs.iter().zip(&ledger)) {
        let service = run.service.as_ref().unwrap();
        let done = run.time_to_done_seconds.unwrap();
        assert_eq!(row[0], run.name);
        let cell = |head: &str| row[columns.iter().position(|column| column == head).unwrap()].as_str();
        assert_eq!(cell("RPC").to_lowercase(), run.rpc);
        assert_eq!(cell("intended"), run.ledger.intended.to_string());
        assert_eq!(cell("withheld"), run.ledger.withheld.to_string());
        assert_eq!(cell("most in system"), service.in_system_max.to_string());
        for (head, time) in [("time to done, median", done.p50), ("time to done, longest", done.max)] {
            let shown = seconds(cell(head));
            assert!((shown - time).abs() < 0.006, "{head}: {shown}, not {time}");
        }
        assert!(
            !columns.iter().any(|column| column == "failed"),
            "nothing failed: {columns:?}"
        );
        for (outcome, times) in &run.response_time_seconds {
            let name = match (run.rpc.as_str(), outcome.as_str()) {
                ("enqueue", "ok") => "acknowledgement time".to_owned(),
                (_, outcome) => format!("response time ({outcome})"),
            };
            let row = responses
                .iter()
                .find(|row| row[0] == run.name && row[1] == name)
                .unwrap();
            assert_eq!(row[2], times.count.to_string());
            for (shown, time) in row[3..7].iter().zip([times.mean, times.p50, times.p90, times.p99]) {
                assert!((seconds(shown) - time).abs() < 0.006, "{name}: {shown}, not {time}");
            }
        }
        assert_eq!(balance[2], run.ledger.ok.to_string());
        assert_eq!(balance.last().unwrap(), "balances");
        assert!(text.contains(&explain(run)));
    }
    // The lines, too: what was in the system at its highest is at the top of its line.
    let in_system = chart(&page, "virtual-in-system");
    let highest = |run: &Run| {
        let points = pieces(path(in_system, &run.name)).concat();
        points.into_iter().map(|(_, y)| BOTTOM - y).fold(0.0, f64::max)
    };
    let most = |run: &Run| run.series.iter().filter_map(|point| point.in_system).max().unwrap() as f64;
    let first = &report.runs[0];
    for run in &report.runs {
        let (drawn, known) = (highest(run) / highest(first), most(run) / most(first));
        assert!((drawn - known).abs() < 0.002, "{}: {drawn}, not {known}", run.name);
    }
    // And the curves end where their times do.
    let curves = chart(&page, "virtual-percentiles-ok");
    for run in &report.runs {
        let points = pieces(path(curves, &run.name)).concat();
        assert_eq!(points.len(), run.response_time_curve.as_ref().unwrap()["ok"].len());
    }
    let gates = table(&page, "Gates");
    let met: Vec<bool> = gates.iter().map(|row| row[1] == "FAIL").collect();
    let expected: Vec<bool> = report.runs.iter().map(|run| run.gates[0].met == Some(true)).collect();
    assert_eq!(met, expected);
    assert!(met.contains(&true) && met.contains(&false));
}

#[test]
fn a_frozen_service_is_a_line_at_zero_and_a_gap() {
    let folder = tempfile::tempdir().unwrap();
    let [html, json] = ["page.html", "report.json"].map(|name| folder.path().join(name));
    let service = Service::start(["--service-time", "1ms", "--workers", "4"]);
    let args = [
        "run",
        &service.url,
        "-c",
        "50",
        "-r",
        "200",
        "-z",
        "8s",
        "--prometheus-addr",
        "127.0.0.1:0",
    ];
    let mut command = load_client(args);
    command.arg("--html").arg(&html).arg("--json").arg(&json);
    let client = Running::start(command);
    let line = client.wait_for_line("metrics at http://");
    let address = line.split("http://").nth(1).unwrap().split('/').next().unwrap();
    Page::wait_for(address, "the middle of the run", |page| {
        page.count("load_intended_total") > 500
    });
    service.signal(Signal::STOP);
    // The freeze is a time, so there is nothing else to wait for.
    let thawed = Instant::now() + Duration::from_secs(2);
    while let Some(left) = thawed.checked_duration_since(Instant::now()) {
        thread::park_timeout(left);
    }
    service.signal(Signal::CONT);
    let (status, said) = client.wait();
    assert!(status.success(), "{said:?}");
    let (page, report) = (page(&html), read(&json));
    let run = &report.runs[0];
    let (end, step) = (end(run), run.series[1].t);
    let place = |point: &PointReport| (point.t + step / 2.0) / end * 1000.0;

    let goodput = path(chart(&page, "goodput"), "Process");
    for point in &run.series {
        let level = level(goodput, place(point)).unwrap_or_else(|| panic!("a gap at {point:?}"));
        assert_eq!(
            level >= BOTTOM - 0.05,
            point.goodput_rps == Some(0.0),
            "{level} at {point:?}"
        );
    }
    let hole = run
        .series
        .iter()
        .filter(|point| point.t < 8.0 && point.goodput_rps == Some(0.0))
        .count();
    assert!(hole as f64 * step > 1.6, "a hole of {hole} steps");
    // What was offered meanwhile has no hole.
    let offered = path(chart(&page, "goodput"), "offered");
    assert!(
        run.series
            .iter()
            .filter(|point| point.t < 7.8)
            .all(|point| level(offered, place(point)).unwrap() < BOTTOM)
    );

    // The service said nothing, and nothing was answered: gaps, neither zero nor a line across.
    let charts: [(&str, Known); 4] = [
        ("in-system", |point| point.in_system.is_some()),
        ("memory", |point| point.resident_bytes.is_some()),
        ("response-time-p50", |point| point.response_time_p50.is_some()),
        ("response-time-p99", |point| point.response_time_p99.is_some()),
    ];
    for (id, known) in charts {
        let path = path(chart(&page, id), "Process");
        let silent = run.series.windows(5).filter(|steps| !steps.iter().any(known));
        let silent: Vec<f64> = silent.map(|steps| place(&steps[2])).collect();
        assert!(silent.len() > 5, "{id}: {silent:?}");
        assert!(silent.iter().all(|x| level(path, *x).is_none()), "{id}: {path}");
    }
    assert!(run.series.iter().any(|point| point.resident_bytes > Some(1_000_000)));
}

#[test]
fn whatever_a_target_is_called_it_stays_text() {
    let folder = tempfile::tempdir().unwrap();
    let service = Service::start(["--service-time", "1ms"]);
    let name = r#"</title></style><script>alert('1')</script>"&amp;<img src=x onerror=y>"#;
    // Long, too: the words beside it in the terminal once had no room left.
    let name = name.replace('=', ":") + &"-long".repeat(30);
    let target = format!("{name}=process:{}", service.url);
    let secret = "authorization: Bearer abc123";
    let args = [
        "compare", "--target", &target, "-n", "20", "-r", "100", "-q", "-H", secret,
    ];
    let (page, report) = pages(folder.path(), args);
    assert_eq!(report.runs[0].name, name);
    let all = page.all();
    let allowed = "head meta title style body main header h1 h2 h3 h4 p dl dt dd section figure figcaption div table caption \
                   thead tbody tr th td ul li svg desc line text path rect pre code details summary";
    let others = all
        .iter()
        .filter(|element| !allowed.split_whitespace().any(|name| name == element.name));
    assert_eq!(others.map(|element| &element.name).collect::<Vec<_>>(), [""; 0]);
    assert_eq!(page.named("h1")[0].text(), name);
    assert_eq!(table(&page, "The runs")[0][0], name);
    assert!(
        chart(&page, "goodput")
            .named("path")
            .iter()
            .any(|path| path.get("data-run") == name)
    );
    for file in ["page.html", "report.json"] {
        let text = fs::read_to_string(folder.path().join(file)).unwrap();
        assert!(!text.contains("abc123") && text.contains("authorization: …"), "{file}");
    }
}

#[test]
fn a_page_loads_nothing_and_tells_the_browser_so() {
    let folder = tempfile::tempdir().unwrap();
    let (page, _) = minute(folder.path());
    for element in page.all() {
        for (name, value) in &element.attributes {
            let loads = ["src", "href", "style", "action", "data", "srcset", "poster"].contains(&name.as_str());
            assert!(
                !loads && !name.starts_with("on") && !value.contains("url("),
                "{name}={value}"
            );
            assert!(name == "xmlns" || !value.contains("://"), "{name}={value}");
        }
    }
    let policy = page
        .named("meta")
        .into_iter()
        .find(|meta| meta.get("http-equiv") == "Content-Security-Policy");
    let policy = policy.unwrap().get("content").to_owned();
    assert!(
        policy.starts_with("default-src 'none'; style-src 'sha256-") && !policy.contains("unsafe"),
        "{policy}"
    );
}

#[test]
fn a_saved_report_gives_the_page_of_its_run_to_the_byte() {
    let folder = tempfile::tempdir().unwrap();
    minute(folder.path());
    let [html, json, again] = ["page.html", "report.json", "again.html"].map(|name| folder.path().join(name));
    let output = load_client(["report"])
        .arg(&json)
        .arg("--html")
        .arg(&again)
        .output()
        .unwrap();
    assert!(output.status.success());
    assert!(fs::read(&html).unwrap() == fs::read(&again).unwrap());
    // Several are on one page, with what has changed from one to the other.
    let other = folder.path().join("other.json");
    let args = [
        "compare",
        "--virtual-time",
        "-z",
        "60s",
        "-q",
        "-c",
        "8",
        "--strategy",
        "sync",
        "--json",
    ];
    load_client(args).arg(&other).output().unwrap();
    let output = load_client(["report"])
        .arg(&json)
        .arg(&other)
        .arg("--html")
        .arg(&again)
        .output()
        .unwrap();
    assert!(output.status.success());
    let both = page(&again);
    let drawn = chart(&both, "virtual-in-system").named("path");
    for name in ["report.json: sync", "other.json: sync"] {
        assert!(drawn.iter().any(|path| path.get("data-run") == name));
    }
    assert!(both.text().contains("The loads differ: clients 4 and 8."));
}

#[test]
fn a_run_limited_by_its_client_says_so_before_anything_else() {
    let folder = tempfile::tempdir().unwrap();
    let (_, mut report) = minute(folder.path());
    report.runs[1].verdict.client_limited = true;
    "the generator was late".clone_into(&mut report.runs[1].verdict.reason);
    report.runs[2].ledger.ok -= 1;
    let page = page_of(folder.path(), &report);
    let alerts = page.named("p").into_iter().filter(|text| text.is("alert"));
    let alerts: Vec<String> = alerts.map(Element::text).collect();
    assert!(
        alerts[0].starts_with("CLIENT-LIMITED: async-scaled: the generator was late."),
        "{alerts:?}"
    );
    assert!(
        alerts[1].contains("async-bounded: the ledger does not balance"),
        "{alerts:?}"
    );
    let text = page.text();
    let place = |what: &str| text.find(what).unwrap();
    assert!(place("CLIENT-LIMITED") < place("The clients do not wait"));
    assert!(place("FAIL: sync: withheld") < place("The clients do not wait"));
    assert!(place("The clients do not wait") < place("The runs"));
}

#[test]
fn what_the_runs_were_made_with_is_at_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let (page, report) = minute(folder.path());
    let command = report.command.as_deref().unwrap();
    assert_eq!(
        command,
        "load-client compare --virtual-time --duration 60s --fail-if 'withheld>10%'"
    );
    assert!(page.named("code").iter().any(|code| code.text() == command));
    let made = page
        .named("p")
        .into_iter()
        .filter(|text| text.is("made"))
        .map(Element::text);
    assert_eq!(
        made.collect::<Vec<_>>(),
        [format!("load-client {}, seed 1", env!("CARGO_PKG_VERSION"))]
    );
    let settings = table(&page, "Configuration");
    let row = |name: &str| settings.iter().find(|row| row[0] == name).unwrap()[1].clone();
    assert_eq!(
        (row("clients"), row("offered load"), row("when blocked")),
        ("4".into(), "8/s".into(), "withhold".into())
    );
    assert_eq!(
        row("target"),
        "Enqueue: the answer comes at once, and the message waits in an unlimited queue"
    );
}

#[test]
fn a_report_of_an_older_program_has_a_page_too() {
    let folder = tempfile::tempdir().unwrap();
    let (_, mut report) = minute(folder.path());
    (report.version, report.command) = (None, None);
    for run in &mut report.runs {
        (
            run.configuration,
            run.response_time_curve,
            run.time_to_done_curve,
            run.notes,
        ) = (None, None, None, None);
        for point in &mut run.series {
            (point.response_time_p50, point.response_time_p99, point.resident_bytes) = (None, None, None);
        }
    }
    let page = page_of(folder.path(), &report);
    assert!(page.text().contains("does not say what was typed"));
    let ids: Vec<&str> = charts(&page).iter().map(|chart| chart.get("id")).collect();
    assert_eq!(
        ids,
        ["goodput", "in-system", "queue-depth", "time-to-done-p99"].map(|id| format!("virtual-{id}"))
    );
}

#[test]
fn the_longest_series_of_five_runs_make_less_than_a_megabyte() {
    let folder = tempfile::tempdir().unwrap();
    let (_, mut report) = minute(folder.path());
    assert_eq!(report.runs.len(), 5);
    for (run, look) in report.runs.iter_mut().zip(1_u32..) {
        let point = run.series[10];
        // Nothing level, nothing missing, nothing to leave out: no two steps alike.
        let step = |index: u32| {
            let jagged = f64::from(index * 7919 * look % 1009);
            PointReport {
                t: f64::from(index) * 0.1,
                queue_depth: Some(u64::from(index * 31 % 997)),
                in_system: Some(u64::from(index * 37 % 991)),
                offered_rps: 1000.0 + jagged,
                goodput_rps: Some(jagged),
                time_to_done_p99: Some(jagged + 0.001),
                response_time_p50: Some(jagged + 0.002),
                response_time_p99: Some(jagged + 0.003),
                resident_bytes: Some(u64::from(index * 41 % 983) << 20),
                ..point
            }
        };
        run.series = (0..600).map(step).collect();
        run.load.offered_rps = Some(1500.0);
    }
    page_of(folder.path(), &report);
    let size = fs::metadata(folder.path().join("changed.html")).unwrap().len();
    assert!((300_000..1_000_000).contains(&size), "{size} bytes");
}

#[test]
fn a_path_that_cannot_be_written_costs_nobody_a_run() {
    // Nobody is there: a run would say so.
    let args = ["run", "http://127.0.0.1:1", "--html", "/nonexistent/page.html"];
    let output = load_client(args).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        said.contains("cannot write /nonexistent/page.html") && said.lines().count() == 1,
        "{said}"
    );
}
