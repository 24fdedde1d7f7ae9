//! Fire-and-forget: a service that forgets messages it has acknowledged, and one that drops them by policy and says so.

use std::time::Duration;

use foo_service::{
    config::{QueueKind, Settings},
    enqueue::WhenFull,
};

use super::super::{
    faulty::{FORGOTTEN, FORGOTTEN_OF, Faulty},
    host::Host,
    judge::{Judged, Line},
    setting::{NotDone, Setting},
};
use crate::{ledger::AuditCounts, measure::Measured, report::Run};

/// The service never reports the messages that it forgets, so the wait for them has to end by itself.
pub(super) const FORGETFUL: &[&str] =
    &["--mode enqueue --rps 200 --duration 3s --clients 4 --connections 4 --drain-limit 1s"];
/// The run does not wait for what is queued, because that takes an hour.
pub(super) const FULL: &[&str] =
    &["--mode enqueue --rps 100 --duration 3s --clients 4 --connections 4 --drain-limit 0s"];
const SENDS_FORGETFUL: u64 = 600;
const SENDS_FULL: u64 = 300;
const PLACES: u32 = 8;

/// Of twenty messages, the service forgets two, and reports one twice as done.
pub(super) async fn forgotten(setting: &Setting) -> Result<Judged, NotDone> {
    let faulty = Faulty::new(Duration::ZERO);
    let counts = faulty.counts();
    let host = Host::faulty(faulty)?;
    let measured = setting.run_quietly(host.address()).await?;
    let lost = SENDS_FORGETFUL * FORGOTTEN / FORGOTTEN_OF;
    let lines = |audit: AuditCounts, _: &Run| {
        vec![
            Line::exactly("calls that came in", SENDS_FORGETFUL, counts.calls()),
            Line::exactly("acknowledged", SENDS_FORGETFUL, audit.acknowledged),
            Line::exactly("done", SENDS_FORGETFUL - lost, audit.done),
            Line::exactly("lost", lost, audit.lost),
            Line::exactly("done twice", SENDS_FORGETFUL / FORGOTTEN_OF, audit.duplicated),
        ]
    };
    Ok(judged(&measured, lines))
}

/// One message is in service for an hour, and the queue holds 8. Of all others, the service drops the oldest.
pub(super) async fn dropped(setting: &Setting) -> Result<Judged, NotDone> {
    let host = Host::foo(Settings {
        workers: 1,
        service_time: Duration::from_secs(3600),
        queue: QueueKind::Bounded,
        queue_capacity: PLACES,
        when_full: WhenFull::DropOldest,
        ..Settings::default()
    })?;
    let measured = setting.run_quietly(host.address()).await?;
    let left = u64::from(PLACES) + 1;
    let lines = |audit: AuditCounts, run: &Run| {
        let by_the_service = run.service.as_ref().map_or(0, |service| service.counts.dropped);
        vec![
            Line::exactly("acknowledged", SENDS_FULL, audit.acknowledged),
            Line::exactly("dropped, says the service", SENDS_FULL - left, by_the_service),
            Line::exactly("dropped, says the audit", SENDS_FULL - left, audit.discarded),
            Line::exactly("queued", left, audit.queued),
            Line::exactly("lost", 0, audit.lost),
        ]
    };
    Ok(judged(&measured, lines))
}

fn judged(measured: &Measured, lines: impl Fn(AuditCounts, &Run) -> Vec<Line>) -> Judged {
    let run = &measured.report;
    // If a report has no audit, nothing was counted.
    let audit = run
        .audit
        .as_ref()
        .map_or_else(AuditCounts::default, |audit| AuditCounts {
            acknowledged: audit.acknowledged,
            done: audit.done,
            discarded: audit.discarded,
            queued: audit.queued,
            lost: audit.lost,
            duplicated: audit.duplicated,
            ..AuditCounts::default()
        });
    let mut lines = lines(audit, run);
    lines.push(Line::balanced(measured));
    // All figures are counts, which are the same on every machine.
    Judged::new(run, lines, None)
}
