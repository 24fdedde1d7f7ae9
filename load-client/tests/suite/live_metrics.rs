//! `--prometheus-addr`: the metrics page of a running load client, as Prometheus and a health check see it.

use crate::support::{
    Running, Service, free_address, load_client,
    scrape::{Page, get},
    signal,
};
use load_client::outcome::Outcome;
use rustix::process::Signal;

/// The labels of what becomes of an accepted message.
const FATES: [&str; 6] = [
    "fate=\"done\"",
    "fate=\"lost\"",
    "fate=\"unknown\"",
    "fate=\"discarded\",reason=\"expired\"",
    "fate=\"discarded\",reason=\"dead_lettered\"",
    "fate=\"discarded\",reason=\"other\"",
];

/// Starts an endless run with a metrics page. Returns the process and the address of the page.
fn run(url: &str, flags: &[&str]) -> (Running, String) {
    let fixed = ["run", url, "-z", "0s", "--prometheus-addr", "127.0.0.1:0"];
    let client = Running::start(load_client(fixed.iter().chain(flags)));
    let line = client.wait_for_line("metrics at http://");
    let address = line
        .split("http://")
        .nth(1)
        .unwrap()
        .split('/')
        .next()
        .unwrap()
        .to_owned();
    (client, address)
}

fn stop(client: Running) {
    signal(client.child(), Signal::INT);
    let (status, said) = client.wait();
    assert!(status.success(), "{said:?}");
}

#[test]
fn every_series_is_there_before_anything_happens() {
    // No service listens at this address, so the client waits for one.
    let url = format!("http://{}", free_address());
    let (mut client, address) = run(
        &url,
        &["--stages", "1h:100", "-c", "4", "--slo", "70ms", "--timeout", "3s"],
    );
    let page = Page::scrape(&address);
    for outcome in Outcome::ALL.map(Outcome::label) {
        let labels = format!("{{rpc=\"process\",outcome=\"{outcome}\"}}");
        assert_eq!(page.count(&format!("load_requests_total{labels}")), 0);
        assert_eq!(page.count(&format!("load_response_time_seconds_count{labels}")), 0);
    }
    for fate in FATES {
        assert_eq!(page.count(&format!("load_audited_total{{{fate}}}")), 0);
    }
    for name in [
        "load_intended_total",
        "load_withheld_total",
        "load_good_total",
        "load_warmup_sends_total",
        "load_acknowledged_total",
        "load_blocked_clients",
        "load_in_flight",
        "load_warming_up",
        "load_time_to_done_seconds_count",
        "load_start_lag_seconds_count",
    ] {
        assert_eq!(page.count(name), 0, "{name}");
    }
    assert_eq!(
        page.count("load_offered_rps"),
        0,
        "nothing is asked for before the load"
    );
    assert_eq!(page.count("load_clients"), 4);
    assert_eq!(page.value("load_slo_seconds"), "0.07");
    // The SLO and the deadline are bounds of buckets, so the requests within them can be counted exactly.
    for bound in ["0.07", "3"] {
        assert!(page.has(&format!("load_time_to_done_seconds_bucket{{le=\"{bound}\"}}")));
    }
    assert!(page.has("load_start_lag_seconds_bucket{le=\"0.01\"}"));
    assert!(page.value("process_resident_memory_bytes") != "0");
    assert_eq!(get(&address, "/livez").0, 200);
    assert_eq!(get(&address, "/").0, 200);
    assert_eq!(get(&address, "/other").0, 404);
    client.kill();
}

