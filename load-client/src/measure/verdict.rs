//! Whether the figures are the service's or the generator's, with the numbers that say so.

use std::{fmt::Write, time::Duration};

use super::held_back::{HeldBack, held_back};
use crate::{
    recorder::Figures,
    report::{Limit, VerdictReport, seconds},
    scenario::{Scenario, Schedule},
    span::time,
};

/// A generator that is later than this with one send in a hundred is the limit itself (arbitrary: ten ticks of its
/// timers, and below any SLO that is worth measuring).
pub(crate) const LATE: Duration = Duration::from_millis(10);
/// A sending thread that uses more of a core than this is the limit itself (arbitrary: what little is left cannot be had
/// evenly, so answers wait to be read).
const BUSY: f64 = 0.9;
/// Connections on which more than this share of the sends had to wait for a stream are the limit themselves (arbitrary:
/// from here on the wait is in the p99).
const WAITING: f64 = 0.01;

/// Judges the generator.
pub(super) fn verdict(scenario: &Scenario, figures: &Figures) -> VerdictReport {
    let ledger = &figures.ledger;
    let lag = figures.start_lag.quantile(0.99);
    let share = |count: u64| (ledger.intended > 0).then(|| count as f64 / ledger.intended as f64);
    let waits = figures.effort.stream_waits;
    let waiting = share(waits.count);
    let cpu_share = figures.effort.cpu_share;

    let held_back = held_back(scenario, figures);
    let mut limits = Vec::new();
    if let Some(lag) = lag.filter(|lag| *lag > LATE) {
        limits.push(format!("was late with its sends: start lag p99 {}", time(seconds(lag))));
    }
    if let Some(cpu) = cpu_share.filter(|cpu| *cpu > BUSY) {
        limits.push(format!("used {:.0} % of a core on its busiest thread", 100.0 * cpu));
    }
    if let Some(waiting) = waiting.filter(|waiting| *waiting > WAITING) {
        limits.push(format!(
            "let {:.0} % of its sends wait for a stream, up to {}: the service allows too few on so few connections, and \
             --connections opens more",
            100.0 * waiting,
            time(seconds(waits.max)),
        ));
    }
    let generator = (!limits.is_empty()).then(|| format!("the generator {}", limits.join("; it ")));
    let limited_by = match (&held_back, &generator) {
        (Some(HeldBack::ByClients(_)), _) => Some(Limit::Clients),
        (_, Some(_)) => Some(Limit::Generator),
        (Some(HeldBack::ByService), None) => Some(Limit::Service),
        (None, None) => None,
    };
    let reason = if let Some(HeldBack::ByClients(few)) = held_back {
        generator.map_or_else(|| few.clone(), |generator| format!("{few}; and {generator}"))
    } else if let Some(generator) = generator {
        generator
    } else if lag.is_none() {
        "nothing was sent".to_owned()
    } else if scenario.schedule == Schedule::AsFastAsPossible {
        "no schedule: sent as fast as the answers came, so response time is service time".to_owned()
    } else {
        let mut kept = "the generator kept its schedule".to_owned();
        if let Some(lag) = lag {
            let _ = write!(kept, ": start lag p99 {}", time(seconds(lag)));
        }
        if let Some(cpu) = cpu_share {
            let _ = write!(kept, ", {:.0} % of a core on its busiest thread", 100.0 * cpu);
        }
        kept
    };
    VerdictReport {
        client_limited: matches!(limited_by, Some(Limit::Clients | Limit::Generator)),
        limited_by,
        reason,
        start_lag_p99_seconds: lag.map(seconds),
        cpu_share,
        stream_waits: waits.count,
        stream_wait_max_seconds: (waits.count > 0).then(|| seconds(waits.max)),
        stream_wait_mean_seconds: (waits.count > 0).then(|| seconds(waits.total) / waits.count as f64),
        withheld_share: share(ledger.withheld),
    }
}
