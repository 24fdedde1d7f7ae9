//! The figures of a run that rules are judged by, and the comparison of these figures with a bound.

use std::time::Duration;

use super::{
    finding::{Finding, Missing, Unended, Unknown},
    rule::{Bound, Comparison, Count, Scope, Statistic},
};
use crate::{
    ledger::{AuditCounts, Part},
    outcome::Outcome,
    recorder::{Distribution, Figures},
    report::{per_second, seconds},
};

/// A relative error that is larger than the rounding error of a few float operations, and smaller than one in any
/// count.
const ROUNDING: f64 = 1e-12;

/// The figures that rules are judged by, at the end of a run or during it.
#[derive(Debug, Clone)]
pub struct Evidence {
    /// The counts and distributions of the clients.
    pub figures: Figures,
    /// The number of requests that are 100 % of a share: all scheduled ones; during the run, those whose end is known.
    pub intended: u64,
    /// The number of requests that are 100 % of a share of goodput. During the run, requests whose messages are still
    /// queued are left out.
    pub settled: u64,
    /// The counts of the audit of queued messages; `None` without an audit.
    pub audit: Option<AuditCounts>,
    /// True if the load calls Enqueue.
    pub queued: bool,
    /// Messages dropped by the service's policy; `None` if the service does not report them.
    pub dropped: Option<u64>,
    /// The time of the load after the warm-up, over which rates are computed. During the run, it is reduced to the
    /// share of requests that is settled. `None` if this is no time.
    pub judged_for: Option<Duration>,
    /// True if the load client was the limit.
    pub client_limited: bool,
}

/// The value of a statistic: a time; longer than any time, because requests never ended; or none, because there are no
/// times.
enum Reached {
    At(Duration),
    Never,
    Nothing,
}

impl Comparison {
    /// True if `value` compares with `bound` in this way.
    pub fn holds(self, value: f64, bound: f64) -> bool {
        match self {
            Self::More => value > bound,
            Self::AtLeast => value >= bound,
            Self::Less => value < bound,
            Self::AtMost => value <= bound,
        }
    }
}

impl Evidence {
    /// The evidence of one class of urgency, from the answers alone; `None` if the load has no such class.
    pub(super) fn of_class(&self, urgency: u8) -> Option<Self> {
        let class = self.figures.classes.iter().find(|class| class.urgency == urgency)?;
        // At the end, this is the number of all scheduled requests; during the run, of those whose end is known.
        let known = class.ledger.ended() + class.ledger.in_flight;
        Some(Self {
            figures: Figures {
                ledger: class.ledger,
                response_time: class.response_time.clone(),
                good: class.good,
                ..Figures::default()
            },
            intended: known,
            settled: known,
            audit: None,
            queued: false,
            ..self.clone()
        })
    }

    /// Compares a time with the bound of a rule: whether the rule is met, and the time. `None` if the time is not
    /// known.
    pub(super) fn time(
        &self,
        statistic: Statistic,
        scope: Scope,
        operator: Comparison,
        bound: Duration,
    ) -> (Option<bool>, Finding) {
        let unknown = |why| (None, Finding::Unknown(why));
        let not_watched = self.queued && self.audit.is_none();
        let scope = match scope {
            Scope::Unwritten if not_watched => return unknown(Unknown::NoTimeToDoneBut(statistic)),
            Scope::TimeToDone if not_watched => return unknown(Unknown::NoTimeToDone),
            Scope::Acknowledgement if !self.queued => return unknown(Unknown::NoAcknowledgement(statistic)),
            Scope::Unwritten if self.queued => Scope::TimeToDone,
            Scope::Unwritten | Scope::Acknowledgement => Scope::Response(Outcome::Ok),
            written => written,
        };
        let figures = &self.figures;
        let unended = |missing, audit| Some(Unended::new(missing, &figures.ledger, audit, self.intended));
        let (times, unended) = match scope {
            Scope::Response(Outcome::Ok) => (
                &figures.response_time[Outcome::Ok as usize],
                unended(Missing::Answer, None),
            ),
            Scope::TimeToDone | Scope::Unwritten | Scope::Acknowledgement => {
                (&figures.time_to_done, unended(Missing::Done, self.audit.as_ref()))
            }
            Scope::Response(outcome) => (&figures.response_time[outcome as usize], None),
            Scope::ServiceTime => (&figures.service_time[Outcome::Ok as usize], None),
            Scope::QueueWait => (&figures.queue_wait, None),
            Scope::StartLag => (&figures.start_lag, None),
        };
        let never = unended.as_ref().map_or(0, Unended::total);
        match (statistic.of(times, never), unended) {
            (Reached::At(time), _) => {
                let met = operator.holds(seconds(time), seconds(bound));
                (Some(met), Finding::Time(time, operator, bound))
            }
            // A request that never ends takes longer than any bound.
            (Reached::Never, Some(unended)) => {
                let met = matches!(operator, Comparison::More | Comparison::AtLeast);
                (Some(met), Finding::Never(unended))
            }
            (Reached::Nothing, _) if matches!(scope, Scope::Response(outcome) if outcome != Outcome::Ok) => {
                (Some(false), Finding::NoAnswers)
            }
            (Reached::Nothing | Reached::Never, _) => unknown(Unknown::NoTimes),
        }
    }

