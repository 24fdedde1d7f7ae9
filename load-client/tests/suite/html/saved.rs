//! The pages of one saved report, of several, and of an older one; and what a page says about how its report was made.

use std::fs;

use super::{chart, charts, drawn, heads, minute, page_of, read_page, table};
use crate::support::{load_client, markup::Element};

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
    // Two reports with the same load and services show the conditions only once.
    let output = load_client(["report"])
        .args([&json, &json])
        .arg("--html")
        .arg(&again)
        .output()
        .unwrap();
    assert!(output.status.success());
    let twice = read_page(&again);
    let conditions = twice
        .named("dl")
        .into_iter()
        .find(|list| list.get("class") == "conditions");
    let conditions = conditions.unwrap().text();
    assert!(
        conditions.contains("With async-scaled there are 2 workers") && !conditions.contains("report.json"),
        "{conditions}"
    );
    // Several reports are on one page, with the changes from one to the next.
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
    let both = read_page(&again);
    let drawn = drawn(chart(&both, "virtual-in-system"));
    for name in ["report.json: sync", "other.json: sync"] {
        assert!(drawn.iter().any(|path| path.get("data-run") == name));
    }
    assert_eq!(both.named("h1")[0].text(), "report.json and other.json compared");
    assert!(both.text().contains("The loads differ: clients 4 and 8."));
    assert_eq!(heads(&both, "sync"), ["figure", "report.json", "other.json", "change"]);
    let changes = table(&both, "sync");
    let most = changes.iter().find(|row| row[0] == "most in system").unwrap();
    assert_eq!(most[1..], ["4", "8", "+100.0 %"]);
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
            (point.response_time_p50, point.response_time_p99) = (None, None);
            (point.resident_bytes, point.concurrency_limit) = (None, None);
        }
    }
    let page = page_of(folder.path(), &report);
    assert!(page.text().contains("does not say what was typed"));
    let ids: Vec<&str> = charts(&page).iter().map(|chart| chart.get("id")).collect();
    assert_eq!(
        ids,
        ["time-to-done-p99", "in-system", "goodput", "queue-depth"].map(|id| format!("virtual-{id}"))
    );
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
