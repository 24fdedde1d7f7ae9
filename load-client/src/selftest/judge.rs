//! Compares the figures of a report with what they must be, and decides what follows for the measuring as a whole.
//!
//! A machine that is too busy must not look like a client that measures wrongly. The counts of what a service did on
//! purpose do not depend on the load of the machine; times do. So a wrong time proves nothing if the run's own verdict is
//! that the load client was the limit or late, or if the fault did not happen as planned. If the clients were the limit of a
//! run, that says nothing about the machine, and a wrong time counts.

use std::ops::RangeInclusive;

use crate::{
    measure::Measured,
    report::{GateReport, Limit, Run, VerdictReport, seconds},
    units::fine_time,
    verdict::LATE,
};

use super::host::STILL;

/// One figure, the right value, and whether they agree.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// The name of the figure.
    pub figure: &'static str,
    /// The right value, or its bounds.
    pub expected: String,
    /// The value that the load client reported.
    pub reported: String,
    agrees: bool,
    /// Whether the right value is the same on every machine, however busy.
    fixed: bool,
}

/// The result of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Agreement {
    /// The reported value is right.
    Agrees,
    /// The reported value is wrong.
    Disagrees,
    /// The reported value is wrong, and the busy machine may be the reason.
    CannotJudge,
}

impl Line {
    /// A count that is known beforehand.
    pub fn exactly(figure: &'static str, expected: u64, reported: u64) -> Self {
        Self {
            figure,
            expected: expected.to_string(),
            reported: reported.to_string(),
            agrees: reported == expected,
            fixed: true,
        }
    }

    /// A count that depends on when things happened.
    pub fn count(figure: &'static str, expected: RangeInclusive<u64>, reported: u64) -> Self {
        Self {
            figure,
            expected: if expected.start() == expected.end() {
                expected.start().to_string()
            } else {
                format!("{} to {}", expected.start(), expected.end())
            },
            reported: reported.to_string(),
            agrees: expected.contains(&reported),
            fixed: false,
        }
    }

    /// A time in seconds; `None` if the load client reports none.
    pub fn seconds(figure: &'static str, expected: RangeInclusive<f64>, reported: Option<f64>) -> Self {
        Self::within(figure, expected, reported, fine_time)
    }

    /// A share from 0 to 1; `None` if the load client reports none.
    pub fn share(figure: &'static str, expected: RangeInclusive<f64>, reported: Option<f64>) -> Self {
        Self::within(figure, expected, reported, |share| format!("{:.1} %", 100.0 * share))
    }

    fn within(
        figure: &'static str,
        expected: RangeInclusive<f64>,
        reported: Option<f64>,
        say: impl Fn(f64) -> String,
    ) -> Self {
        Self {
            figure,
            expected: if *expected.start() > 0.0 {
                format!("{} to {}", say(*expected.start()), say(*expected.end()))
            } else {
                format!("up to {}", say(*expected.end()))
            },
            reported: reported.map_or_else(|| "none".to_owned(), say),
            agrees: reported.is_some_and(|reported| expected.contains(&reported)),
            fixed: false,
        }
    }

    /// What limited the load, by the verdict.
    pub fn limited_by(figure: &'static str, expected: Limit, reported: Option<Limit>) -> Self {
        let say = |limit| format!("{limit:?}").to_lowercase();
        Self {
            figure,
            expected: say(expected),
            reported: reported.map_or_else(|| "nothing".to_owned(), say),
            agrees: reported == Some(expected),
            // The clients are far too few for the load, on any machine.
            fixed: true,
        }
    }

    /// A gate that has to be met.
    pub fn gate_met(figure: &'static str, gate: Option<&GateReport>) -> Self {
        let met = gate.is_some_and(|gate| gate.met == Some(true));
        Self::gate(figure, "met (exit 99)", gate, met)
    }

    /// A gate that has to be met because requests were never sent.
    pub fn gate_met_by_silence(figure: &'static str, gate: Option<&GateReport>) -> Self {
        let never = gate.is_some_and(|gate| gate.met == Some(true) && gate.seen.is_none());
        Self::gate(figure, "met: never answered", gate, never)
    }

    fn gate(figure: &'static str, expected: &str, gate: Option<&GateReport>, agrees: bool) -> Self {
        let reported = gate.map_or_else(
            || "none".to_owned(),
            |gate| {
                let met = match gate.met {
                    Some(true) => "met",
                    Some(false) => "not met",
                    None => "not known",
                };
                format!("{met}: {}", gate.says)
            },
        );
        Self {
            figure,
            expected: expected.to_owned(),
            reported,
            agrees,
            // The value is far beyond its bound: even a busy machine cannot hide that.
            fixed: true,
        }
    }

    /// The number of checks of a run that fail, which must be 0.
    pub fn balanced(measured: &Measured) -> Self {
        Self::exactly("counts that do not add up", 0, measured.imbalances.len() as u64)
    }

    fn agreement(&self, busy: bool) -> Agreement {
        match (self.agrees, busy && !self.fixed) {
            (true, _) => Agreement::Agrees,
            (false, false) => Agreement::Disagrees,
            (false, true) => Agreement::CannotJudge,
        }
    }
}

/// The judged lines of an experiment that was made to its end.
#[derive(Debug, Clone)]
pub struct Judged {
    lines: Vec<Line>,
    busy: Option<String>,
}

