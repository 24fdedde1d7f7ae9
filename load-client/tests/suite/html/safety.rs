//! The page is safe to open: it loads nothing, and no name of a target breaks it. A page that cannot be written is an error
//! before the run.

use std::fs;

use super::{chart, minute, pages, table};
use crate::support::{Service, load_client};

#[test]
fn whatever_a_target_is_called_it_stays_text() {
    let folder = tempfile::tempdir().unwrap();
    let service = Service::start(["--service-time", "1ms"]);
    let name = r#"</title></style><script>alert('1')</script>"&amp;<img src=x onerror=y>"#;
    // The name is also long, because a long name once left no room for other words in the terminal.
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
fn a_path_that_cannot_be_written_costs_nobody_a_run() {
    // No service listens at this address, so a run would fail with another error.
    let args = ["run", "http://127.0.0.1:1", "--html", "/nonexistent/page.html"];
    let output = load_client(args).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        said.contains("cannot write /nonexistent/page.html") && said.lines().count() == 1,
        "{said}"
    );
}
