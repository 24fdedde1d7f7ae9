//! Reads and writes the measured parts of docs/metastable.md: tables between marks, and pictures from the same runs.

use std::{env, fmt::Write, fs, path::PathBuf, thread};

use super::{LABS, Measured, Shown, lab, map, picture, run, share};
use load_client::report::Report;

fn docs() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs")
}

/// Whether the tests write the page instead of comparing it.
fn updates() -> bool {
    env::var_os("UPDATE_METASTABLE").is_some()
}

/// The text of docs/metastable.md.
pub(super) fn page() -> String {
    fs::read_to_string(docs().join("metastable.md")).unwrap()
}

/// The lines between the marks of `name`.
pub(super) fn part<'a>(page: &'a str, name: &str) -> &'a str {
    let (_, rest) = page.split_once(&mark(name)).unwrap_or_else(|| panic!("no mark {name}"));
    rest.split_once("<!-- end -->").unwrap().0
}

/// The page with `lines` between the marks of `name`.
pub(super) fn with_part(page: &str, name: &str, lines: &str) -> String {
    let old = format!("{}{}", mark(name), part(page, name));
    page.replacen(&old, &format!("{}{lines}", mark(name)), 1)
}

fn mark(name: &str) -> String {
    format!("<!-- measured: {name} -->\n")
}

/// Writes the page if the tests update it. In every case the page must then equal `now`.
pub(super) fn settle(now: &str) {
    if updates() {
        fs::write(docs().join("metastable.md"), now).unwrap();
    }
    for (committed, now) in page().lines().zip(now.lines()) {
        assert_eq!(
            committed, now,
            "docs/metastable.md differs; if that is meant, UPDATE_METASTABLE=1"
        );
    }
    assert_eq!(page().lines().count(), now.lines().count());
}

/// Writes a picture if the tests update the page. In every case the picture must then equal `svg`.
pub(super) fn settle_picture(name: &str, svg: &str) {
    let file = docs().join("metastable").join(format!("{name}.svg"));
    if updates() {
        fs::write(&file, svg).unwrap();
    }
    let same = fs::read_to_string(&file).unwrap_or_default() == svg;
    assert!(
        same,
        "docs/metastable/{name}.svg differs; if that is meant, UPDATE_METASTABLE=1"
    );
}

fn measure(shown: &Shown) -> Report {
    run(lab(shown.name).to_str().unwrap(), shown.flags.split_whitespace())
}

fn table(shown: &Shown, report: &Report) -> String {
    let space = if shown.flags.is_empty() { "" } else { " " };
    let mut text = format!(
        "`load-client compare labs/{}.toml --virtual-time{space}{}`\n\n| strategy |",
        shown.name, shown.flags
    );
    for period in shown.cuts.windows(2) {
        write!(text, " {}–{} s |", period[0], period[1]).unwrap();
    }
    text.push_str(" attempts per request |\n|---|");
    text.push_str(&"--:|".repeat(shown.cuts.len()));
    text.push('\n');
    for run in &report.runs {
        write!(text, "| {} |", run.name).unwrap();
        for period in shown.cuts.windows(2) {
            write!(text, " {:.0} % |", 100.0 * share(run, period[0]..period[1])).unwrap();
        }
        let attempts = run.attempts.as_ref().and_then(|attempts| attempts.per_request);
        writeln!(text, " {:.2} |", attempts.unwrap_or(1.0)).unwrap();
    }
    text
}

#[test]
fn the_page_is_as_measured_and_what_it_claims_is_true() {
    let reports: Vec<Report> = thread::scope(|scope| {
        let runs: Vec<_> = LABS.iter().map(|shown| scope.spawn(|| measure(shown))).collect();
        runs.into_iter().map(|run| run.join().unwrap()).collect()
    });
    let mut now = page();
    for (shown, report) in LABS.iter().zip(&reports) {
        (shown.claims)(&Measured(report));
        now = with_part(&now, shown.name, &table(shown, report));
        settle_picture(shown.name, &picture::strips(report, *shown.cuts.last().unwrap()));
    }
    settle(&now);
    settle_picture("map", &map::picture(part(&now, "map")));
}
