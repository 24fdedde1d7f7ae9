//! What a run is judged by, and what a rule finds in it.

use std::time::Duration;

use super::{
    rule::{Bound, Comparison, Count, Scope, Statistic},
    unended::Unended,
};
use crate::{
    ledger::AuditCounts,
    outcome::Outcome,
    recorder::{Distribution, Figures},
    report::{per_second, seconds},
};

/// More than what a few operations on floats can be off, relatively, and less than one in any count.
const ROUNDING: f64 = 1e-12;

/// What a run is judged by: at its end, or on the way.
#[derive(Debug, Clone)]
pub struct Evidence {
    /// The figures.
    pub figures: Figures,
    /// How many sends a share is of: those that were intended; on the way, of those the ones whose end is known.
    pub intended: u64,
    /// The same for goodput, which also has to wait for what is queued.
    pub settled: u64,
    /// What became of queued messages; `None` if nobody says.
    pub audit: Option<AuditCounts>,
    /// Whether messages were queued at all.
    pub queued: bool,
    /// Thrown away by the service's policy; `None` if nobody says.
    pub dropped: Option<u64>,
    /// For so long sends were intended and judged; on the way, as much of that as of the sends is settled. `None` of a load
    /// over no time.
    pub judged_for: Option<Duration>,
    /// Whether the generator was the limit.
    pub client_limited: bool,
}

/// What a rule finds.
pub(super) enum Finding {
    /// Seconds, a number, a share or a rate; as text; and whether it meets the rule.
    Value(f64, String, bool),
    /// Longer than anything, because so many requests never came to their end; in words.
    Never(String),
    /// No answer of that kind: so none that could be too slow.
    None,
    /// It is not known, and why.
    Unknown(String),
}

/// Where a statistic lies.
enum Reached {
    At(Duration),
    Never,
    Nothing,
}

impl Comparison {
    pub(super) fn holds(self, value: f64, bound: f64) -> bool {
        match self {
            Self::More => value > bound,
            Self::AtLeast => value >= bound,
            Self::Less => value < bound,
            Self::AtMost => value <= bound,
        }
    }
}

impl Evidence {
    /// A time, compared.
    pub(super) fn time(&self, statistic: Statistic, scope: Scope, operator: Comparison, bound: Duration) -> Finding {
        let figures = &self.figures;
        let scope = match scope {
            Scope::Unwritten if self.queued && self.audit.is_none() => {
                return Finding::Unknown(format!(
                    "the time to done is not known because the service was not watched; \
                     {statistic}(acknowledgement) is the time until Enqueue answers"
                ));
            }
            Scope::TimeToDone if self.queued && self.audit.is_none() => {
                return Finding::Unknown(
                    "the time to done is not known because the service was not watched".to_owned(),
                );
            }
            Scope::Acknowledgement if !self.queued => {
                return Finding::Unknown(format!(
                    "only Enqueue acknowledges; {statistic}(ok) is the time until the answer"
                ));
            }
            Scope::Unwritten if self.queued => Scope::TimeToDone,
            Scope::Unwritten | Scope::Acknowledgement => Scope::Response(Outcome::Ok),
            written => written,
        };
        let (times, unended) = match scope {
            Scope::Response(Outcome::Ok) => (
                &figures.response_time[Outcome::Ok as usize],
                Unended::new("answered", &figures.ledger, None),
            ),
            Scope::TimeToDone | Scope::Unwritten | Scope::Acknowledgement => (
                &figures.time_to_done,
                Unended::new("done", &figures.ledger, self.audit.as_ref()),
            ),
            Scope::Response(outcome) => (&figures.response_time[outcome as usize], Unended::none()),
            Scope::ServiceTime => (&figures.service_time[Outcome::Ok as usize], Unended::none()),
            Scope::QueueWait => (&figures.queue_wait, Unended::none()),
            Scope::StartLag => (&figures.start_lag, Unended::none()),
        };
        match statistic.of(times, unended.total()) {
            Reached::At(time) => {
                let met = operator.holds(seconds(time), seconds(bound));
                let says = duration(time, |rounded| operator.holds(rounded, seconds(bound)) == met);
                Finding::Value(seconds(time), says, met)
            }
            Reached::Never => Finding::Never(unended.says(self.intended)),
            Reached::Nothing if matches!(scope, Scope::Response(outcome) if outcome != Outcome::Ok) => Finding::None,
            Reached::Nothing => Finding::Unknown("there are no times to judge".to_owned()),
        }
    }

