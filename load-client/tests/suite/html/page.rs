//! The page as a whole: it says what the report says, loads nothing, and is not broken by what a target is called.

use std::{collections::BTreeMap, fs};

use super::{chart, charts, drawn, heads, minute, page_of, pages, read_page, seconds, table};
use crate::support::{Service, load_client, markup::Element};
use load_client::{
    ledger::{AttemptCounts, AuditCounts, Ledger, ServiceCounts},
    present::words::explain,
    report::AttemptsReport,
};

/// Counts that are all different, from `first` on.
fn counts<const N: usize>(first: u64) -> [u64; N] {
    std::array::from_fn(|place| first + place as u64)
}

#[test]
fn every_count_of_every_table_is_on_the_page_and_in_the_text() {
    let folder = tempfile::tempdir().unwrap();
    let args = [
        "compare",
        "--virtual-time",
        "-z",
        "5s",
        "-q",
        "--strategy",
        "async-bounded",
    ];
    let (_, mut report) = pages(folder.path(), args);
    let run = &mut report.runs[0];
    run.ledger = Ledger::from(counts(1000));
    run.audit = Some(AuditCounts::from(counts(2000)));
    run.service.as_mut().unwrap().counts = ServiceCounts::from(counts(3000));
    run.attempts = Some(Box::new(AttemptsReport {
        counts: AttemptCounts::from(counts(4000)),
        per_request: None,
        time_seconds: BTreeMap::new(),
    }));
    let page = page_of(folder.path(), &report);
    let shown = load_client(["report"])
        .arg(folder.path().join("changed.json"))
        .output()
        .unwrap();
    let text = String::from_utf8(shown.stdout).unwrap();
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let in_both = |caption: &str, labels: &[&str], first: u64| {
        let heads = heads(&page, caption);
        let row = &table(&page, caption)[0];
        for (label, count) in labels.iter().zip(first..) {
            let place = heads
                .iter()
                .position(|head| head.trim_start_matches(['=', '+', ' ']) == *label);
            assert_eq!(
                row[place.unwrap_or_else(|| panic!("{caption}: no {label}"))],
                count.to_string()
            );
            assert!(text.contains(&format!("{label} {count}")), "{label} {count}: {text}");
        }
    };
    in_both("The clients' ledger", &Ledger::COLUMNS.map(|column| column.label), 1000);
    in_both("The audit", &AuditCounts::COLUMNS.map(|column| column.label), 2000);
    in_both("The attempts", &AttemptCounts::COLUMNS.map(|column| column.label), 4000);
    let service = table(&page, "What the service reported");
    for (column, count) in ServiceCounts::COLUMNS.iter().zip(3000..) {
        let row = [column.label.to_owned(), count.to_string()];
        assert!(service.contains(&row.to_vec()), "{row:?}");
    }
}

#[test]
fn the_figures_are_those_of_the_report() {
    let folder = tempfile::tempdir().unwrap();
    let (page, report) = minute(folder.path());
    let runs = table(&page, "Results");
    let columns = heads(&page, "Results");
    let responses = table(&page, "Times, all from the scheduled send");
    let ledger = table(&page, "The clients' ledger");
    let text = page.text();
    for (run, (row, balance)) in report.runs.iter().zip(runs.iter().zip(&ledger)) {
        let service = run.service.as_ref().unwrap();
        let done = run.time_to_done_seconds.unwrap();
        assert_eq!(row[0], run.name);
        let cell = |head: &str| row[columns.iter().position(|column| column == head).unwrap()].as_str();
        assert_eq!(cell("RPC").to_lowercase(), run.rpc);
        assert_eq!(cell("scheduled"), run.ledger.intended.to_string());
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
    let gates = table(&page, "Gates");
    let met: Vec<bool> = gates.iter().map(|row| row[1] == "FAIL").collect();
    let expected: Vec<bool> = report.runs.iter().map(|run| run.gates[0].met == Some(true)).collect();
    assert_eq!(met, expected);
    assert!(met.contains(&true) && met.contains(&false));
}

#[test]
fn load_and_capacity_come_first_then_the_table_then_the_time_to_done() {
    let folder = tempfile::tempdir().unwrap();
    let (page, report) = minute(folder.path());
    assert_eq!(page.named("h1")[0].text(), "5 strategies under the same load");
    let text = page.text();
    let texts = [
        "4 clients send 8 requests per second, 2 each.",
        "The service has 1 worker that takes 0.25 s per message, so its capacity is 4 messages per second. With async-scaled \
         there are 2 workers, and the capacity is 8 per second. The load is 200 % of the capacity (async-scaled: 100 %).",
        "60.0 s of load in virtual time",
        "Results",
        "How long a message took until it was done",
        "How many messages were in the service",
        &explain(&report.runs[0]),
        "Do the counts add up?",
        "How this page was made",
    ];
    let places = texts.map(|what| text.find(what).unwrap_or_else(|| panic!("{what:?} is missing")));
    assert!(places.is_sorted(), "{places:?}");
    // Every column of the results that is a word of this project is explained.
    let terms = page.named("dl").into_iter().find(|list| list.is("terms")).unwrap();
    let terms: Vec<String> = terms.named("dt").into_iter().map(Element::text).collect();
    for head in heads(&page, "Results").iter().skip(2) {
        assert!(
            terms.iter().any(|term| head.starts_with(term)),
            "{head} is in none of {terms:?}"
        );
    }
}

#[test]
fn every_chart_has_the_command_that_makes_it_again() {
    let folder = tempfile::tempdir().unwrap();
    let (page, report) = minute(folder.path());
    for chart in charts(&page) {
        let commands: Vec<String> = chart.named("code").into_iter().map(Element::text).collect();
        assert_eq!(commands, [report.command.clone().unwrap()], "{}", chart.get("id"));
    }
}

#[test]
fn a_table_that_is_wider_than_a_telephone_says_that_it_scrolls() {
    let folder = tempfile::tempdir().unwrap();
    let (page, _) = minute(folder.path());
    let section = page.named("section").into_iter().next().unwrap();
    let hint = section.named("p").into_iter().next().unwrap();
    assert!(hint.is("hint") && hint.is("below-1000"), "{:?}", hint.attributes);
    assert!(hint.text().contains("Scroll it sideways"));
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
    assert_eq!(table(&page, "Results")[0][0], name);
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
    // Two with the same load and the same services say so once.
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
    assert!(place("CLIENT-LIMITED") < place("4 clients send"));
    assert!(place("FAIL: sync: withheld") < place("4 clients send"));
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
        ["time-to-done-p99", "in-system", "goodput", "queue-depth"].map(|id| format!("virtual-{id}"))
    );
}

#[test]
fn a_path_that_cannot_be_written_costs_nobody_a_run() {
    // No service listens there: a run would say so.
    let args = ["run", "http://127.0.0.1:1", "--html", "/nonexistent/page.html"];
    let output = load_client(args).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        said.contains("cannot write /nonexistent/page.html") && said.lines().count() == 1,
        "{said}"
    );
}
