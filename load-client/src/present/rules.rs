//! Words for rules and for what they find.

use crate::{
    gates::{Bound, Comparison, Condition, Finding, Judgement, Missing, Rule, Scope, Unended, Unknown},
    report::{GateReport, seconds},
    units::time_at_bound,
};

/// A judged rule, as the report has it: with the sentence that JSON promises in `says`.
pub fn report(judgement: Judgement) -> GateReport {
    GateReport {
        met: judgement.met,
        seen: judgement.finding.value(),
        says: says(&judgement.finding),
        stopped_at_seconds: judgement.stopped_at.map(seconds),
        rule: judgement.rule,
    }
}

/// The figure of a rule by its full name, as `p99(time-to-done)` for `p99` where messages are queued.
pub(super) fn figure(rule: &Rule, queued: bool) -> String {
    match rule.condition {
        Condition::ClientLimited => "client-limited".to_owned(),
        _ if rule.class.is_some() => written(rule),
        Condition::Time(statistic, Scope::Unwritten, ..) if queued => format!("{statistic}(time-to-done)"),
        Condition::Time(statistic, Scope::Unwritten, ..) => statistic.to_string(),
        Condition::Time(..) | Condition::Count(..) | Condition::Goodput(..) => written(rule),
    }
}

/// The figure of a rule, as the user wrote it.
fn written(rule: &Rule) -> String {
    let end = rule.text().find(['<', '>']).unwrap_or(rule.text().len());
    rule.text()[..end].trim().to_owned()
}

/// The bound of a rule with its sign, as `> 100 ms`; the opposite, `<= 100 ms`, if the rule is not met. `None` if there is no
/// bound.
pub(super) fn bound(rule: &Rule, met: bool) -> Option<String> {
    let (comparison, bound) = match rule.condition {
        Condition::ClientLimited => return None,
        Condition::Time(_, _, comparison, bound) => {
            let words = humantime::format_duration(bound).to_string();
            // humantime writes 100ms, and 1m 30s.
            let at = words
                .find(|c: char| !c.is_ascii_digit())
                .filter(|_| !words.contains(' '));
            let words = match at {
                Some(at) => format!("{} {}", &words[..at], &words[at..]),
                None => words,
            };
            (comparison, words)
        }
        Condition::Count(_, comparison, bound) | Condition::Goodput(comparison, bound) => {
            let words = match bound {
                Bound::Number(number) => number.to_string(),
                Bound::Percent(percent) => format!("{percent} %"),
                Bound::PerSecond(rate) => format!("{rate}/s"),
            };
            (comparison, words)
        }
    };
    Some(format!("{} {bound}", sign(comparison, met)))
}

/// The sign of a comparison; the opposite sign if the rule is not met.
fn sign(comparison: Comparison, met: bool) -> &'static str {
    match (comparison, met) {
        (Comparison::More, true) | (Comparison::AtMost, false) => ">",
        (Comparison::AtLeast, true) | (Comparison::Less, false) => ">=",
        (Comparison::Less, true) | (Comparison::AtLeast, false) => "<",
        (Comparison::AtMost, true) | (Comparison::More, false) => "<=",
    }
}

fn says(finding: &Finding) -> String {
    match finding {
        Finding::ClientLimited(true) => "the load client was the limit".to_owned(),
        Finding::ClientLimited(false) => "the load client was not the limit".to_owned(),
        Finding::Time(time, operator, bound) => {
            let met = operator.holds(seconds(*time), seconds(*bound));
            time_at_bound(*time, |rounded| operator.holds(rounded, seconds(*bound)) == met)
        }
        Finding::Number(number) => number.to_string(),
        Finding::Share(part, whole) => {
            let share = *part as f64 / *whole as f64;
            format!("{:.2} % ({part} of {whole})", 100.0 * share)
        }
        Finding::Rate(rate) => format!("{rate:.2}/s"),
        Finding::Never(unended) => never(unended),
        Finding::NoAnswers => "there were none".to_owned(),
        Finding::Unknown(why) => unknown(*why),
    }
}

/// Why a time has no upper limit.
fn never(unended: &Unended) -> String {
    let counts = unended.counts.iter().map(|(reason, count)| format!("{count} {reason}"));
    let counts = counts.collect::<Vec<_>>().join(", ");
    let end = match unended.missing {
        Missing::Answer => "answered",
        Missing::Done => "done",
    };
    let (total, of) = (unended.total(), unended.of);
    format!("{total} of {of} requests were never {end} ({counts}), so it has no upper limit")
}