    /// `None` if nobody says.
    pub(super) fn count(&self, count: Count) -> Option<u64> {
        match count {
            Count::Ledger(column) => Some((column.of)(&self.figures.ledger)),
            Count::Dropped => self.dropped,
            Count::Audit(column) => match (&self.audit, self.queued) {
                (Some(audit), _) => Some((column.of)(audit)),
                // Where nothing is queued, nothing can be lost.
                (None, false) => Some(0),
                (None, true) => None,
            },
        }
    }

    /// A number of so many, compared.
    pub(super) fn counted(&self, count: u64, of: u64, operator: Comparison, bound: Bound) -> Finding {
        let number = count as f64;
        match bound {
            Bound::Number(bound) => Finding::Value(number, number.to_string(), operator.holds(number, bound)),
            Bound::Percent(_) if of == 0 => Finding::Unknown("no requests were scheduled".to_owned()),
            Bound::Percent(bound) => {
                let share = number / of as f64;
                // Whole numbers on both sides wherever the bound is one, or has a digit or two after its point.
                let met = operator.holds(100.0 * number, bound * of as f64);
                let says = format!("{:.2} % ({number} of {of})", 100.0 * share);
                Finding::Value(share, says, met)
            }
            Bound::PerSecond(bound) => match self.judged_for.and_then(|time| per_second(count, time)) {
                None => Finding::Unknown("the load is too short for a rate".to_owned()),
                Some(rate) => Finding::Value(rate, format!("{rate:.2}/s"), operator.holds(rate, bound)),
            },
        }
    }
}

impl Statistic {
    /// Of the times, and of `never` requests more that have no end.
    fn of(self, times: &Distribution, never: u64) -> Reached {
        let ended = times.count();
        let reached = match self {
            _ if ended + never == 0 => return Reached::Nothing,
            Self::Mean | Self::Max if never > 0 => None,
            Self::Mean => times.mean(),
            Self::Max => times.max(),
            Self::Percentile(percent) => {
                // How many must not exceed it, as HDR counts: at least one.
                let share = percent * (ended + never) as f64 / 100.0;
                let rank = (share - ROUNDING * share).ceil().max(1.0);
                if rank <= ended as f64 {
                    // In the middle between two ranks, where no rounding leads to the next.
                    times.quantile((rank - 0.5) / ended as f64)
                } else {
                    None
                }
            }
        };
        reached.map_or(Reached::Never, Reached::At)
    }
}

/// For people: four digits, and more where fewer would fall on the other side of the bound.
fn duration(time: Duration, is_true: impl Fn(f64) -> bool) -> String {
    let seconds = seconds(time);
    let (unit, in_unit, value) = match seconds {
        s if s < 0.001 => ("µs", 1e6, s * 1e6),
        s if s < 1.0 => ("ms", 1e3, s * 1e3),
        s => ("s", 1.0, s),
    };
    let least = match value {
        v if v < 9.9995 => 3,
        v if v < 99.995 => 2,
        v if v < 999.95 => 1,
        _ => 0,
    };
    let texts = (least..=9).map(|digits| format!("{value:.digits$}"));
    let mut texts = texts.skip_while(|text| text.parse().is_ok_and(|rounded: f64| !is_true(rounded / in_unit)));
    format!("{} {unit}", texts.next().unwrap_or_else(|| value.to_string()))
}
