//! The results of the rules as text. A rule that is met fails the run: it is shown as FAIL, any other as pass.

use std::fmt;

use super::{
    grid::{Column, Grid, Kind},
    layout::Layout,
    rules,
    words::label,
};
use crate::{
    gates::Rule,
    report::{GateReport, Run},
    units::time,
};

const RED: &str = "\x1b[1;31m";
const GREEN: &str = "\x1b[32m";
const PLAIN: &str = "\x1b[0m";

/// The result of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    Pass,
    Fail,
    /// The figure is not known, which fails the run too.
    Unknown,
}

impl Status {
    pub(super) fn of(gate: &GateReport) -> Self {
        match gate.met {
            Some(false) => Self::Pass,
            Some(true) => Self::Fail,
            None => Self::Unknown,
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pass => "pass",
            Self::Fail => "FAIL",
            Self::Unknown => "FAIL (unknown)",
        })
    }
}

/// The measured figure, beside its bound: `p99 155.9 ms > 100 ms`, `rejected 3.00 % (3 of 100) <= 5 %`.
pub(crate) fn seen(run: &Run, gate: &GateReport) -> String {
    let stopped = gate
        .stopped_at_seconds
        .map_or_else(String::new, |at| format!("; stopped the run after {}", time(at)));
    let Ok(rule) = gate.rule.parse::<Rule>() else {
        // The report is of a version of this program that has other rules.
        return format!("{}: {}{stopped}", gate.rule, gate.says);
    };
    let figure = rules::figure(&rule, run.is_queued());
    let met = gate.met != Some(false);
    let seen = match (rules::bound(&rule, met), gate.seen) {
        (None, _) => format!("{figure}: {}", gate.says),
        (Some(bound), Some(_)) => format!("{figure} {} {bound}", gate.says),
        (Some(_), None) if gate.met.is_none() => format!("{}: {}", gate.rule, gate.says),
        (Some(bound), None) => format!("{figure} {bound}: {}", gate.says),
    };
    seen + &stopped
}

/// The results of all rules of all runs, and a last line that counts them; empty if there are no rules.
pub fn gates(runs: &[Run], layout: Layout) -> String {
    let judged = || {
        runs.iter()
            .flat_map(|run| run.gates.iter().map(move |gate| (run, gate)))
    };
    if judged().next().is_none() {
        return String::new();
    }
    let mut columns = vec![
        Column::new(
            Kind::Name,
            "",
            judged().map(|(_, gate)| Status::of(gate).to_string()).collect(),
        ),
        Column::new(Kind::Words, "", judged().map(|(run, gate)| seen(run, gate)).collect()),
    ];
    if runs.len() > 1 {
        let names = judged().map(|(run, _)| label(run)).collect();
        columns.insert(0, Column::new(Kind::Name, "", names));
    }
    let text = Grid::new(columns).text(layout.width);
    let all: Vec<Status> = judged().map(|(_, gate)| Status::of(gate)).collect();
    let count = count(&all);
    format!("{text}\n{count}\n")
}

/// Counts the results: `2 gates: 1 failed`.
pub(super) fn count(all: &[Status]) -> String {
    let of = |status| all.iter().filter(|other| **other == status).count();
    let (failed, unknown, number) = (of(Status::Fail), of(Status::Unknown), all.len());
    let gates = if number == 1 { "gate" } else { "gates" };
    let result = match (failed, unknown) {
        (0, 0) if number == 1 => "passed".to_owned(),
        (0, 0) => "all passed".to_owned(),
        (failed, 0) => format!("{failed} failed"),
        (0, unknown) => format!("{unknown} failed because the figure is unknown"),
        (failed, unknown) => format!(
            "{} failed, {unknown} of them because the figure is unknown",
            failed + unknown
        ),
    };
    format!("{number} {gates}: {result}")
}

