//! Parses rules. A rule is written as `FIGURE OP BOUND`, like `p99(rejected)>20ms`, or as `client-limited`.

use std::str::FromStr;

use super::{
    error::{OTHER_NAMES, RuleError},
    rule::{Bound, Comparison, Condition, Count, Rule, Scope, Statistic},
};

impl FromStr for Rule {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        let text = text.trim();
        let (class, condition) = if text == "client-limited" {
            (None, Condition::ClientLimited)
        } else {
            comparison(text)?
        };
        Ok(Self {
            text: text.to_owned(),
            class,
            condition,
        })
    }
}

/// Parses a comparison; also returns the class of urgency that it is about.
fn comparison(text: &str) -> Result<(Option<u8>, Condition), RuleError> {
    let at = text.find(['<', '>']).ok_or(RuleError::NoComparison)?;
    let (figure, rest) = text.split_at(at);
    // Longer operators come first, because they begin with a shorter one.
    let operators = [
        (">=", Comparison::AtLeast),
        ("<=", Comparison::AtMost),
        (">", Comparison::More),
        ("<", Comparison::Less),
    ];
    let operator = operators
        .iter()
        .find_map(|(sign, operator)| Some((*operator, rest.strip_prefix(sign)?)));
    let (operator, bound) = operator.ok_or(RuleError::NoComparison)?;
    let (figure, bound) = (figure.trim(), bound.trim());
    let (class, figure) = class(figure)?;
    let condition = if figure == "goodput" {
        Condition::Goodput(operator, within_all(goodput_bound(bound)?)?)
    } else if let Some(count) = count(figure) {
        if class.is_some() && !count.is_by_class() {
            return Err(RuleError::NotByClass(figure.to_owned()));
        }
        let bound = count_bound(bound)?;
        if count.is_of_scheduled() {
            within_all(bound)?;
        }
        Condition::Count(count, operator, bound)
    } else {
        compared_time(figure, operator, bound)?
    };
    Ok((class, condition))
}

/// The class of a figure like `p99(u=0)`, and the figure without the class. The caller checks the figure.
fn class(figure: &str) -> Result<(Option<u8>, &str), RuleError> {
    let scope = figure.split_once('(').and_then(|(name, rest)| {
        let scope = rest.strip_suffix(')')?.trim();
        Some((name.trim_end(), scope.strip_prefix("u=")?))
    });
    let Some((name, digits)) = scope else {
        return Ok((None, figure));
    };
    match digits.as_bytes() {
        [digit @ b'0'..=b'7'] => Ok((Some(digit - b'0'), name)),
        _ => Err(RuleError::Class(digits.to_owned())),
    }
}

fn compared_time(figure: &str, operator: Comparison, bound: &str) -> Result<Condition, RuleError> {
    let (statistic, scope) = time(figure)?;
    let duration = humantime::parse_duration(bound).map_err(|_| RuleError::Bound {
        bound: bound.to_owned(),
        wanted: "duration; write it as 250ms or 2s",
    })?;
    Ok(Condition::Time(statistic, scope, operator, duration))
}

fn count(name: &str) -> Option<Count> {
    Count::all().find(|count| count.name() == name)
}

fn time(figure: &str) -> Result<(Statistic, Scope), RuleError> {
    let (name, scope) = match figure.split_once('(') {
        Some((name, rest)) => (name.trim_end(), Some(rest.strip_suffix(')').map(str::trim))),
        None => (figure, None),
    };
    let unknown = || unknown_figure(figure);
    let statistic = match name {
        "mean" => Statistic::Mean,
        "max" => Statistic::Max,
        _ => Statistic::Percentile(percentile(name.strip_prefix('p').ok_or_else(unknown)?, unknown)?),
    };
    let Some(scope) = scope else {
        return Ok((statistic, Scope::Unwritten));
    };
    let scope = match scope.ok_or_else(unknown)? {
        "acknowledgement" => Scope::Acknowledgement,
        "service-time" => Scope::ServiceTime,
        "time-to-done" => Scope::TimeToDone,
        "queue-wait" => Scope::QueueWait,
        "start-lag" => Scope::StartLag,
        other => Scope::Response(other.parse().map_err(|_| RuleError::Scope(other.to_owned()))?),
    };
    Ok((statistic, scope))
}

fn unknown_figure(figure: &str) -> RuleError {
    let name = figure.to_ascii_lowercase().replace(['_', ' '], "-");
    let known = OTHER_NAMES.iter().find(|(names, _)| names.contains(&name.as_str()));
    match known {
        Some((_, hint)) => RuleError::OtherName(figure.to_owned(), hint),
        None => RuleError::Figure(figure.to_owned()),
    }
}