impl Judged {
    /// Judges the lines of a run. `busy` says why the machine was too busy, if something outside the run shows that.
    pub fn new(run: &Run, lines: Vec<Line>, busy: Option<String>) -> Self {
        Self::of(lines, too_late(&run.verdict).or(busy).or_else(|| stood_still(run)))
    }

    pub(super) fn of(lines: Vec<Line>, busy: Option<String>) -> Self {
        Self { lines, busy }
    }

    /// Every line with its result.
    pub fn lines(&self) -> impl Iterator<Item = (&Line, Agreement)> {
        self.lines
            .iter()
            .map(|line| (line, line.agreement(self.busy.is_some())))
    }

    /// Why a line cannot be judged, if there is such a line.
    pub fn too_busy(&self) -> Option<&str> {
        let excused = self.lines().any(|(_, agreement)| agreement == Agreement::CannotJudge);
        self.busy.as_deref().filter(|_| excused)
    }
}

/// Why the machine was too busy, by the verdict of the run. A machine that is too busy makes answers slow too, so that the
/// verdict may name the clients before a load client that was late.
fn too_late(verdict: &VerdictReport) -> Option<String> {
    let late = verdict.start_lag_p99_seconds.is_some_and(|lag| lag > seconds(LATE));
    (late || verdict.limited_by == Some(Limit::Generator)).then(|| verdict.reason.clone())
}

/// Why the machine was too busy, if the load client itself stood still for a moment: a request that was sent late shows
/// that. An answer that is read late looks like a service that is late.
fn stood_still(run: &Run) -> Option<String> {
    let longest = run.start_lag_seconds.map(|lag| lag.max)?;
    (longest > seconds(STILL)).then(|| format!("the load client sent a request {} late", fine_time(longest)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agreements(line: &Line) -> [Agreement; 2] {
        [false, true].map(|busy| line.agreement(busy))
    }

    #[test]
    fn what_is_what_it_must_be_agrees_on_any_machine() {
        let lines = [
            Line::exactly("n", 3, 3),
            Line::count("n", 2..=4, 4),
            Line::seconds("t", 1.7..=2.0, Some(1.7)),
            Line::share("s", 0.18..=0.21, Some(0.21)),
        ];
        for line in lines {
            assert_eq!(agreements(&line), [Agreement::Agrees; 2], "{line:?}");
        }
    }

    #[test]
    fn a_busy_machine_excuses_a_time_and_never_a_count_that_is_fixed() {
        let excused = [Agreement::Disagrees, Agreement::CannotJudge];
        assert_eq!(agreements(&Line::seconds("t", 1.7..=2.0, Some(2.1))), excused);
        assert_eq!(agreements(&Line::seconds("t", 1.7..=2.0, None)), excused);
        assert_eq!(agreements(&Line::share("s", 0.0..=0.1, Some(0.2))), excused);
        assert_eq!(agreements(&Line::count("n", 2..=4, 1)), excused);
        assert_eq!(agreements(&Line::exactly("n", 3, 4)), [Agreement::Disagrees; 2]);
        assert_eq!(agreements(&Line::gate_met("g", None)), [Agreement::Disagrees; 2]);
    }

    #[test]
    fn a_gate_met_by_a_time_is_not_met_by_silence() {
        let gate = |met, seen| GateReport {
            rule: "p99>100ms".to_owned(),
            met: Some(met),
            seen,
            says: "so".to_owned(),
            stopped_at_seconds: None,
        };
        let (seen, silent, unmet) = (gate(true, Some(1.9)), gate(true, None), gate(false, Some(0.002)));
        let met = |gate| Line::gate_met("g", Some(gate)).agrees;
        let by_silence = |gate| Line::gate_met_by_silence("g", Some(gate)).agrees;
        assert_eq!([&seen, &silent, &unmet].map(met), [true, true, false]);
        assert_eq!([&seen, &silent, &unmet].map(by_silence), [false, true, false]);
    }

    #[test]
    fn only_a_generator_that_is_late_or_the_limit_excuses_a_time() {
        for (limited_by, lag, excused) in [
            (Some(Limit::Generator), 0.001, true),
            (Some(Limit::Clients), 0.001, false),
            (Some(Limit::Clients), 0.03, true),
            (Some(Limit::Service), 0.001, false),
            (None, 0.001, false),
        ] {
            let verdict = VerdictReport {
                client_limited: matches!(limited_by, Some(Limit::Generator | Limit::Clients)),
                limited_by,
                reason: "so".to_owned(),
                start_lag_p99_seconds: Some(lag),
                cpu_share: None,
                stream_waits: 0,
                stream_wait_max_seconds: None,
                stream_wait_mean_seconds: None,
                withheld_share: None,
            };
            let judged = Judged::of(vec![Line::seconds("t", 1.0..=2.0, Some(2.5))], too_late(&verdict));
            assert_eq!(judged.too_busy().is_some(), excused, "{limited_by:?}, {lag} s late");
        }
    }

    #[test]
    fn the_reason_is_told_only_where_it_excuses_something() {
        let judged = |line| {
            Judged::of(
                vec![line],
                Some("1 % of its requests were sent 30 ms late or later".to_owned()),
            )
        };
        assert_eq!(judged(Line::exactly("n", 3, 4)).too_busy(), None);
        assert_eq!(judged(Line::seconds("t", 1.0..=2.0, Some(1.5))).too_busy(), None);
        assert!(judged(Line::seconds("t", 1.0..=2.0, Some(2.5))).too_busy().is_some());
    }
}