/// The text of [`gates()`] with colours for a terminal. Only the results are coloured: other parts of a line may have the same
/// words.
pub fn coloured(text: &str) -> String {
    let lines = text.lines().map(|line| {
        for (word, colour) in [("FAIL (unknown)", RED), ("FAIL", RED), ("pass", GREEN)] {
            let at = line.find(&format!("{word}  "));
            if let Some(at) = at {
                let (before, rest) = line.split_at(at);
                return format!("{before}{colour}{word}{PLAIN}{}\n", &rest[word.len()..]);
            }
        }
        format!("{line}\n")
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::{super::words::samples, *};

    /// A run with one rule, and this result of it.
    fn judged(rpc: &str, rule: &str, met: Option<bool>, seen: Option<f64>, says: &str) -> Run {
        let mut run = samples::run(rpc);
        run.gates = vec![GateReport {
            rule: rule.to_owned(),
            met,
            seen,
            says: says.to_owned(),
            stopped_at_seconds: None,
        }];
        run
    }

    fn text(run: Run) -> String {
        gates(&[run], Layout::default())
    }

    #[test]
    fn a_result_is_read_in_one_line() {
        for (run, line) in [
            (
                judged("process", "p99>100ms", Some(true), Some(0.155_9), "155.9 ms"),
                "FAIL  p99 155.9 ms > 100 ms\n\n1 gate: 1 failed\n",
            ),
            (
                judged("process", "rejected>50%", Some(false), Some(0.3), "30.00 % (24 of 80)"),
                "pass  rejected 30.00 % (24 of 80) <= 50 %\n\n1 gate: passed\n",
            ),
            (
                judged("process", "goodput<7.5/s", Some(false), Some(8.0), "8.00/s"),
                "pass  goodput 8.00/s >= 7.5/s\n\n1 gate: passed\n",
            ),
            (
                judged("enqueue", "p99>1s", Some(true), Some(10.2), "10.20 s"),
                "FAIL  p99(time-to-done) 10.20 s > 1 s\n\n1 gate: 1 failed\n",
            ),
            (
                judged(
                    "enqueue",
                    "p99(acknowledgement)>1m 30s",
                    Some(false),
                    Some(0.1),
                    "100.0 ms",
                ),
                "pass  p99(acknowledgement) 100.0 ms <= 1m 30s\n\n1 gate: passed\n",
            ),
            (
                judged("process", "p99>1s", Some(true), None, "38 of 80 requests were withheld"),
                "FAIL  p99 > 1 s: 38 of 80 requests were withheld\n\n1 gate: 1 failed\n",
            ),
            (
                judged("process", "p99(rejected)>1s", Some(false), None, "there were none"),
                "pass  p99(rejected) <= 1 s: there were none\n\n1 gate: passed\n",
            ),
            (
                judged("enqueue", "p99>1s", None, None, "the time to done is not known"),
                "FAIL (unknown)  p99>1s: the time to done is not known\n\n1 gate: 1 failed because the figure is unknown\n",
            ),
            (
                judged(
                    "process",
                    "client-limited",
                    Some(false),
                    Some(0.0),
                    "the load client was not the limit",
                ),
                "pass  client-limited: the load client was not the limit\n\n1 gate: passed\n",
            ),
            (
                judged("process", "rejected>0.05", Some(true), Some(3.0), "3"),
                "FAIL  rejected>0.05: 3\n\n1 gate: 1 failed\n",
            ),
        ] {
            assert_eq!(text(run), line);
        }
    }

    #[test]
    fn gates_of_several_runs_are_named_and_counted() {
        let mut runs = [
            judged("enqueue", "p99>1s", Some(true), Some(10.2), "10.20 s"),
            judged("process", "p99>1s", Some(false), Some(0.5), "500.0 ms"),
            judged("process", "lost>0", None, None, "not known"),
        ];
        for (run, name) in runs.iter_mut().zip(["async", "sync", "other"]) {
            name.clone_into(&mut run.name);
        }
        runs[0].gates[0].stopped_at_seconds = Some(3.0);
        let wide = Layout { width: 100 };
        assert_eq!(
            gates(&runs, wide),
            "async  FAIL            p99(time-to-done) 10.20 s > 1 s; stopped the run after 3.00 s\n\
             sync   pass            p99 500.0 ms <= 1 s\n\
             other  FAIL (unknown)  lost>0: not known\n\n\
             3 gates: 2 failed, 1 of them because the figure is unknown\n"
        );
        assert_eq!(count(&[Status::Pass, Status::Pass]), "2 gates: all passed");
        assert_eq!(count(&[Status::Pass, Status::Fail]), "2 gates: 1 failed");
    }

    #[test]
    fn results_have_colours() {
        let run = judged("process", "p99>100ms", Some(true), Some(0.155_9), "155.9 ms");
        assert_eq!(
            coloured(&text(run)),
            "\x1b[1;31mFAIL\x1b[0m  p99 155.9 ms > 100 ms\n\n1 gate: 1 failed\n"
        );
    }

    #[test]
    fn there_is_nothing_without_rules() {
        assert_eq!(gates(&[samples::run("process")], Layout::default()), "");
    }
}
