//! The figures of each class of urgency, for the terminal and the page.

use super::grid::{Column, Kind, MISSING, times_in_one_unit};
use crate::{
    ledger::{Ledger, Part},
    outcome::Outcome,
    report::{ClassReport, DistributionReport, Run},
};

/// The caption of the table.
pub(super) const CAPTION: &str = "By class of urgency, from u=0, the most urgent";

/// Reads one time of a distribution, in seconds.
type Figure = fn(&DistributionReport) -> f64;

/// The columns of a table with a row for each class of each run; `names` are those of the runs. `None` if no run has classes.
pub(super) fn columns(runs: &[&Run], names: &[String]) -> Option<Vec<Column>> {
    let rows: Vec<(&Run, &String, &ClassReport)> = runs
        .iter()
        .zip(names)
        .flat_map(|(run, name)| run.classes.iter().flatten().map(move |class| (*run, name, class)))
        .collect();
    if rows.is_empty() {
        return None;
    }
    let cells = |of: &dyn Fn(&ClassReport) -> String| rows.iter().map(|(_, _, class)| of(class)).collect::<Vec<_>>();
    let class = |(_, name, class): &(&Run, &String, &ClassReport)| {
        if runs.len() > 1 {
            format!("{name} {}", class.class)
        } else {
            class.class.clone()
        }
    };
    let mut all = vec![Column::new(Kind::Name, "", rows.iter().map(class).collect())];
    for column in &Ledger::COLUMNS {
        let always = matches!(column.part, Part::Total | Part::Good);
        if always || rows.iter().any(|(_, _, class)| (column.of)(&class.ledger) > 0) {
            let count = |class: &ClassReport| (column.of)(&class.ledger).to_string();
            all.push(Column::new(Kind::Figures, column.label, cells(&count)));
        }
    }
    let answered = |class: &ClassReport| {
        let share = 100.0 * class.ledger.ok as f64 / class.ledger.intended as f64;
        (class.ledger.intended > 0).then(|| format!("{share:.2} %"))
    };
    let share = |class: &ClassReport| answered(class).unwrap_or_else(|| MISSING.to_owned());
    all.push(Column::new(Kind::Figures, "ok of scheduled", cells(&share)));
    if rows.iter().any(|(_, _, class)| class.goodput_rps.is_some()) {
        let goodput = |class: &ClassReport| {
            let goodput = class.goodput_rps.map(|rate| format!("{rate:.2}/s"));
            goodput.unwrap_or_else(|| MISSING.to_owned())
        };
        all.push(Column::new(Kind::Figures, "goodput", cells(&goodput)));
    }
    let time = if rows.iter().all(|(run, ..)| run.is_queued()) {
        "acknowledgement time"
    } else {
        "response time (ok)"
    };
    let virtual_time = rows.iter().any(|(run, ..)| run.virtual_time);
    let figures: [(&str, Figure); 3] = [
        ("median", |times| times.p50),
        ("p99", |times| times.p99),
        ("longest", |times| times.max),
    ];
    for (name, of) in figures {
        let of = |class: &ClassReport| class.response_time_seconds.get(Outcome::Ok.label()).map(of);
        let times: Vec<Option<f64>> = rows.iter().map(|(_, _, class)| of(class)).collect();
        let cells = times_in_one_unit(&times, virtual_time);
        all.push(Column::new(Kind::Figures, format!("{time}, {name}"), cells));
    }
    Some(all)
}

#[cfg(test)]
mod tests {
    use super::{
        super::{grid::Grid, words::samples},
        *,
    };

    fn class(name: &str, intended: u64, ok: u64) -> ClassReport {
        ClassReport {
            class: name.to_owned(),
            share: 0.5,
            ledger: Ledger {
                intended,
                ok,
                rejected: intended - ok,
                ..Ledger::default()
            },
            goodput_rps: Some(ok as f64 / 10.0),
            response_time_seconds: if ok > 0 {
                [("ok".to_owned(), samples::times(0.25))].into()
            } else {
                std::collections::BTreeMap::new()
            },
        }
    }

    #[test]
    fn each_class_of_each_run_has_a_row_and_counts_that_are_nowhere_have_no_column() {
        let mut run = samples::run("process");
        assert!(columns(&[&run], &["run".to_owned()]).is_none());
        run.classes = Some(vec![class("u=0", 16, 16), class("u=7", 64, 0)]);
        let table = columns(&[&run], &["run".to_owned()]).unwrap();
        assert_eq!(
            Grid::new(table)
                .text(120)
                .lines()
                .map(str::trim_end)
                .collect::<Vec<_>>(),
            [
                "                                  ok of           response time  response time  response time",
                "     scheduled  ok  rejected  scheduled  goodput   (ok), median      (ok), p99  (ok), longest",
                "u=0         16  16         0   100.00 %   1.60/s         250 ms         250 ms         250 ms",
                "u=7         64   0        64     0.00 %   0.00/s              –              –              –",
            ]
        );
        let both = columns(&[&run, &samples::run("process")], &["a".to_owned(), "b".to_owned()]).unwrap();
        assert_eq!(both[0].cells, ["a u=0", "a u=7"]);
    }
}