fn percentile(digits: &str, unknown: impl Fn() -> RuleError) -> Result<f64, RuleError> {
    let percent = decimal(digits).ok_or_else(unknown)?;
    if percent > 0.0 && percent < 100.0 {
        Ok(percent)
    } else {
        Err(RuleError::Percentile(digits.to_owned()))
    }
}

/// Parses digits with at most one decimal point. Other numbers that Rust can parse (`inf`, `1e9`) are refused.
fn decimal(text: &str) -> Option<f64> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    if plain { text.parse().ok() } else { None }
}

fn share(bound: &str) -> Option<Bound> {
    Some(Bound::Percent(decimal(bound.strip_suffix('%')?.trim_end())?))
}

/// Refuses shares of more than 100 %.
fn within_all(bound: Bound) -> Result<Bound, RuleError> {
    match bound {
        Bound::Percent(percent) if percent > 100.0 => Err(RuleError::OverAll(percent.to_string())),
        bound => Ok(bound),
    }
}

fn count_bound(bound: &str) -> Result<Bound, RuleError> {
    if let Some(share) = share(bound) {
        return Ok(share);
    }
    let number = decimal(bound).ok_or_else(|| RuleError::Bound {
        bound: bound.to_owned(),
        wanted: "number of requests, nor a share of the scheduled ones, like 5%",
    })?;
    if !bound.contains('.') {
        return Ok(Bound::Number(number));
    }
    let instead = if number < 1.0 {
        format!("{}% for a share of the scheduled requests", as_percent(number))
    } else {
        format!(
            "{} for a number, or a share of the scheduled requests, like 5%",
            number.trunc()
        )
    };
    Err(RuleError::Fraction {
        bound: bound.to_owned(),
        instead,
    })
}

/// Converts a part of 1 to percent, rounded so that the rounding errors of floats do not show.
fn as_percent(part: f64) -> f64 {
    (part * 1e8).round() / 1e6
}

