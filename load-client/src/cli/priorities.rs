//! `--priorities`: classes of urgency with their shares, as `u=0:20%,u=3:80%`.

use crate::scenario::{ClassShare, Priorities};

/// The classes of RFC 9218, from the most urgent one to the least.
const URGENCIES: std::ops::RangeInclusive<u8> = 0..=7;
/// How a class is written, for errors.
const FORM: &str = "write classes with their shares, like u=0:20%,u=3:80%";
/// How far the sum of the shares may be from 100 %, in percent (arbitrary: three shares of 33.333333 % are accepted).
const ROUNDING: f64 = 1e-5;

/// Reads classes, such as `u=0:20%,u=3:80%`.
pub(super) fn priorities(text: &str) -> Result<Priorities, String> {
    let mut classes: Vec<ClassShare> = Vec::new();
    for part in text.split(',') {
        let (urgency, percent) = class(part.trim())?;
        if classes.iter().any(|known| known.urgency == urgency) {
            return Err(format!("the class u={urgency} is named twice; {FORM}"));
        }
        classes.push(ClassShare {
            urgency,
            share: percent / 100.0,
        });
    }
    let sum: f64 = classes.iter().map(|class| 100.0 * class.share).sum();
    if (sum - 100.0).abs() > ROUNDING {
        let sum = (sum * 1e6).round() / 1e6;
        return Err(format!(
            "the shares add up to {sum} %, and must add up to 100 %; {FORM}"
        ));
    }
    Ok(Priorities::new(classes))
}

/// Reads one class: its urgency, and its share in percent.
fn class(text: &str) -> Result<(u8, f64), String> {
    if text.is_empty() {
        return Err(format!("a class is empty, before or after a comma; {FORM}"));
    }
    let (name, share) = text
        .split_once(':')
        .ok_or_else(|| format!("the class {text:?} has no share; {FORM}"))?;
    let urgency = name.trim().strip_prefix("u=").and_then(|digits| digits.parse().ok());
    let urgency = urgency.filter(|urgency| URGENCIES.contains(urgency)).ok_or_else(|| {
        format!(
            "{:?} is no class; the classes are u=0 (the most urgent) to u=7",
            name.trim()
        )
    })?;
    let percent: Option<f64> = share
        .trim()
        .strip_suffix('%')
        .and_then(|digits| digits.trim().parse().ok());
    match percent {
        Some(percent) if percent > 0.0 && percent <= 100.0 => Ok((urgency, percent)),
        _ => Err(format!(
            "the share of u={urgency}, {:?}, is no share; it must be more than 0% and at most 100%",
            share.trim()
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_have_shares_that_add_up() {
        for text in [
            "u=0:20%,u=3:80%",
            "u=7:100%",
            "u=5:33.333333%,u=1:33.333333%,u=0:33.333333%",
        ] {
            assert_eq!(priorities(text).unwrap().to_string(), text);
        }
        assert_eq!(
            priorities(" u=0 : 5 % , u=3:95%").unwrap().to_string(),
            "u=0:5%,u=3:95%"
        );
    }

    #[test]
    fn errors_say_which_class_is_wrong_and_what_would_be_right() {
        for (text, says) in [
            (
                "",
                "a class is empty, before or after a comma; write classes with their shares, like u=0:20%,u=3:80%",
            ),
            ("u=0:20%,", "a class is empty"),
            ("u=0", "the class \"u=0\" has no share; write"),
            (
                "0:100%",
                "\"0\" is no class; the classes are u=0 (the most urgent) to u=7",
            ),
            ("u=8:100%", "\"u=8\" is no class"),
            (
                "u=0:100",
                "the share of u=0, \"100\", is no share; it must be more than 0% and at most 100%",
            ),
            ("u=0:0%", "the share of u=0, \"0%\""),
            ("u=0:NaN%", "the share of u=0, \"NaN%\""),
            ("u=0:120%", "the share of u=0, \"120%\""),
            ("u=0:50%,u=0:50%", "the class u=0 is named twice"),
            ("u=0:20%,u=3:70%", "the shares add up to 90 %, and must add up to 100 %"),
        ] {
            let error = priorities(text).unwrap_err();
            assert!(error.starts_with(says), "{text}: {error}");
        }
    }
}
