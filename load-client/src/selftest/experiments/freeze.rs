//! A service that freezes for 2 s in the middle of 10 s at 200 requests per second, seen by clients that go on sending, by
//! clients that wait and catch up, and by clients that withhold.
//!
//! 400 of 2,000 requests meet the freeze. A request that meets it at its age `t` waits for 2 s less `t`. So one request in a
//! hundred waits for more than 1.9 s, and the average is 0.2 s. The freeze may end up to 50 ms late (`setting::late`), and so
//! may the answers. A tool that times a request from when it is sent sees nothing of this with clients that wait.

use std::{ops::RangeInclusive, time::Duration};

use foo_service::config::Settings;

use super::super::{
    host::Host,
    judge::{Judged, Line},
    setting::{NotDone, Setting, late},
};
use crate::{
    measure::Measured,
    report::{PointReport, Run},
};

/// Clients that send on schedule, however many requests are in flight.
pub(super) const OPEN: &[&str] = &[LOAD, "--max-in-flight 1000"];
/// Clients with one request in flight, which send the others later.
pub(super) const BACKLOG: &[&str] = &[LOAD, "--max-in-flight 1 --when-blocked backlog"];
/// Clients with one request in flight, which never send the others.
pub(super) const WITHHOLD: &[&str] = &[LOAD, "--max-in-flight 1 --when-blocked withhold"];
/// The flags of all three experiments. Goodput counts what was answered within 100 ms.
const LOAD: &str = "--rps 200 --duration 10s --clients 4 --connections 4 --slo 100ms --fail-if p99>100ms";
const SENDS: u64 = 2000;
const GATE: &str = "gate p99>100ms";
/// The time from the start of the load to the freeze, which is in the middle of the load.
const FREEZE_AT: Duration = Duration::from_secs(4);
const FREEZE: Duration = Duration::from_secs(2);
/// The bounds of the 99th percentile, in seconds. The right value is 1.9. A freeze that ends late, a thread of the service that
/// stands still and one of the load client that does may each add 50 ms, which no other line reports; the answers to 400 requests,
/// which all come at once after the freeze, may add 100 ms.
const P99: RangeInclusive<f64> = 1.7..=2.15;

/// The experiment `freeze-open`: an open loop, under [`OPEN`].
pub(super) async fn open_loop(setting: &Setting) -> Result<Judged, NotDone> {
    let (measured, busy) = frozen(setting).await?;
    let run = &measured.report;
    let answered = run.response_time_seconds.get("ok");
    let not_soon = match (run.goodput_rps, run.load.offered_rps) {
        (Some(good), Some(offered)) => Some(1.0 - good / offered),
        _ => None,
    };
    let lines = vec![
        Line::exactly("scheduled", SENDS, run.ledger.intended),
        Line::exactly("ok", SENDS, run.ledger.ok),
        Line::seconds("response time p99", P99, answered.map(|times| times.p99)),
        // The right value is 0.2 s, and a little more for the answers, which all come at once after the freeze.
        Line::seconds("response time mean", 0.18..=0.26, answered.map(|times| times.mean)),
        // All requests that met the freeze, except those of its last 100 ms: 19 %.
        Line::share("not answered within 100 ms", 0.18..=0.22, not_soon),
        // Measured in steps of 100 ms. The first and the last step also have sends outside the freeze.
        Line::seconds("hole in the series", 1.75..=2.25, hole(&run.series)),
        Line::gate_met(GATE, gate(run)),
        Line::balanced(&measured),
    ];
    Ok(Judged::new(run, lines, busy))
}

/// The experiment `freeze-backlog`, under [`BACKLOG`].
pub(super) async fn backlog(setting: &Setting) -> Result<Judged, NotDone> {
    let (measured, busy) = frozen(setting).await?;
    let run = &measured.report;
    let response = run.response_time_seconds.get("ok");
    let service = run.service_time_seconds.get("ok");
    let lines = vec![
        Line::exactly("scheduled", SENDS, run.ledger.intended),
        // This is not `exactly`, because a machine that is far too slow has some requests left at the end.
        Line::count("ok", SENDS..=SENDS, run.ledger.ok),
        Line::seconds("response time p99", P99, response.map(|times| times.p99)),
        // Only the 4 requests in flight met the freeze after they were sent: two in a thousand. Tools that time a
        // request from its actual send report this.
        Line::seconds("service time p99", 0.0..=0.1, service.map(|times| times.p99)),
        Line::gate_met(GATE, gate(run)),
        Line::balanced(&measured),
    ];
    Ok(Judged::new(run, lines, busy))
}

/// The experiment `freeze-withhold`, under [`WITHHOLD`].
pub(super) async fn withhold(setting: &Setting) -> Result<Judged, NotDone> {
    let (measured, busy) = frozen(setting).await?;
    let run = &measured.report;
    let ledger = &run.ledger;
    let lines = vec![
        Line::exactly("scheduled", SENDS, ledger.intended),
        // 400 less the 4 in flight, and some whose client was still waiting for another reason.
        Line::count("withheld", 380..=480, ledger.withheld),
        Line::exactly("ok + withheld", SENDS, ledger.ok + ledger.withheld),
        Line::gate_met_by_silence(GATE, gate(run)),
        Line::balanced(&measured),
    ];
    Ok(Judged::new(run, lines, busy))
}

/// Measures a run with a freeze. Also returns the reason if the machine was too busy to freeze the service as planned.
async fn frozen(setting: &Setting) -> Result<(Measured, Option<String>), NotDone> {
    // The service answers every request at once: all waiting comes from the freeze.
    let host = Host::foo(Settings {
        workers: 1000,
        service_time: Duration::ZERO,
        ..Settings::default()
    })?;
    let fault = async {
        setting.until_load_is(FREEZE_AT).await;
        Ok(host.freeze(FREEZE).await)
    };
    let (measured, took) = setting.run(host.address(), fault).await?;
    let busy = late("the freeze", FREEZE, took).or(host.kept_waiting());
    Ok((measured, busy))
}

fn gate(run: &Run) -> Option<&crate::report::GateReport> {
    run.gates.first()
}

/// The longest time in which requests were scheduled and nothing was answered soon; `None` if the series does not show
/// that.
fn hole(series: &[PointReport]) -> Option<f64> {
    let step = series.get(1)?.t - series.first()?.t;
    let (mut longest, mut now) = (0_u32, 0);
    for point in series {
        now = if point.goodput_rps? == 0.0 && point.offered_rps > 0.0 {
            now + 1
        } else {
            0
        };
        longest = longest.max(now);
    }
    Some(f64::from(longest) * step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hole_is_where_sends_were_intended_and_none_was_good() {
        let goodput = [5.0, 0.0, 5.0, 0.0, 0.0, 0.0, 5.0, 0.0, 0.0];
        let points: Vec<PointReport> = (0..9_u32)
            .zip(goodput)
            .map(|(index, goodput)| PointReport {
                t: f64::from(index) * 0.5,
                queue_depth: None,
                in_system: None,
                queue_bytes: None,
                offered_rps: if index < 7 { 5.0 } else { 0.0 },
                goodput_rps: Some(goodput),
                response_time_p50: None,
                response_time_p99: None,
                time_to_done_p99: None,
                resident_bytes: None,
                concurrency_limit: None,
            })
            .collect();
        assert_eq!(hole(&points), Some(1.5));
        assert_eq!(hole(&points[..1]), None);
    }
}
