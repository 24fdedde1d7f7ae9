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
/// Long enough: a connection that is down is dialled at most a second later.
const AWAY: Duration = Duration::from_secs(2);
/// The last second of the load, long after everything is as it was.
const LAST_SECOND_FROM: f64 = 6.0;

/// What is in flight and what comes while it is away is unavailable, and nothing else.
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
        // The 20 in flight; then, at 200 a second, at least what came within the first half of the 2 s (the pauses between
        // two dials double, so the last one in vain was in the second half), and at most what came within all of it.
        Line::count("unavailable", 220..=440, ledger.unavailable),
        Line::exactly("ok + unavailable", SENDS, ledger.ok + ledger.unavailable),
        Line::exactly("rejected", 0, ledger.rejected),
        Line::exactly("failed", 0, ledger.failed),
        Line::exactly("expired", 0, ledger.expired),
        Line::exactly("restarts", 1, restarts),
        // All of it, but for a step's worth more or less at both ends.
        Line::share("goodput of the last second", 0.9..=1.1, last_second(&run.series)),
        Line::balanced(&measured),
    ];
    let busy = late("the outage", AWAY, away).or(back.kept_waiting());
    Ok(Judged::new(run, lines, busy))
}

/// What was done in the last second of what was scheduled in it.
fn last_second(series: &[PointReport]) -> Option<f64> {
    let last = series.iter().filter(|point| point.t >= LAST_SECOND_FROM);
    let last: Vec<&PointReport> = last.filter(|point| point.offered_rps > 0.0).collect();
    let offered: f64 = last.iter().map(|point| point.offered_rps).sum();
    let good = last.iter().map(|point| point.goodput_rps).sum::<Option<f64>>()?;
    (offered > 0.0).then(|| good / offered)
}
