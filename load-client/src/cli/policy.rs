//! The flags that say what clients do about requests that fail.

use std::time::Duration;

use clap::Args;

use super::values::positive_duration;
use crate::{
    outcome::Outcome,
    policy::{Backoff, BudgetSettings, PolicySettings, RetryOn, ThrottleKind, ThrottleSettings},
    scenario::Scenario,
};

/// The most retries of a request (arbitrary: far more than any client makes).
const MOST_RETRIES: u32 = 100;
/// The tokens of a full retry budget, if the flag does not set them (the example of gRFC A6).
const BUDGET_TOKENS: f64 = 10.0;
/// The most tokens (gRFC A6).
const MOST_TOKENS: f64 = 1000.0;
/// The time that the throttle looks back, if the flag does not set it (two minutes, as in the book Site Reliability
/// Engineering).
const WINDOW: Duration = Duration::from_secs(120);

/// What clients do about requests that fail.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Retries")]
pub(super) struct PolicyArgs {
    /// Attempts beyond the first. All attempts of a request share its --timeout, and response time counts to the end of the
    /// last one. A request that is sent again can be processed twice if the service may have the first attempt (outcome
    /// expired, or unavailable when a connection breaks): retry only what is safe to repeat
    #[arg(long, env = "LOAD_RETRIES", default_value = "0", value_parser = retries)]
    retries: u32,

    /// Outcomes of an attempt after which there is another one: rejected, unavailable, expired (the attempt ran into
    /// --attempt-timeout), failed [default: unavailable,rejected]
    #[arg(long, env = "LOAD_RETRY_ON", value_name = "OUTCOMES", value_parser = retry_on, requires = "retries")]
    retry_on: Option<RetryOn>,

    /// Pauses before retries, as FIRST..LONGEST such as 50ms..1s: a random time up to FIRST before the first retry, up to
    /// twice that before the second, and so on up to LONGEST (full jitter) [default: no pause]
    #[arg(long, env = "LOAD_BACKOFF", value_name = "FIRST..LONGEST", value_parser = backoff, requires = "retries")]
    backoff: Option<Backoff>,

    /// Bound on the retries, as RATIO or RATIO/MAX such as 20%/10: a bucket of MAX tokens per target, from which a failed
    /// attempt takes one and to which an ok answer adds RATIO. Clients retry while it is more than half full, as gRPC's
    /// retryThrottling does [default MAX: 10]
    #[arg(long, env = "LOAD_RETRY_BUDGET", value_name = "RATIO[/MAX]", value_parser = budget, requires = "retries")]
    retry_budget: Option<BudgetSettings>,

    /// Whether grpc-retry-pushback-ms in an answer decides when the next attempt is made; a negative value means never
    /// [default: honor]
    #[arg(long, env = "LOAD_PUSHBACK", requires = "retries")]
    pushback: Option<PushbackChoice>,

    /// Whether clients hold their own requests back when the service accepts less than half of them: none, adaptive or book.
    /// The formula is that of the book Site Reliability Engineering; adaptive always sends one request per second, book may
    /// send none for minutes. Both look back over 2m; adaptive:WINDOW or book:WINDOW sets another time. Requests that are
    /// held back count as throttled
    #[arg(long, env = "LOAD_THROTTLE", value_name = "RULE", default_value = "none", value_parser = throttle)]
    throttle: Throttled,

    /// Send a second attempt if there is no answer after this time. The first ok answer wins, and the other attempt is
    /// cancelled. Only for requests that are safe to repeat
    #[arg(long, env = "LOAD_HEDGE", value_name = "DELAY", value_parser = positive_duration)]
    hedge: Option<Duration>,

    /// Deadline of each attempt, within that of the request (--timeout) [default: what is left of --timeout]
    #[arg(long, env = "LOAD_ATTEMPT_TIMEOUT", value_parser = positive_duration)]
    attempt_timeout: Option<Duration>,
}

/// Whether clients follow what a service says about retries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum PushbackChoice {
    /// The service decides when
    Honor,
    /// As if it said nothing
    Ignore,
}

/// `None` for no throttle. A type of its own, because clap gives `Option` a meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Throttled(Option<ThrottleSettings>);

impl PolicyArgs {
    /// What the clients do about failures, as the flags say.
    pub(super) fn settings(&self) -> PolicySettings {
        PolicySettings {
            retries: self.retries,
            retry_on: self.retry_on.unwrap_or_default(),
            backoff: self.backoff,
            budget: self.retry_budget,
            honor_pushback: self.pushback != Some(PushbackChoice::Ignore),
            throttle: self.throttle.0,
            hedge: self.hedge,
            attempt_timeout: self.attempt_timeout,
        }
    }
}

