//! `load-client health`, as a container's health check runs it.

use crate::support::{Running, Service, load_client, scrape::Page, signal};
use rustix::process::Signal;

#[test]
fn a_load_client_is_alive_while_it_runs_and_not_after() {
    let service = Service::start(["--service-time", "5ms"]);
    let client = Running::start(load_client([
        "run",
        &service.url,
        "-z",
        "0s",
        "--prometheus-addr",
        "127.0.0.1:0",
    ]));
    let line = client.wait_for_line("metrics at http://");
    let address = line
        .trim_start_matches("metrics at http://")
        .trim_end_matches("/metrics");
    let health = || {
        load_client(["health", "--prometheus-addr", address])
            .output()
            .expect("it starts")
    };
    let alive = health();
    assert!(alive.status.success(), "{alive:?}");
    assert_eq!(
        String::from_utf8_lossy(&alive.stdout),
        format!("http://{address}: alive\n")
    );

    // Wait until the load has begun, because a run that is stopped earlier fails.
    Page::wait_for(address, "the load", |page| page.count("load_intended_total") > 0);
    signal(client.child(), Signal::TERM);
    let (status, said) = client.wait();
    assert!(status.success(), "{said:?}");
    let gone = health();
    assert_eq!(gone.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&gone.stderr).contains(address), "{gone:?}");
}
