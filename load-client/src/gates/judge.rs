//! Judges whether a run meets a rule.

use super::{
    evidence::Evidence,
    finding::{Finding, Judgement, Unknown},
    rule::{Condition, Rule},
};

impl Rule {
    /// Judges a run by this rule. If the figure of the rule is not known, `met` is `None`, and the run fails.
    pub fn judge(&self, evidence: &Evidence) -> Judgement {
        let (met, finding) = match self.class {
            None => self.found(evidence),
            Some(class) => match evidence.of_class(class) {
                None => (None, Finding::Unknown(Unknown::NoClass(class))),
                Some(_) if evidence.queued && matches!(self.condition, Condition::Goodput(..)) => {
                    (None, Finding::Unknown(Unknown::NoGoodputOfClass(class)))
                }
                Some(of_class) => self.found(&of_class),
            },
        };
        Judgement {
            rule: self.text().to_owned(),
            met,
            finding,
            stopped_at: None,
        }
    }

    fn found(&self, evidence: &Evidence) -> (Option<bool>, Finding) {
        match self.condition {
            Condition::ClientLimited => {
                let limited = evidence.client_limited;
                (Some(limited), Finding::ClientLimited(limited))
            }
            Condition::Time(statistic, scope, operator, bound) => evidence.time(statistic, scope, operator, bound),
            Condition::Count(count, operator, bound) => match evidence.count(count) {
                Some(number) => evidence.counted(number, evidence.intended, operator, bound),
                None => (None, Finding::Unknown(Unknown::NotWatched)),
            },
            Condition::Goodput(..) if evidence.queued && evidence.audit.is_none() => {
                (None, Finding::Unknown(Unknown::NoTimeToDone))
            }
            Condition::Goodput(operator, bound) => {
                evidence.counted(evidence.figures.good, evidence.settled, operator, bound)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{
        super::finding::{Missing, Unended},
        *,
    };
    use crate::{
        ledger::{AuditCounts, Ledger},
        outcome::Outcome,
        recorder::{ClassFigures, Figures},
    };

    const MILLISECOND: Duration = Duration::from_millis(1);

    /// The evidence of 100 ok answers with 1 to 100 ms, and 10 rejections with 1 ms.
    fn evidence() -> Evidence {
        let mut figures = Figures::default();
        for millis in 1..=100 {
            figures.response_time[Outcome::Ok as usize].record(millis * MILLISECOND);
        }
        for _ in 0..10 {
            figures.response_time[Outcome::Rejected as usize].record(MILLISECOND);
        }
        figures.ledger = Ledger {
            intended: 110,
            ok: 100,
            rejected: 10,
            ..Ledger::default()
        };
        figures.good = 99;
        Evidence {
            figures,
            intended: 110,
            settled: 110,
            audit: None,
            queued: false,
            dropped: None,
            judged_for: Some(Duration::from_secs(10)),
            client_limited: false,
        }
    }

    fn withholding(withheld: u64) -> Evidence {
        let mut evidence = evidence();
        evidence.figures.ledger.withheld = withheld;
        evidence.intended += withheld;
        evidence
    }

    fn met(rule: &str, evidence: &Evidence) -> Option<bool> {
        rule.parse::<Rule>().unwrap().judge(evidence).met
    }

    fn never(missing: Missing, counts: &[(&'static str, u64)], of: u64) -> Finding {
        let counts = counts.to_vec();
        Finding::Never(Unended { missing, counts, of })
    }

    #[test]
    fn judges_times_by_outcome() {
        let evidence = evidence();
        for rule in [
            "p99>98ms",
            "p99<100ms",
            "p50>=50ms",
            "max>=100ms",
            "mean<51ms",
            "p99(rejected)<2ms",
            "max(rejected)>=1ms",
        ] {
            assert_eq!(met(rule, &evidence), Some(true), "{rule}");
        }
        for rule in [
            "p99>100ms",
            "max>100ms",
            "p99(rejected)>2ms",
            "max(failed)>0s",
            "max(failed)<1h",
        ] {
            assert_eq!(met(rule, &evidence), Some(false), "{rule}");
        }
        assert_eq!(
            met("p99(start-lag)>10ms", &evidence),
            None,
            "there are no sends to judge it by"
        );
    }

    #[test]
    fn a_load_without_length_has_no_rate_to_judge() {
        for judged_for in [None, Some(Duration::from_nanos(1))] {
            let evidence = Evidence {
                judged_for,
                ..evidence()
            };
            for rule in ["goodput<1/s", "goodput>1/s"] {
                let gate = rule.parse::<Rule>().unwrap().judge(&evidence);
                assert_eq!(
                    (gate.met, gate.finding),
                    (None, Finding::Unknown(Unknown::NoRate)),
                    "{rule}"
                );
            }
        }
    }

    #[test]
    fn what_was_withheld_was_never_answered() {
        let some = withholding(2);
        assert_eq!(met("p50>60ms", &some), Some(false));
        assert_eq!(met("p98>1h", &some), Some(false), "100 of 102 were answered");
        let gate = "p99>1h".parse::<Rule>().unwrap().judge(&some);
        assert_eq!((gate.met, gate.finding.value()), (Some(true), None));
        assert_eq!(gate.finding, never(Missing::Answer, &[("withheld", 2)], 112));
        for (rule, is) in [
            ("max>1h", true),
            ("mean>1h", true),
            ("p99<1h", false),
            ("p99(rejected)>1h", false),
        ] {
            assert_eq!(met(rule, &some), Some(is), "{rule}");
        }
        let all = Evidence {
            figures: Figures {
                ledger: Ledger {
                    intended: 5,
                    withheld: 5,
                    ..Ledger::default()
                },
                ..Figures::default()
            },
            ..evidence()
        };
        assert_eq!(met("p1>1s", &all), Some(true));
    }

    #[test]
    fn what_was_in_flight_at_the_end_was_never_answered() {
        let mut evidence = withholding(1);
        evidence.figures.ledger.in_flight = 1;
        evidence.intended += 1;
        assert_eq!(met("p98>1h", &evidence), Some(false), "100 of 102 were answered");
        let gate = "p99>1h".parse::<Rule>().unwrap().judge(&evidence);
        let counts = [("withheld", 1), ("in flight", 1)];
        assert_eq!(
            (gate.met, gate.finding),
            (Some(true), never(Missing::Answer, &counts, 112))
        );
        assert_eq!(met("p99(rejected)>1h", &evidence), Some(false));
    }

    /// The evidence of 100 messages that were done, and of those in `audit` that were not.
    fn queueing(audit: AuditCounts) -> Evidence {
        let mut evidence = evidence();
        let figures = &mut evidence.figures;
        figures.time_to_done = figures.response_time[Outcome::Ok as usize].clone();
        let audit = AuditCounts { done: 100, ..audit };
        Evidence {
            queued: true,
            audit: Some(audit),
            ..evidence
        }
    }

    #[test]
    fn each_end_of_a_message_but_done_is_never() {
        let none = AuditCounts::default();
        for (audit, word) in [
            (AuditCounts { queued: 2, ..none }, "queued"),
            (AuditCounts { discarded: 2, ..none }, "discarded"),
            (AuditCounts { lost: 2, ..none }, "lost"),
            (AuditCounts { unknown: 2, ..none }, "unknown"),
        ] {
            let evidence = queueing(audit);
            for (rule, is) in [
                ("p98>1h", false),
                ("p99>1h", true),
                ("p99<1h", false),
                ("p99(time-to-done)>1h", true),
                ("max>1h", true),
                ("p99(acknowledgement)>1h", false),
                ("p99(queue-wait)>1h", false),
            ] {
                let unknown = rule.contains("queue-wait");
                assert_eq!(met(rule, &evidence), (!unknown).then_some(is), "{word}: {rule}");
            }
            let gate = "p99>1h".parse::<Rule>().unwrap().judge(&evidence);
            assert_eq!(gate.finding, never(Missing::Done, &[(word, 2)], 110));
        }
        // Messages that ended more than once, or without an acknowledgement, have ended.
        let beside = AuditCounts {
            duplicated: 2,
            done_unacknowledged: 2,
            ..none
        };
        assert_eq!(met("max>1h", &queueing(beside)), Some(false));
    }

    #[test]
    fn a_quantile_among_withheld_sends_has_the_rank_it_would_have() {
        // With 100 answers and 100 withheld requests, p25 of all is the 50th answer.
        let gate = "p25>1s".parse::<Rule>().unwrap().judge(&withholding(100));
        let seen = gate.finding.value().unwrap();
        assert!((seen - 0.05).abs() < 0.000_1, "{seen}");
    }

    #[test]
    fn a_rule_at_the_very_edge_is_not_met_by_rounding() {
        let mut figures = Figures::default();
        for millis in 1..=1000 {
            figures.response_time[Outcome::Ok as usize].record(if millis == 1000 {
                Duration::from_secs(9)
            } else {
                MILLISECOND
            });
        }
        figures.good = 999;
        let edge = Evidence {
            figures,
            intended: 1000,
            settled: 1000,
            ..evidence()
        };
        // As a float, 99.9 / 100 is a little more than 0.999, so without a correction the rank would be 1,000 instead
        // of 999.
        assert_eq!(met("p99.9>1s", &edge), Some(false));
        assert_eq!(met("p99.91>1s", &edge), Some(true));
        assert_eq!(met("goodput<99.9%", &edge), Some(false));
    }

    #[test]
    fn shares_are_of_what_was_intended() {
        let evidence = evidence();
        for (rule, is) in [
            ("rejected>9%", true),
            ("rejected>10", false),
            ("rejected>=10", true),
            ("goodput<90%", false),
            ("goodput<=90%", true),
            ("goodput<9.91/s", true),
            ("ok<100", false),
            ("withheld>0", false),
        ] {
            assert_eq!(met(rule, &evidence), Some(is), "{rule}");
        }
    }

    #[test]
    fn what_nobody_can_say_is_neither_met_nor_passed() {
        let evidence = Evidence {
            queued: true,
            ..evidence()
        };
        for rule in ["lost>0", "goodput<95%", "dropped>0"] {
            let gate = rule.parse::<Rule>().unwrap().judge(&evidence);
            assert_eq!(gate.met, None, "{rule}");
        }
        let nothing = Evidence {
            figures: Figures::default(),
            intended: 0,
            ..evidence
        };
        assert_eq!(met("rejected>5%", &nothing), None);
    }

    #[test]
    fn a_rule_about_a_class_sees_the_requests_of_the_class_alone() {
        let mut urgent = ClassFigures::new(0);
        for millis in 1..=10 {
            urgent.ended(Outcome::Ok, millis * MILLISECOND, millis < 10);
        }
        (urgent.ledger.intended, urgent.ledger.withheld) = (12, 2);
        let mut evidence = evidence();
        evidence.figures.classes = vec![urgent];
        for (rule, is) in [
            ("p50(u=0)>7ms", Some(false)),
            ("p50(u=0)>5ms", Some(true)),
            // Two of the twelve requests of the class were never answered.
            ("p99(u=0)<1h", Some(false)),
            ("p80(u=0)<1h", Some(true)),
            ("ok(u=0)<84%", Some(true)),
            ("ok(u=0)<83%", Some(false)),
            ("withheld(u=0)>1", Some(true)),
            ("rejected(u=0)>0", Some(false)),
            ("goodput(u=0)<75%", Some(false)),
            ("goodput(u=0)<0.9/s", Some(false)),
            ("p99(u=3)>1s", None),
        ] {
            assert_eq!(met(rule, &evidence), is, "{rule}");
        }
        let queued = Evidence {
            queued: true,
            ..evidence
        };
        assert_eq!(met("goodput(u=0)<75%", &queued), None);
        assert_eq!(met("p50(u=0)>5ms", &queued), Some(true), "acknowledgements are answers");
    }

    #[test]
    fn nothing_is_lost_where_nothing_is_queued() {
        assert_eq!(met("lost>0", &evidence()), Some(false));
        let limited = Evidence {
            client_limited: true,
            ..evidence()
        };
        assert_eq!(met("client-limited", &limited), Some(true));
        assert_eq!(met("client-limited", &evidence()), Some(false));
    }
}