fn goodput_bound(bound: &str) -> Result<Bound, RuleError> {
    let rate = || Some(Bound::PerSecond(decimal(bound.strip_suffix("/s")?.trim_end())?));
    share(bound).or_else(rate).ok_or_else(|| RuleError::Bound {
        bound: bound.to_owned(),
        wanted: "share of the scheduled requests, like 95%, nor a rate, like 80/s",
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rand::{RngExt, SeedableRng};

    use super::*;
    use crate::outcome::Outcome;

    fn parsed(text: &str) -> Condition {
        text.parse::<Rule>()
            .unwrap_or_else(|error| panic!("{text}: {error}"))
            .condition
    }

    fn error(text: &str) -> String {
        text.parse::<Rule>().unwrap_err().to_string()
    }

    #[test]
    fn reads_the_rules_that_the_help_gives_as_examples() {
        let millis = Duration::from_millis;
        assert_eq!(
            parsed("p99>250ms"),
            Condition::Time(
                Statistic::Percentile(99.0),
                Scope::Unwritten,
                Comparison::More,
                millis(250)
            )
        );
        assert_eq!(
            parsed(" p99.9 ( rejected ) >= 20ms "),
            Condition::Time(
                Statistic::Percentile(99.9),
                Scope::Response(Outcome::Rejected),
                Comparison::AtLeast,
                millis(20)
            )
        );
        assert_eq!(
            parsed("mean(start-lag)<=1s"),
            Condition::Time(Statistic::Mean, Scope::StartLag, Comparison::AtMost, millis(1000))
        );
        assert_eq!(
            parsed("goodput<95%"),
            Condition::Goodput(Comparison::Less, Bound::Percent(95.0))
        );
        assert_eq!(
            parsed("goodput<80.5/s"),
            Condition::Goodput(Comparison::Less, Bound::PerSecond(80.5))
        );
        assert_eq!(
            parsed("rejected>5%"),
            Condition::Count(count("rejected").unwrap(), Comparison::More, Bound::Percent(5.0))
        );
        assert_eq!(
            parsed("lost>0"),
            Condition::Count(count("lost").unwrap(), Comparison::More, Bound::Number(0.0))
        );
        assert_eq!(parsed("client-limited"), Condition::ClientLimited);
        for (text, class) in [
            ("p99 ( u=0 )>250ms", Some(0)),
            ("ok(u=7)<99%", Some(7)),
            ("p99>250ms", None),
        ] {
            assert_eq!(text.parse::<Rule>().unwrap().class(), class, "{text}");
        }
        assert_eq!(parsed("p99(u=0)>250ms"), parsed("p99>250ms"));
    }

    #[test]
    fn says_what_is_wrong_and_what_would_be_right() {
        for (text, hint) in [
            ("", "FIGURE>BOUND"),
            ("p99", "FIGURE>BOUND"),
            ("p99=250ms", "FIGURE>BOUND"),
            ("client-limited>0", "no figure of a report"),
            ("latency>1s", "like 'p99>250ms'"),
            ("speed>1s", "there are pN"),
            ("error>1%", "errors are `failed`"),
            ("Error_Rate>1%", "errors are `failed`"),
            ("timeouts>0", "are `expired`"),
            ("median>1s", "write p50"),
            (
                "rejected>0.05",
                "0.05 is no whole number of requests; write 5% for a share",
            ),
            ("failed>0.001", "write 0.1% for a share"),
            ("rejected>1.0", "write 1 for a number"),
            ("rejected>3.5", "write 3 for a number"),
            ("goodput<0.95", "like 95%"),
            ("p99(accepted)>1s", "ok, rejected"),
            ("p99(ok>1s", "no figure of a report"),
            ("p100>1s", "the largest is max"),
            ("p0>1s", "more than 0"),
            ("p>1s", "no figure of a report"),
            ("pinf>1s", "no figure of a report"),
            ("p99>250", "250ms or 2s"),
            ("p99>5%", "250ms or 2s"),
            ("p99(u=8)>1s", "u=8 is no class; the classes are u=0"),
            ("p99(u=)>1s", "u= is no class"),
            ("lost(u=0)>0", "lost is not known for each class"),
            ("speed(u=0)>1s", "there are pN"),
            ("ok(ok)<5%", "no figure of a report"),
            ("rejected>20ms", "like 5%"),
            ("rejected>-1", "like 5%"),
            ("rejected>", "like 5%"),
            ("rejected>NaN%", "like 5%"),
            ("goodput<95", "like 80/s"),
            ("lost>>0", "like 5%"),
        ] {
            assert!(error(text).contains(hint), "{text:?}: {}", error(text));
        }
    }

    #[test]
    fn a_share_of_the_scheduled_requests_is_at_most_all_of_them() {
        for text in ["rejected>150%", "lost>100.5%", "goodput<101%", "ok<200%"] {
            assert!(
                error(text).contains("is more than all scheduled requests"),
                "{text}: {}",
                error(text)
            );
        }
        for text in [
            "rejected>100%",
            "goodput<100%",
            "dropped>150%",
            "duplicated>150%",
            "goodput<150/s",
            "rejected>150",
        ] {
            parsed(text);
        }
    }

    #[test]
    fn every_combination_of_the_grammar_is_read_and_written_as_it_was() {
        let scopes =
            "ok rejected expired unavailable failed acknowledgement service-time time-to-done queue-wait start-lag";
        let counts: Vec<String> = Count::all().map(Count::name).collect();
        let mut rules = Vec::new();
        for operator in [">", ">=", "<", "<="] {
            for statistic in ["p50", "p99", "p99.99", "p0.1", "mean", "max"] {
                rules.push(format!("{statistic}{operator}1s"));
                rules.extend(
                    scopes
                        .split(' ')
                        .map(|scope| format!("{statistic}({scope}){operator}2m 3s")),
                );
            }
            for bound in ["0", "12", "0.5%", "100 %"] {
                rules.extend(counts.iter().map(|count| format!("{count}{operator}{bound}")));
            }
            rules.extend(["99.9%", "80/s"].map(|bound| format!("goodput{operator}{bound}")));
            rules.extend(["p99(u=0)", "max(u=7)"].map(|figure| format!("{figure}{operator}1s")));
            rules.extend(["ok(u=0)", "withheld(u=3)", "goodput(u=1)"].map(|figure| format!("{figure}{operator}5%")));
        }
        for text in rules {
            let rule: Rule = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(rule.to_string(), text);
            let spaced = text
                .replace(['<', '>'], " $0 ")
                .replace("$0", if text.contains('<') { "<" } else { ">" });
            if !text.contains('=') {
                assert_eq!(parsed(&spaced), rule.condition, "{spaced}");
            }
        }
    }

    #[test]
    fn whatever_is_written_is_a_rule_or_an_error_and_never_a_panic() {
        let pieces = [
            "p",
            "99",
            ".",
            "9",
            "(",
            ")",
            "ok",
            "u=0",
            "start-lag",
            ">",
            "<",
            "=",
            "%",
            "/s",
            "ms",
            "s",
            "mean",
            "goodput",
            "lost",
            " ",
            "-",
            "e",
            "∞",
            "µ",
            "\0",
            "client-limited",
            "18446744073709551616",
        ];
        let mut random = rand_pcg::Pcg64Mcg::seed_from_u64(1);
        let mut read = 0;
        for _ in 0..200_000 {
            let count = random.random_range(0..8);
            let text: String = (0..count)
                .map(|_| pieces[random.random_range(0..pieces.len())])
                .collect();
            if let Ok(rule) = text.parse::<Rule>() {
                read += 1;
                assert_eq!(rule.text(), text.trim());
                assert_eq!(rule.to_string().parse(), Ok(rule));
            }
        }
        assert!(read > 100, "only {read} of them are rules");
    }
}
