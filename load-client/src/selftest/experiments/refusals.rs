//! A service that rejects three calls of ten at once and takes a known time for the others. The experiment checks the
//! counts, and that no time is attributed to the wrong outcome.

use super::{
    super::{
        faulty::{Faulty, REFUSED, REFUSED_OF},
        host::Host,
        judge::{Judged, Line},
        setting::{NotDone, Setting},
    },
    delay::{DELAY, DELAYED, gate},
};

pub(super) const LOAD: &[&str] =
    &["--rps 200 --duration 5s --clients 4 --connections 4 --max-in-flight 1000 --fail-if p0.1(ok)<100ms"];
const SENDS: u64 = 1000;

/// Rejected requests have their answers long before the others: a client that mixes the two shows it in its times.
pub(super) async fn at_once(setting: &Setting) -> Result<Judged, NotDone> {
    let faulty = Faulty::new(DELAY);
    let counts = faulty.counts();
    let host = Host::faulty(faulty)?;
    let measured = setting.run_quietly(host.address()).await?;
    let run = &measured.report;
    let ok = run.response_time_seconds.get("ok");
    let rejected = run.response_time_seconds.get("rejected");
    let refused = SENDS * REFUSED / REFUSED_OF;
    let goodput = match (run.goodput_rps, run.load.offered_rps) {
        (Some(good), Some(offered)) => Some(good / offered),
        _ => None,
    };
    let lines = vec![
        Line::exactly("scheduled", SENDS, run.ledger.intended),
        // There is no retry that the report does not count.
        Line::exactly("calls that came in", SENDS, counts.calls()),
        Line::exactly("rejected", refused, run.ledger.rejected),
        Line::exactly("ok", SENDS - refused, run.ledger.ok),
        // All requests that were not rejected, whether their answers came before the load ended or after.
        Line::share("goodput", 0.699..=0.701, goodput),
        Line::seconds("response time (ok), shortest", DELAYED, gate(run, 0)),
        Line::seconds("response time (ok) p50", DELAYED, ok.map(|times| times.p50)),
        // The bound is half of what the other requests take at least.
        Line::seconds(
            "response time (rejected) p99",
            0.0..=0.05,
            rejected.map(|times| times.p99),
        ),
        Line::balanced(&measured),
    ];
    Ok(Judged::new(run, lines, host.kept_waiting()))
}