    /// The value of a count; `None` if it is not known.
    pub(super) fn count(&self, count: Count) -> Option<u64> {
        match count {
            Count::Ledger(column) => Some((column.of)(&self.figures.ledger)),
            Count::Dropped => self.dropped,
            Count::Attempts(column) => match &self.figures.attempts {
                Some(attempts) => Some((column.of)(&attempts.counts)),
                // Each request that was sent is one attempt.
                None if column.part == Part::Total => {
                    let ledger = &self.figures.ledger;
                    Some(ledger.intended - ledger.withheld)
                }
                None => Some(0),
            },
            Count::Audit(column) => match (&self.audit, self.queued) {
                (Some(audit), _) => Some((column.of)(audit)),
                // If nothing is queued, nothing can be lost.
                (None, false) => Some(0),
                (None, true) => None,
            },
        }
    }

    /// Compares a count, out of `of` requests, with the bound of a rule: whether the rule is met, and the figure.
    /// `None` if a share or a rate cannot be computed.
    pub(super) fn counted(&self, count: u64, of: u64, operator: Comparison, bound: Bound) -> (Option<bool>, Finding) {
        let number = count as f64;
        match bound {
            Bound::Number(bound) => (Some(operator.holds(number, bound)), Finding::Number(count)),
            Bound::Percent(_) if of == 0 => (None, Finding::Unknown(Unknown::NoRequests)),
            // Products are compared, because the rounding error of a division could decide about a share exactly at the
            // bound.
            Bound::Percent(bound) => {
                let met = operator.holds(100.0 * number, bound * of as f64);
                (Some(met), Finding::Share(count, of))
            }
            Bound::PerSecond(bound) => match self.judged_for.and_then(|time| per_second(count, time)) {
                None => (None, Finding::Unknown(Unknown::NoRate)),
                Some(rate) => (Some(operator.holds(rate, bound)), Finding::Rate(rate)),
            },
        }
    }
}

impl Statistic {
    /// Computes the statistic of `times`, and of `never` further requests that never ended.
    fn of(self, times: &Distribution, never: u64) -> Reached {
        let ended = times.count();
        let reached = match self {
            _ if ended + never == 0 => return Reached::Nothing,
            Self::Mean | Self::Max if never > 0 => None,
            Self::Mean => times.mean(),
            Self::Max => times.max(),
            Self::Percentile(percent) => {
                // The number of times that must not exceed the percentile, at least one, as HDR histograms count.
                let share = percent * (ended + never) as f64 / 100.0;
                let rank = (share - ROUNDING * share).ceil().max(1.0);
                if rank <= ended as f64 {
                    // Half a rank less, so that a rounding error does not lead to the next rank.
                    times.quantile((rank - 0.5) / ended as f64)
                } else {
                    None
                }
            }
        };
        reached.map_or(Reached::Never, Reached::At)
    }
}
