//! The charts over time: their lines show the values of the series, and have gaps where a value is unknown.

use std::{
    collections::BTreeSet,
    fs, thread,
    time::{Duration, Instant},
};

use super::{BOTTOM, chart, charts, drawn, minute, page_of, pages, path, pieces, read, read_page};
use crate::support::{Running, Service, load_client, markup::Element, scrape::Page, workspace};
use load_client::report::{PointReport, Run};
use rustix::process::Signal;

/// Tells whether a point of the series has a value for a chart.
type Known = fn(&PointReport) -> bool;

/// The height of a path at `x`; `None` in a gap.
fn level(path: &str, x: f64) -> Option<f64> {
    let pieces = pieces(path);
    let spans = pieces.iter().flat_map(|piece| piece.windows(2));
    let mut spans = spans.filter(|span| span[0].0 < x && x <= span[1].0);
    spans.next().map(|span| {
        let part = (x - span[0].0) / (span[1].0 - span[0].0);
        span[0].1 + part * (span[1].1 - span[0].1)
    })
}

/// The end of a run's time axis, in seconds.
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
        let drawn = drawn(chart);
        let mut there: BTreeSet<&str> = drawn.iter().map(|path| path.get("data-run")).collect();
        let missing = chart.named("p").into_iter().filter(|text| text.is("missing"));
        let missing: String = missing.map(Element::text).collect();
        there.extend(
            all.iter()
                .filter(|name| missing.split([' ', ',', '.']).any(|word| word == **name)),
        );
        assert!(there.is_superset(&all), "{}: {there:?}", chart.get("id"));
        // Each line has a colour and dashes of its own.
        let looks = drawn.iter().filter(|path| path.is("line"));
        let looks: Vec<&str> = looks.map(|path| path.get("class")).collect();
        assert_eq!(looks.iter().collect::<BTreeSet<_>>().len(), looks.len(), "{looks:?}");
        // Every plot has a title and a description for screen readers.
        let plots = chart.named("svg").into_iter().filter(|svg| svg.get("role") == "img");
        for svg in plots {
            let named: Vec<&str> = svg.get("aria-labelledby").split(' ').collect();
            let all = page.all().into_iter();
            let texts = all.filter(|element| named.contains(&element.get("id")));
            let texts: Vec<String> = texts.map(Element::text).collect();
            assert!(
                texts.len() == 2 && texts.iter().all(|text| !text.is_empty()),
                "{texts:?}"
            );
        }
    }
}

#[test]
fn every_strategy_has_a_row_and_all_rows_have_the_same_axes() {
    let folder = tempfile::tempdir().unwrap();
    let (page, report) = minute(folder.path());
    for id in ["time-to-done-p99", "in-system", "goodput", "response-time-p99"] {
        let chart = chart(&page, &format!("virtual-{id}"));
        let rows: Vec<&Element> = chart.named("div").into_iter().filter(|row| row.is("row")).collect();
        let names = rows.iter().map(|row| row.named("p")[0].text());
        let expected: Vec<&str> = report.runs.iter().map(|run| run.name.as_str()).collect();
        assert_eq!(names.collect::<Vec<_>>(), expected);
        let axes = rows.iter().map(|row| {
            let ticks = row.named("text").into_iter().filter(|text| text.is("y"));
            ticks.map(Element::text).collect::<Vec<_>>()
        });
        let axes: BTreeSet<Vec<String>> = axes.collect();
        assert!(
            axes.len() == 1 && axes.iter().all(|ticks| ticks.len() == 2),
            "{id}: {axes:?}"
        );
    }
    // Only the page's first chart describes the strategies.
    let first = charts(&page)[0];
    assert_eq!(first.get("id"), "virtual-time-to-done-p99");
    assert!(first.text().contains("Enqueue: the answer comes at once"));
    assert!(!chart(&page, "virtual-in-system").text().contains("Enqueue: the answer"));
}

#[test]
fn the_words_of_marks_do_not_overlap() {
    let folder = tempfile::tempdir().unwrap();
    let lab = workspace().join("labs/metastable.toml");
    let args = ["compare", lab.to_str().unwrap(), "--virtual-time", "-z", "60s", "-q"];
    let (page, _) = pages(folder.path(), [&args[..], &["--strategy", "naive,budget"]].concat());
    for id in ["goodput", "in-system", "response-time-p99"] {
        let words = chart(&page, &format!("virtual-{id}")).named("text").into_iter();
        let words: Vec<&Element> = words.filter(|text| text.is("mark")).collect();
        // Two events and the end of the load, each once and on a line of its own.
        let lines: BTreeSet<&str> = words.iter().map(|text| text.get("y")).collect();
        assert_eq!((words.len(), lines.len()), (3, 3), "{id}");
    }
}

#[test]
fn the_highest_level_of_a_run_is_the_highest_point_of_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let (page, report) = minute(folder.path());
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
    // The freeze must last for a fixed time, so there is no condition to wait for.
    let thawed = Instant::now() + Duration::from_secs(2);
    while let Some(left) = thawed.checked_duration_since(Instant::now()) {
        thread::park_timeout(left);
    }
    service.signal(Signal::CONT);
    let (status, said) = client.wait();
    assert!(status.success(), "{said:?}");
    let (page, report) = (read_page(&html), read(&json));
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
    // The line of the offered load has no hole.
    let offered = path(chart(&page, "goodput"), "offered");
    assert!(
        run.series
            .iter()
            .filter(|point| point.t < 7.8)
            .all(|point| level(offered, place(point)).unwrap() < BOTTOM)
    );

    // During the freeze there were no snapshots and no answers: the charts have gaps, not zeros and not a line across.
    let charts: [(&str, Known); 5] = [
        ("in-system", |point| point.in_system.is_some()),
        ("concurrency-limit", |point| point.concurrency_limit.is_some()),
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
fn the_longest_series_of_five_runs_make_less_than_a_megabyte() {
    let folder = tempfile::tempdir().unwrap();
    let (_, mut report) = minute(folder.path());
    assert_eq!(report.runs.len(), 5);
    for (run, look) in report.runs.iter_mut().zip(1_u32..) {
        let point = run.series[10];
        // All values exist and differ from point to point, so the page cannot leave out any of them.
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
                concurrency_limit: Some(u64::from(index * 43 % 977)),
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