fn unknown(why: Unknown) -> String {
    let not_watched = "the time to done is not known because the service was not watched";
    match why {
        Unknown::NotWatched => {
            "what became of the messages is not known because the service was not watched".to_owned()
        }
        Unknown::NoTimeToDone => not_watched.to_owned(),
        Unknown::NoTimeToDoneBut(statistic) => {
            format!("{not_watched}; {statistic}(acknowledgement) is the time until Enqueue answers")
        }
        Unknown::NoAcknowledgement(statistic) => {
            format!("only Enqueue acknowledges; {statistic}(ok) is the time until the answer")
        }
        Unknown::NoClass(class) => {
            format!("no request has the class u={class}; --priorities gives requests their classes")
        }
        Unknown::NoGoodputOfClass(class) => {
            format!("goodput by class is not known for Enqueue; ok(u={class}) counts its acknowledgements")
        }
        Unknown::NoTimes => "there are no times to judge".to_owned(),
        Unknown::NoRequests => "no requests were scheduled".to_owned(),
        Unknown::NoRate => "the load is too short for a rate".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::gates::Statistic;

    fn found(finding: Finding) -> (Option<f64>, String) {
        let judgement = Judgement {
            rule: "p99>1s".to_owned(),
            met: None,
            finding,
            stopped_at: Some(Duration::from_secs(3)),
        };
        let gate = report(judgement);
        assert_eq!((gate.rule.as_str(), gate.stopped_at_seconds), ("p99>1s", Some(3.0)));
        assert!(gate.fails());
        (gate.seen, gate.says)
    }

    #[test]
    fn each_finding_has_its_sentence() {
        let time = |millis| Finding::Time(Duration::from_millis(millis), Comparison::More, Duration::from_secs(1));
        let never = |missing| {
            Finding::Never(Unended {
                missing,
                counts: vec![("withheld", 1), ("in flight", 1)],
                of: 112,
            })
        };
        let unwatched = "the time to done is not known because the service was not watched";
        let (done_but, no_acknowledgement) = (
            format!("{unwatched}; p99.9(acknowledgement) is the time until Enqueue answers"),
            "only Enqueue acknowledges; mean(ok) is the time until the answer",
        );
        for (finding, seen, says) in [
            (Finding::ClientLimited(true), Some(1.0), "the load client was the limit"),
            (
                Finding::ClientLimited(false),
                Some(0.0),
                "the load client was not the limit",
            ),
            (time(155), Some(0.155), "155.0 ms"),
            // One digit more than usual, because the shorter number would be on the other side of the bound.
            (time(1_001), Some(1.001), "1.001 s"),
            (Finding::Number(3), Some(3.0), "3"),
            (Finding::Share(3, 100), Some(0.03), "3.00 % (3 of 100)"),
            (Finding::Rate(7.5), Some(7.5), "7.50/s"),
            (
                never(Missing::Answer),
                None,
                "2 of 112 requests were never answered (1 withheld, 1 in flight), so it has no upper limit",
            ),
            (
                never(Missing::Done),
                None,
                "2 of 112 requests were never done (1 withheld, 1 in flight), so it has no upper limit",
            ),
            (Finding::NoAnswers, None, "there were none"),
            (
                Finding::Unknown(Unknown::NotWatched),
                None,
                "what became of the messages is not known because the service was not watched",
            ),
            (Finding::Unknown(Unknown::NoTimeToDone), None, unwatched),
            (
                Finding::Unknown(Unknown::NoTimeToDoneBut(Statistic::Percentile(99.9))),
                None,
                done_but.as_str(),
            ),
            (
                Finding::Unknown(Unknown::NoAcknowledgement(Statistic::Mean)),
                None,
                no_acknowledgement,
            ),
            (
                Finding::Unknown(Unknown::NoClass(1)),
                None,
                "no request has the class u=1; --priorities gives requests their classes",
            ),
            (
                Finding::Unknown(Unknown::NoGoodputOfClass(0)),
                None,
                "goodput by class is not known for Enqueue; ok(u=0) counts its acknowledgements",
            ),
            (Finding::Unknown(Unknown::NoTimes), None, "there are no times to judge"),
            (
                Finding::Unknown(Unknown::NoRequests),
                None,
                "no requests were scheduled",
            ),
            (
                Finding::Unknown(Unknown::NoRate),
                None,
                "the load is too short for a rate",
            ),
        ] {
            assert_eq!(found(finding), (seen, says.to_owned()));
        }
    }
}
