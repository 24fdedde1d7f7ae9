//! The output of the experiments: a description of each, then a row per figure, then a sentence.

use std::fmt::Write;

use super::{experiments::Experiment, findings::Findings, judge::Agreement, setting::NotDone};
use crate::present::{
    grid::{Column, Grid, Kind},
    layout::{Layout, wrap},
};

/// The text before the experiments: what each of them does.
pub fn introduction(layout: Layout) -> String {
    let names = Experiment::ALL.iter().map(|experiment| experiment.name().to_owned());
    let abouts = Experiment::ALL.iter().map(|experiment| experiment.about().to_owned());
    let table = Grid::new(vec![
        Column::new(Kind::Name, "", names.collect()),
        Column::new(Kind::Words, "", abouts.collect()),
    ]);
    let what =
        "Each experiment drives a service with a known fault, and checks that the load client reports it correctly.";
    format!(
        "{}\n\n{}\nAll experiments run at the same time, over loopback, in about 12 s:\n",
        wrap(what, layout.sentence(0)).join("\n"),
        table.text(layout.width)
    )
}

/// The text after the experiments: the figures and the verdict.
pub fn shown(findings: &Findings, layout: Layout) -> String {
    let mut rows = Vec::new();
    for (experiment, judged) in &findings.0 {
        let Ok(judged) = judged else { continue };
        for (index, (line, agreement)) in judged.lines().enumerate() {
            let name = if index == 0 { experiment.name() } else { "" };
            let agrees = match agreement {
                Agreement::Agrees => "yes",
                Agreement::Disagrees => "NO",
                Agreement::CannotJudge => "cannot judge",
            };
            rows.push([name, line.figure, &line.expected, &line.reported, agrees].map(str::to_owned));
        }
    }
    let mut text = String::new();
    if !rows.is_empty() {
        let heads = [
            (Kind::Name, "experiment"),
            (Kind::Words, "figure"),
            (Kind::Words, "expected"),
            (Kind::Words, "reported"),
            (Kind::Name, "agrees"),
        ];
        let columns = heads.iter().enumerate().map(|(index, (kind, head))| {
            let cells = rows.iter().map(|row| row[index].clone()).collect();
            Column::new(*kind, *head, cells)
        });
        text.push_str(&Grid::new(columns.collect()).text(layout.width));
        text.push('\n');
    }
    for (experiment, result) in &findings.0 {
        let name = experiment.name();
        match result {
            Ok(judged) => {
                if let Some(busy) = judged.too_busy() {
                    let _ = writeln!(text, "{name}: cannot judge: this machine was too busy ({busy})");
                }
            }
            // The last sentence names these experiments.
            Err(NotDone::Stopped) => {}
            Err(error) => {
                let _ = writeln!(text, "{name}: not done: {error}");
            }
        }
    }
    text.push_str(&verdict(findings));
    text
}

/// The sentence below the table.
fn verdict(findings: &Findings) -> String {
    let judged = findings.0.iter().filter_map(|(_, judged)| judged.as_ref().ok());
    let agreements: Vec<Agreement> = judged
        .flat_map(|judged| judged.lines().map(|(_, agreement)| agreement))
        .collect();
    let all = agreements.len();
    let of = |which| agreements.iter().filter(|agreement| **agreement == which).count();
    let (disagree, unjudged) = (of(Agreement::Disagrees), of(Agreement::CannotJudge));
    let not_done = findings.0.iter().filter(|(_, result)| result.is_err());
    let not_done: Vec<&str> = not_done.map(|(experiment, _)| experiment.name()).collect();
    if disagree > 0 {
        format!("The measuring is WRONG: {disagree} of {all} figures are not what they must be.")
    } else if findings
        .0
        .iter()
        .any(|(_, result)| matches!(result, Err(NotDone::Stopped)))
    {
        format!("Stopped, so nothing is proved. Not done: {}.", not_done.join(", "))
    } else if !not_done.is_empty() {
        format!("Nothing is proved: {} could not be done.", not_done.join(", "))
    } else if unjudged > 0 {
        format!(
            "Nothing is proved: {unjudged} of {all} figures are off, and this machine was too busy to say whose fault that \
             is. Again, on one with less to do?"
        )
    } else {
        format!("The measuring is right: all {all} figures are what they must be.")
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::judge::{Judged, Line},
        *,
    };

    fn findings(death: Result<Judged, NotDone>) -> Findings {
        let right = Judged::of(vec![Line::exactly("lost", 0, 0)], None);
        Findings(vec![(Experiment::Drops, Ok(right)), (Experiment::Death, death)])
    }

    fn off(busy: Option<&str>) -> Judged {
        let lines = vec![Line::seconds("mean", 1.0..=2.0, Some(3.0))];
        Judged::of(lines, busy.map(str::to_owned))
    }

    #[test]
    fn only_figures_that_all_agree_prove_anything() {
        let right = findings(Ok(Judged::of(
            vec![Line::exactly("failed", 0, 0)],
            Some("start lag".to_owned()),
        )));
        assert!(right.all_agree());
        assert!(
            shown(&right, Layout::default()).ends_with("The measuring is right: all 2 figures are what they must be.")
        );
        let failed = std::io::Error::other("no port is free");
        for (death, says) in [
            (Ok(off(None)), "The measuring is WRONG: 1 of 2 figures"),
            (
                Ok(off(Some("1 % of its requests were sent 30 ms late or later"))),
                "too busy (1 % of its requests were sent 30 ms late or later)\nNothing is proved: 1 of 2 figures are off",
            ),
            (Err(NotDone::Stopped), "Stopped, so nothing is proved. Not done: death."),
            (
                Err(failed.into()),
                "no port is free\nNothing is proved: death could not be done.",
            ),
        ] {
            let findings = findings(death);
            assert!(!findings.all_agree());
            let text = shown(&findings, Layout::default());
            assert!(text.contains(says), "{text}");
        }
    }
}
