//! A service that is killed under load and comes back at the same address.

use std::time::{Duration, Instant};

use foo_service::config::Settings;

use super::super::{
    host::Host,
    judge::{Judged, Line},
    setting::{NotDone, Setting, late},
};
use crate::report::PointReport;

pub(super) const LOAD: &[&str] = &["--rps 200 --duration 7s --clients 4 --connections 4 --max-in-flight 1000"];
const SENDS: u64 = 1400;
/// Time from the start of the load until the service is killed.
const KILLED_AT: Duration = Duration::from_secs(2);
/// How long the service is away. That is long enough, because a connection that is down is dialled at most a second
/// later.
const AWAY: Duration = Duration::from_secs(2);
/// The beginning of the last second of the load, in seconds. By then the service has long recovered.
const LAST_SECOND_FROM: f64 = 6.0;

/// Only requests that are in flight at the kill, or come while the service is away, may be unavailable.
pub(super) async fn and_return(setting: &Setting) -> Result<Judged, NotDone> {
    let settings = Settings {
        workers: 1000,
        service_time: Duration::from_millis(100),
        ..Settings::default()
    };
    let host = Host::foo(settings.clone())?;
    let address = host.address();
    let fault = async {
        setting.until_load_is(KILLED_AT).await;
        host.kill().await;
        let died = Instant::now();
        setting.until_load_is(KILLED_AT + AWAY).await;
        Ok((Host::foo_at(address, settings)?, died.elapsed()))
    };
    let (measured, (back, away)) = setting.run(address, fault).await?;
    let run = &measured.report;
    let ledger = &run.ledger;
    let restarts = run.service.as_ref().map_or(0, |service| service.restarts);
    let lines = vec![
        Line::exactly("scheduled", SENDS, ledger.intended),
        // The 20 requests in flight; and at 200 per second, at least those that came in the first half of the 2 s, and
        // at most all of them. (The pauses between two dials double, so the last dial that failed was in the second
        // half.)
        Line::count("unavailable", 220..=440, ledger.unavailable),
        Line::exactly("ok + unavailable", SENDS, ledger.ok + ledger.unavailable),
        Line::exactly("rejected", 0, ledger.rejected),
        Line::exactly("failed", 0, ledger.failed),
        Line::exactly("expired", 0, ledger.expired),
        Line::exactly("restarts", 1, restarts),
        // All requests of the last second must succeed. The series may have one step more or less at each end of it: 10 %.
        Line::share("goodput of the last second", 0.9..=1.1, last_second(&run.series)),
        Line::balanced(&measured),
    ];
    let busy = late("the outage", AWAY, away).or(back.kept_waiting());
    Ok(Judged::new(run, lines, busy))
}

/// The share of the requests scheduled in the last second that were done in it.
fn last_second(series: &[PointReport]) -> Option<f64> {
    let last = series.iter().filter(|point| point.t >= LAST_SECOND_FROM);
    let last: Vec<&PointReport> = last.filter(|point| point.offered_rps > 0.0).collect();
    let offered: f64 = last.iter().map(|point| point.offered_rps).sum();
    let good = last.iter().map(|point| point.goodput_rps).sum::<Option<f64>>()?;
    (offered > 0.0).then(|| good / offered)
}
