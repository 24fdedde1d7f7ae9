//! Tests the view without a terminal, with runs whose counts come from [`Live`].

mod drawing;
mod reading;

use std::{sync::Arc, time::Duration};

use super::model::{RunModel, SAMPLE_EVERY};
use crate::{
    ledger::{AuditCounts, Ledger},
    live::{Levels, Live, LiveAudit, Phase},
    scenario::{Rpc, Scenario, Schedule, Spacing, WhenBlocked},
};

fn scenario(rpc: Rpc) -> Arc<Scenario> {
    Arc::new(Scenario {
        rpc,
        clients: 4,
        connections: 1,
        threads: 1,
        schedule: Schedule::Rate {
            rps: 8.0,
            spacing: Spacing::Constant,
        },
        max_in_flight: 1,
        when_blocked: WhenBlocked::Withhold,
        duration: Some(Duration::from_secs(15)),
        requests: None,
        timeout: Duration::from_secs(10),
        slo: Duration::from_secs(10),
        warmup: Duration::ZERO,
        drain_limit: None,
        payload_size: 0,
        metadata: http::HeaderMap::new(),
        priorities: None,
        policies: crate::policy::PolicySettings::default(),
        seed: 1,
    })
}

/// A run of this length at 8 sends per second: 4 are done in time and 4 are rejected. It is read five times per second.
/// Each answer takes as long as the run has lasted, in tenths of a second. The service has as many messages as seconds
/// have passed.
fn played(name: &str, rpc: Rpc, length: Duration) -> RunModel {
    let live = Live::default();
    let mut model = RunModel::new(name.to_owned(), scenario(rpc));
    model.add_sample(None, &live.read(), live.times());
    assert_eq!(model.reading.phase, Phase::Connecting);
    live.enter(Phase::Loading);
    let ((shard, _looks), audit) = (live.shard(), live.audit());
    let (mut at, mut quarters) = (Duration::ZERO, 0_u64);
    while at < length {
        at += SAMPLE_EVERY;
        while Duration::from_millis(250 * (quarters + 1)) <= at {
            quarters += 1;
            let time = at / 10;
            shard.answered(time);
            audit.record(2 * time);
        }
        let queued = rpc == Rpc::Enqueue;
        shard.publish(&crate::recorder::ClientCounts {
            ledger: Ledger {
                intended: 2 * quarters + 1,
                ok: quarters,
                rejected: quarters,
                ..Ledger::default()
            },
            good: if queued { 0 } else { quarters },
            in_flight: 1,
            ..crate::recorder::ClientCounts::default()
        });
        live.audited(LiveAudit {
            counts: AuditCounts {
                done: if queued { quarters / 2 } else { 0 },
                ..AuditCounts::default()
            },
            good: if queued { quarters } else { 0 },
        });
        live.seen(Levels {
            queue_depth: at.as_secs() / 2,
            in_system: at.as_secs(),
        });
        model.add_sample(Some(at), &live.read(), live.times());
    }
    model
}

fn strategies(length: Duration) -> Vec<RunModel> {
    let named = [
        ("async-unbounded", Rpc::Enqueue),
        ("async-scaled", Rpc::Enqueue),
        ("async-bounded", Rpc::Enqueue),
        ("sync", Rpc::Process),
        ("sync-shed", Rpc::Process),
    ];
    named.map(|(name, rpc)| played(name, rpc, length)).into()
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}
