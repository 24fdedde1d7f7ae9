//! The map: at which loads and with how many retries a service stays collapsed, with the arithmetic for comparison. Near the
//! border the result depends on chance, so each cell has several seeds.

use std::{fmt::Write, fs};

use super::{
    page::{page, part, settle, settle_picture, with_part},
    picture::begin,
    run, share,
};
use crate::support::long_tests;

/// The loads of the map, as percentages of the capacity.
const LOADS: [u32; 5] = [30, 45, 60, 75, 90];
const MOST_RETRIES: u32 = 4;
const SEEDS: u32 = 5;

/// A lab with a strategy for each number of retries (without pauses), at a load in percent of the capacity of 50 per second. For
/// ten seconds the service time is ten times as long, which is an overload at each of these loads. The load ends a minute later.
fn lab(load: u32) -> String {
    let mut lab = format!(
        "[load]\nclients = 200\nmax-in-flight = 100\nrps = {}\narrival = \"poisson\"\nduration = \"90s\"\n\
         attempt-timeout = \"2s\"\n[service]\nworkers = 10\nservice-time = \"200ms\"\nline = \"fifo\"\n\
         max-waiting = 1000000\n",
        f64::from(load) / 2.0
    );
    for retries in 0..=MOST_RETRIES {
        let timeout = 2 * (retries + 1);
        let retry = if retries == 0 {
            String::new()
        } else {
            format!(", retries = {retries}, retry-on = \"unavailable,rejected,expired\", pushback = \"ignore\"")
        };
        write!(
            lab,
            "[[strategy]]\nname = \"r{retries}\"\nmode = \"process\"\n\
             load = {{ timeout = \"{timeout}s\", slo = \"{timeout}s\"{retry} }}\n"
        )
        .unwrap();
    }
    lab + "[[event]]\nat = \"20s\"\nservice = { service-time = \"2s\" }\n\
           [[event]]\nat = \"30s\"\nservice = { service-time = \"200ms\" }\n"
}

/// For each number of retries, the number of seeds with which the service stays collapsed: of the requests between 70 s and
/// 90 s, less than half are done within the SLO.
fn collapsed(load: u32, seeds: u32) -> Vec<u32> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("map.toml");
    fs::write(&file, lab(load)).unwrap();
    let mut counts = vec![0; MOST_RETRIES as usize + 1];
    for seed in 1..=seeds {
        let report = run(file.to_str().unwrap(), ["--seed", &seed.to_string()]);
        for (count, run) in counts.iter_mut().zip(&report.runs) {
            *count += u32::from(share(run, 70..90) < 0.5);
        }
    }
    counts
}

fn table(counts: impl Fn(u32) -> Vec<u32>) -> String {
    let mut text = "| load |".to_owned();
    for retries in 0..=MOST_RETRIES {
        let s = if retries == 1 { "y" } else { "ies" };
        write!(text, " {retries} retr{s} |").unwrap();
    }
    text.push_str("\n|--:|");
    text.push_str(&"--:|".repeat(MOST_RETRIES as usize + 1));
    text.push('\n');
    for load in LOADS {
        write!(text, "| {load} % |").unwrap();
        for (retries, count) in (0..).zip(counts(load)) {
            let attempts = f64::from(load * (retries + 1)) / 100.0;
            write!(text, " {count} of {SEEDS} ({attempts:.2}) |").unwrap();
        }
        text.push('\n');
    }
    text
}

/// The picture of the map's table, as SVG.
pub(super) fn picture(table: &str) -> String {
    let rows: Vec<Vec<&str>> = table
        .lines()
        .skip(2)
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect();
    let (width, height) = (116.0, 34.0);
    let top = 40.0;
    let mut svg = begin(
        top + rows.len() as f64 * (height + 2.0) + 12.0,
        "How many of five runs stay collapsed, by load and retries; bold where load times attempts is above the capacity",
    );
    for retries in 0..=MOST_RETRIES {
        let x = 130.0 + f64::from(retries) * (width + 2.0) + width / 2.0;
        writeln!(
            svg,
            r#"<text x="{x:.1}" y="26" text-anchor="middle">{} × load</text>"#,
            retries + 1
        )
        .unwrap();
    }
    for (row, cells) in rows.iter().enumerate() {
        let y = top + row as f64 * (height + 2.0);
        let middle = y + height / 2.0 + 4.5;
        writeln!(
            svg,
            r#"<text x="120" y="{middle:.1}" text-anchor="end">{} of capacity</text>"#,
            cells[0]
        )
        .unwrap();
        for (column, cell) in cells[1..].iter().enumerate() {
            let x = 130.0 + column as f64 * (width + 2.0);
            let (count, attempts) = cell.split_once(" of 5 (").unwrap();
            let (count, attempts): (f64, f64) =
                (count.parse().unwrap(), attempts.trim_end_matches(')').parse().unwrap());
            let (class, opacity) = if count > 0.0 {
                ("down", 0.15 + 0.6 * count / f64::from(SEEDS))
            } else {
                ("good", 0.3)
            };
            let weight = if attempts > 1.0 { " font-weight=\"700\"" } else { "" };
            writeln!(
                svg,
                r#"<rect class="{class}" style="fill-opacity: {opacity:.2}" x="{x:.1}" y="{y:.1}" width="{width}" height="{height}"/>
<text x="{:.1}" y="{middle:.1}" text-anchor="middle"{weight}>{cell}</text>"#,
                x + width / 2.0
            )
            .unwrap();
        }
    }
    svg.push_str("</svg>\n");
    svg
}

#[test]
fn the_map_is_as_measured() {
    let committed = page();
    if long_tests() {
        let now = with_part(&committed, "map", &table(|load| collapsed(load, SEEDS)));
        settle_picture("map", &picture(part(&now, "map")));
        settle(&now);
        return;
    }
    // Far from the border one seed is enough.
    let cells = collapsed(30, 1);
    assert_eq!((cells[0], cells[1]), (0, 0), "{cells:?}");
    let rows: Vec<&str> = part(&committed, "map").lines().skip(2).collect();
    assert_eq!(rows.len(), LOADS.len());
    assert!(rows[0].contains("0 of 5 (0.30)"), "{}", rows[0]);
}
