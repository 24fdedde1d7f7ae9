//! `--html`: tests of the page, its tables, its charts over time and its curves by percentile. This file has their shared
//! helpers.

mod curves;
mod page;
mod safety;
mod saved;
mod series;
mod tables;

use std::{fs, path::Path};

use crate::support::{
    load_client,
    markup::{Element, parse},
};
use load_client::report::Report;

/// The y coordinate of the bottom of every plot, where the value is 0.
const BOTTOM: f64 = 190.0;

fn read_page(file: &Path) -> Element {
    parse(&fs::read_to_string(file).unwrap()).unwrap()
}

fn read(file: &Path) -> Report {
    serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap()
}

/// Runs the load client. Returns the page and the report that it wrote to `folder`.
fn pages<S: AsRef<std::ffi::OsStr>>(folder: &Path, args: impl IntoIterator<Item = S>) -> (Element, Report) {
    let [html, json] = ["page.html", "report.json"].map(|name| folder.join(name));
    let mut command = load_client(args);
    command.arg("--html").arg(&html).arg("--json").arg(&json);
    let output = command.output().unwrap();
    assert!(html.exists(), "{}", String::from_utf8_lossy(&output.stderr));
    (read_page(&html), read(&json))
}

/// The page that `load-client report` makes from a changed report.
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
    read_page(&html)
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

/// The rows of the table with this caption, each cell as text.
fn table(page: &Element, caption: &str) -> Vec<Vec<String>> {
    let tables = page.named("table").into_iter();
    let mut tables = tables.filter(|table| table.named("caption")[0].text().starts_with(caption));
    let table = tables.next().unwrap_or_else(|| panic!("no table {caption}"));
    assert!(table.named("th").iter().all(|head| !head.get("scope").is_empty()));
    let rows = table.named("tbody")[0].named("tr").into_iter();
    rows.map(|row| row.all().into_iter().map(Element::text).collect())
        .collect()
}

/// The headings of the columns of the table with this caption.
fn heads(page: &Element, caption: &str) -> Vec<String> {
    let tables = page.named("table").into_iter();
    let mut tables = tables.filter(|table| table.named("caption")[0].text().starts_with(caption));
    let head = tables.next().unwrap().named("thead")[0].named("th");
    head.into_iter().map(Element::text).collect()
}

/// Parses a time of the page, such as "3 ms", to seconds.
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

/// The paths of runs in a chart.
fn drawn(chart: &Element) -> Vec<&Element> {
    let paths = chart.named("path").into_iter();
    paths.filter(|path| !path.get("data-run").is_empty()).collect()
}

/// The path of a run in a chart.
fn path<'a>(chart: &'a Element, run: &str) -> &'a str {
    let mut paths = drawn(chart).into_iter().filter(|path| path.get("data-run") == run);
    paths
        .next()
        .unwrap_or_else(|| panic!("{} has no {run}", chart.get("id")))
        .get("d")
}

/// The connected pieces of a path, each as the points that it goes through.
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