#[test]
fn the_page_shows_a_synchronous_run_as_it_goes() {
    let service = Service::start(["--service-time", "20ms"]);
    let flags = ["-c", "4", "-r", "100", "--when-blocked", "withhold", "--warmup", "1s"];
    let (client, address) = run(&service.url, &flags);
    let page = Page::wait_for(&address, "something withheld after the warm-up", |page| {
        page.count("load_withheld_total") > 20 && page.count("load_blocked_clients") > 0
    });
    let ok = "{rpc=\"process\",outcome=\"ok\"}";
    assert_eq!(page.count("load_offered_rps"), 100);
    assert!(page.count("load_warmup_sends_total") >= 95);
    assert_eq!(page.count("load_warming_up"), 0);
    assert!(page.count(&format!("load_requests_total{ok}")) > 0);
    // Four clients wait for each answer, so at most four requests have not ended. The counters of a page are read one by one while
    // the run goes on, so a page can be off by one request.
    Page::wait_for(&address, "counts that add up", |page| {
        let over = page.sum("load_requests_total") + page.count("load_withheld_total");
        let intended = page.count("load_intended_total");
        intended >= over && intended - over <= 4
    });
    assert!(page.count("load_good_total") <= page.count(&format!("load_requests_total{ok}")));
    assert!(page.count("load_good_total") > 0 && page.count("load_time_to_done_seconds_count") > 0);
    assert!(page.value(&format!("load_response_time_seconds_sum{ok}")) != "0");
    stop(client);
}

#[test]
fn a_run_without_a_rate_tells_none_and_judges_nothing_in_its_warm_up() {
    let service = Service::start(["--service-time", "5ms"]);
    let (client, address) = run(&service.url, &["-r", "0", "--warmup", "1h"]);
    let page = Page::wait_for(&address, "sends in the warm-up", |page| {
        page.count("load_warmup_sends_total") > 10
    });
    assert!(!page.has("load_offered_rps"));
    assert_eq!(page.count("load_warming_up"), 1);
    assert_eq!(page.count("load_intended_total"), 0);
    assert_eq!(page.sum("load_response_time_seconds_count"), 0);
    stop(client);
}

#[test]
fn what_a_killed_service_had_is_unknown_as_soon_as_the_next_one_is_there() {
    let flags = ["--service-time", "30ms"];
    let service = Service::start(flags);
    let at = service.address();
    let (client, address) = run(&service.url, &["--mode", "enqueue", "-c", "10", "-r", "100"]);
    let before = Page::wait_for(&address, "a backlog", |page| {
        page.count("load_acknowledged_total") > page.sum("load_audited_total") + 50
    });
    assert!(before.count("load_audited_total{fate=\"done\"}") > 0);
    assert_eq!(before.count("load_audited_total{fate=\"unknown\"}"), 0);
    service.kill();
    Page::wait_for(&address, "a send that found nobody", |page| {
        page.count("load_requests_total{rpc=\"enqueue\",outcome=\"unavailable\"}") > 0
    });
    let _service = Service::start_at(&at, flags);
    let after = Page::wait_for(&address, "the end of the backlog", |page| {
        page.count("load_audited_total{fate=\"unknown\"}") > 50
    });
    assert_eq!(after.count("load_audited_total{fate=\"lost\"}"), 0);
    let done = after.count("load_audited_total{fate=\"done\"}");
    Page::wait_for(&address, "something done by the new instance", |page| {
        page.count("load_audited_total{fate=\"done\"}") > done
    });
    stop(client);
}

#[test]
fn a_port_of_pages_is_named_as_one_that_speaks_http_1() {
    // hyper closes a connection that begins with HTTP/2. Other servers answer in HTTP/1.1.
    let service = Service::start(["--service-time", "1ms"]);
    let (client, address) = run(&service.url, &[]);
    for pages in [service.admin.clone(), address] {
        let url = format!("http://{pages}");
        for call in [&[][..], &["--call", "helloworld.Greeter/SayHello"]] {
            let words = ["run", &url, "-n", "1", "--connect-timeout", "1h"];
            let output = load_client(words.iter().chain(call)).output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(1), "{said}");
            let expected = format!(
                "{url}: it speaks HTTP/1.1, not HTTP/2, which gRPC needs; is this the port of the gRPC server?"
            );
            assert!(said.contains(&expected), "{said}");
        }
    }
    stop(client);
}

#[test]
fn an_address_that_is_taken_is_said_before_the_run() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = load_client(["run", "http://127.0.0.1:1", "--prometheus-addr", &address])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("--prometheus-addr") && said.contains(&address), "{said}");
}
