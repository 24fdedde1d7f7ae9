//! A service that takes a known time for every message, far below its capacity: nothing is faster, and little is slower.

use std::{ops::RangeInclusive, time::Duration};

use foo_service::config::Settings;

use super::super::{
    host::Host,
    judge::{Judged, Line},
    setting::{NotDone, Setting},
};
use crate::report::{Limit, Run};

/// The quantile 0.1 % of 500 times is the shortest of them. Its rule is never met, and reports that time.
pub(super) const LOAD: &[&str] = &[
    "--rps 100 --duration 5s --clients 4 --connections 4 --max-in-flight 1000 \
                    --fail-if p0.1(ok)<100ms --fail-if p0.1(service-time)<100ms",
];
const SENDS: u64 = 500;
/// Each client has one request in flight, so that all together send at most 40 requests per second.
pub(super) const FEW_CLIENTS: &[&str] =
    &["--rps 100 --duration 5s --clients 4 --max-in-flight 1 --when-blocked withhold"];
/// How long every message takes.
pub(super) const DELAY: Duration = Duration::from_millis(100);
/// The bounds for most answers, in seconds (derived: an answer waits until four threads wake up. A load client that is
/// later than 10 ms with one send in a hundred reports that it cannot judge. The rest is for the timers' ticks and for
/// the calls themselves).
pub(super) const DELAYED: RangeInclusive<f64> = 0.1..=0.15;
/// The bounds for the slowest answer of a hundred, in seconds (derived: some of these meet a thread that stands still
/// for the 50 ms that are allowed).
const SLOWEST: RangeInclusive<f64> = 0.1..=0.2;

fn host() -> Result<Host, NotDone> {
    let host = Host::foo(Settings {
        workers: 1000,
        service_time: DELAY,
        ..Settings::default()
    })?;
    Ok(host)
}

/// The clients are the limit, and the verdict must not blame the service or the load client.
pub(super) async fn few_clients(setting: &Setting) -> Result<Judged, NotDone> {
    let host = host()?;
    let measured = setting.run_quietly(host.address()).await?;
    let run = &measured.report;
    // Four clients make at most ten requests a second each, and one more at the end.
    let most = 4 * (50 + 1);
    let lines = vec![
        Line::exactly("scheduled", SENDS, run.ledger.intended),
        Line::exactly("ok + withheld", SENDS, run.ledger.ok + run.ledger.withheld),
        Line::count("withheld", SENDS - most..=SENDS, run.ledger.withheld),
        Line::limited_by("limited by", Limit::Clients, run.verdict.limited_by),
        Line::balanced(&measured),
    ];
    Ok(Judged::new(run, lines, host.kept_waiting()))
}

/// Every message takes the same time.
pub(super) async fn constant(setting: &Setting) -> Result<Judged, NotDone> {
    let host = host()?;
    let measured = setting.run_quietly(host.address()).await?;
    let run = &measured.report;
    let response = run.response_time_seconds.get("ok");
    let service = run.service_time_seconds.get("ok");
    let lines = vec![
        Line::exactly("ok", SENDS, run.ledger.ok),
        Line::seconds("response time, shortest", DELAYED, gate(run, 0)),
        Line::seconds("response time p50", DELAYED, response.map(|times| times.p50)),
        Line::seconds("response time p99", SLOWEST, response.map(|times| times.p99)),
        Line::seconds("service time, shortest", DELAYED, gate(run, 1)),
        Line::seconds("service time p99", SLOWEST, service.map(|times| times.p99)),
        Line::balanced(&measured),
    ];
    Ok(Judged::new(run, lines, host.kept_waiting()))
}

/// The figure that the rule with this index judged.
pub(super) fn gate(run: &Run, index: usize) -> Option<f64> {
    run.gates.get(index)?.seen
}
