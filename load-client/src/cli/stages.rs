//! `--stages`: rates one after the other, as `10s:100,30s:100..500`.

use std::time::Duration;

use super::values::{LONGEST, duration, rate};
use crate::scenario::Stage;

/// Reads stages, such as `10s:100,30s:100..500`.
pub(super) fn stages(text: &str) -> Result<Stages, String> {
    let stages: Result<Vec<Stage>, String> = text.split(',').map(stage).collect();
    let stages = stages?;
    if stages.iter().all(|stage| stage.mean_rps() == 0.0) {
        return Err("these stages send no request; a stage needs a rate above 0, like 10s:100".to_owned());
    }
    if stages.iter().map(|stage| stage.length).sum::<Duration>() > LONGEST {
        return Err("the stages together must last at most a year".to_owned());
    }
    Ok(Stages(stages))
}

/// The stages of one flag. They are a type of their own, because clap takes a `Vec` for several values.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Stages(pub(super) Vec<Stage>);

/// How a stage is written, for errors.
const STAGE: &str = "write a stage like 10s:100 or 10s:100..500";

fn stage(text: &str) -> Result<Stage, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err(format!("a stage is empty, before or after a comma; {STAGE}"));
    }
    let (length, rates) = text
        .split_once(':')
        .ok_or_else(|| format!("the stage {text:?} has no colon between its length and its rate; {STAGE}"))?;
    let length = length.trim();
    if length.is_empty() {
        return Err(format!("the stage {text:?} has no length; {STAGE}"));
    }
    let length = match duration(length).map_err(|error| format!("the length of the stage {text:?}: {error}"))? {
        Duration::ZERO => return Err(format!("the length of the stage {text:?} must be more than 0; {STAGE}")),
        length => length,
    };
    let rate_of = |part: &str, name: &str| {
        let part = part.trim();
        if part.is_empty() {
            return Err(format!("the stage {text:?} has no {name}; {STAGE}"));
        }
        rate(part).map_err(|error| format!("the {name} of the stage {text:?}, {part:?}: {error}"))
    };
    let Some((from, to)) = rates.split_once("..") else {
        return Ok(Stage::steady(length, rate_of(rates, "rate")?));
    };
    if to.starts_with('.') {
        return Err(format!(
            "the stage {text:?} has three points between its rates; {STAGE}"
        ));
    }
    if to.contains("..") {
        return Err(format!(
            "the stage {text:?} has more than two rates, and a ramp has one at its start and one at its end; write several \
             ramps as several stages, like 10s:100..500,10s:500..100"
        ));
    }
    Ok(Stage {
        length,
        rps: rate_of(from, "rate at its start")?,
        end_rps: rate_of(to, "rate at its end")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_are_held_or_ramp() {
        let ramp = stages("10s:100..500,5s:1").unwrap().0;
        assert!((ramp[0].mean_rps() - 300.0).abs() < f64::EPSILON && ramp[1].is_steady());
        let stages = stages("10s:100, 30s:0.5").unwrap().0;
        assert_eq!(stages[1].length, Duration::from_secs(30));
        assert!((stages[1].rps - 0.5).abs() < f64::EPSILON);
    }

    #[test]
    fn errors_in_stages_say_which_part_of_which_stage_is_wrong() {
        for (text, right) in [
            (
                "1s:0",
                "these stages send no request; a stage needs a rate above 0, like 10s:100",
            ),
            (
                "1s:0..0,2s:0",
                "these stages send no request; a stage needs a rate above 0, like 10s:100",
            ),
            (
                "0s:20",
                "the length of the stage \"0s:20\" must be more than 0; write a stage like 10s:100 or 10s:100..500",
            ),
            (
                "1s:..20",
                "the stage \"1s:..20\" has no rate at its start; write a stage like 10s:100 or 10s:100..500",
            ),
            (
                "1s:1...5",
                "the stage \"1s:1...5\" has three points between its rates; write a stage like 10s:100 or 10s:100..500",
            ),
            (
                "1s:20..",
                "the stage \"1s:20..\" has no rate at its end; write a stage like 10s:100 or 10s:100..500",
            ),
            (
                "1s:",
                "the stage \"1s:\" has no rate; write a stage like 10s:100 or 10s:100..500",
            ),
            (
                ":5",
                "the stage \":5\" has no length; write a stage like 10s:100 or 10s:100..500",
            ),
            (
                "1s:10,",
                "a stage is empty, before or after a comma; write a stage like 10s:100 or 10s:100..500",
            ),
            (
                "10",
                "the stage \"10\" has no colon between its length and its rate; write a stage like 10s:100 or 10s:100..500",
            ),
            (
                "1s:10..5..1",
                "the stage \"1s:10..5..1\" has more than two rates, and a ramp has one at its start and one at its end; write \
                 several ramps as several stages, like 10s:100..500,10s:500..100",
            ),
        ] {
            assert_eq!(stages(text), Err(right.to_owned()), "{text}");
        }
        for (text, part) in [
            ("x:5", "the length of the stage \"x:5\": "),
            ("1s:x", "the rate of the stage \"1s:x\", \"x\": "),
            ("1s:1..x", "the rate at its end of the stage \"1s:1..x\", \"x\": "),
        ] {
            let error = stages(text).unwrap_err();
            assert!(error.starts_with(part), "{text}: {error}");
        }
    }

    #[test]
    fn wrong_stages_are_errors() {
        for wrong in ["", "10s", "10s:", ":5", "0s:5", "10s:-5", "10s:5,", "10s:0"] {
            assert!(stages(wrong).is_err(), "{wrong}");
        }
        for wrong in [
            "10s:1..",
            "10s:..5",
            "10s:1..-5",
            "10s:0..0",
            "10s:1..2..3",
            "300d:1,300d:1",
        ] {
            assert!(stages(wrong).is_err(), "{wrong}");
        }
    }
}