/// Checks that the deadlines of attempts and hedges are within the deadline of the request.
pub(super) fn check(scenario: &Scenario) -> Result<(), String> {
    let shown = humantime::format_duration(scenario.timeout);
    let policies = &scenario.policies;
    if let Some(attempt) = policies.attempt_timeout.filter(|attempt| *attempt > scenario.timeout) {
        let attempt = humantime::format_duration(attempt);
        return Err(format!(
            "--attempt-timeout {attempt} is longer than the deadline of the whole request (--timeout {shown}); give a longer \
             --timeout, or a shorter --attempt-timeout"
        ));
    }
    let end = policies.attempt_timeout.unwrap_or(scenario.timeout);
    if let Some(hedge) = policies.hedge.filter(|hedge| *hedge >= end) {
        let (hedge, end) = (humantime::format_duration(hedge), humantime::format_duration(end));
        return Err(format!(
            "--hedge {hedge} is not before the deadline of the first attempt ({end}), so no second attempt would be sent; give a \
             shorter --hedge"
        ));
    }
    Ok(())
}

fn retries(text: &str) -> Result<u32, String> {
    match text.parse() {
        Ok(retries) if retries <= MOST_RETRIES => Ok(retries),
        _ => Err(format!("must be a whole number from 0 to {MOST_RETRIES}")),
    }
}

fn retry_on(text: &str) -> Result<RetryOn, String> {
    let outcomes: Result<Vec<Outcome>, String> = text.split(',').map(|name| outcome(name.trim())).collect();
    Ok(RetryOn::of(&outcomes?))
}

fn outcome(name: &str) -> Result<Outcome, String> {
    match name.parse() {
        Ok(Outcome::Ok | Outcome::Throttled) | Err(_) => Err(format!(
            "{name:?} is no outcome to retry after; write one or more of unavailable, rejected, expired and failed, with \
             commas between them"
        )),
        Ok(outcome) => Ok(outcome),
    }
}

fn backoff(text: &str) -> Result<Backoff, String> {
    let form = "write it as FIRST..LONGEST, like 50ms..1s";
    let (first, longest) = text.split_once("..").ok_or(form)?;
    let first = positive_duration(first).map_err(|error| format!("{error}; {form}"))?;
    let longest = positive_duration(longest).map_err(|error| format!("{error}; {form}"))?;
    if longest < first {
        return Err(format!("the longest pause is shorter than the first one; {form}"));
    }
    Ok(Backoff { first, longest })
}

fn budget(text: &str) -> Result<BudgetSettings, String> {
    let form = "write it as a share of the ok answers, like 20%, or with the size of the bucket, like 20%/100";
    let (ratio, most) = match text.split_once('/') {
        Some((ratio, most)) => (ratio, most.parse().map_err(|_| form)?),
        None => (text, BUDGET_TOKENS),
    };
    let percent: f64 = ratio
        .strip_suffix('%')
        .and_then(|ratio| ratio.parse().ok())
        .ok_or(form)?;
    if !(0.0..=100.0).contains(&percent) {
        return Err("the share must be from 0% to 100%".to_owned());
    }
    if !(1.0..=MOST_TOKENS).contains(&most) {
        return Err(format!("the bucket must have from 1 to {MOST_TOKENS} tokens"));
    }
    Ok(BudgetSettings {
        ratio: percent / 100.0,
        most,
    })
}

fn throttle(text: &str) -> Result<Throttled, String> {
    let (rule, window) = match text.split_once(':') {
        Some((rule, window)) => (rule, positive_duration(window)?),
        None => (text, WINDOW),
    };
    let kind = match rule {
        "none" if !text.contains(':') => return Ok(Throttled(None)),
        "adaptive" => ThrottleKind::Adaptive,
        "book" => ThrottleKind::Book,
        _ => {
            return Err(
                "is no rule; write none, adaptive or book, or with a time to look back, like adaptive:30s".to_owned(),
            );
        }
    };
    Ok(Throttled(Some(ThrottleSettings { kind, window })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_a_share_and_perhaps_the_size_of_the_bucket() {
        let read = |text| budget(text).map(|budget| (budget.ratio, budget.most));
        assert_eq!(read("20%"), Ok((0.2, 10.0)));
        assert_eq!(read("10%/100"), Ok((0.1, 100.0)));
        for wrong in ["20", "x%", "101%", "20%/0", "20%/1001", "20%/x", "NaN%"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn outcomes_pauses_and_throttles_are_read_and_mistakes_are_named() {
        let on = retry_on("expired, failed").unwrap();
        assert!(on.contains(Outcome::Expired) && on.contains(Outcome::Failed) && !on.contains(Outcome::Rejected));
        assert!(retry_on("ok").unwrap_err().contains("unavailable, rejected, expired"));
        assert_eq!(backoff("50ms..1s").unwrap().longest, Duration::from_secs(1));
        for wrong in ["50ms", "1s..50ms", "0s..1s", "a..b"] {
            assert!(backoff(wrong).is_err(), "{wrong}");
        }
        let read = |text| throttle(text).map(|throttle| throttle.0.map(|throttle| (throttle.kind, throttle.window)));
        assert_eq!(read("none"), Ok(None));
        assert_eq!(read("adaptive"), Ok(Some((ThrottleKind::Adaptive, WINDOW))));
        assert_eq!(
            read("book:30s"),
            Ok(Some((ThrottleKind::Book, Duration::from_secs(30))))
        );
        assert!(read("none:1s").is_err() && read("codel").is_err());
    }
}
