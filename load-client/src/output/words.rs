//! What a reader sees in a run, in plain words, from its figures alone.

use std::fmt::Write;

use crate::report::{DistributionReport, Run};

/// How many columns a picture of a run over time has.
const PICTURE: usize = 40;
const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Seconds for people: 12 ms, 0.98 s, 13.4 s, 4.2 min, 1.5 h.
pub fn time(seconds: f64) -> String {
    match seconds {
        s if s < 0.000_95 => format!("{:.0} µs", s * 1e6),
        s if s < 0.009_95 => format!("{:.1} ms", s * 1e3),
        s if s < 0.099_5 => format!("{:.0} ms", s * 1e3),
        s if s < 9.995 => format!("{s:.2} s"),
        s if s < 300.0 => format!("{s:.1} s"),
        s if s < 3597.0 => format!("{:.1} min", s / 60.0),
        s => format!("{:.1} h", s / 3600.0),
    }
}

/// A share for people.
fn percent(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "0 %".to_owned();
    }
    format!("{:.0} %", 100.0 * part as f64 / whole as f64)
}

/// How the number in the system went over time, up to `highest` for a full block; empty if nobody knows.
pub fn picture(run: &Run, highest: u64) -> String {
    let Some(end) = run.series.iter().rposition(|point| point.in_system.is_some()) else {
        return String::new();
    };
    let columns = PICTURE.min(end + 1);
    let levels: Vec<Option<u64>> = (0..columns)
        .map(|column| {
            let from = column * (end + 1) / columns;
            let to = ((column + 1) * (end + 1) / columns).max(from + 1);
            run.series[from..to].iter().filter_map(|point| point.in_system).max()
        })
        .collect();
    (0..columns)
        .map(|column| {
            // A single column without a snapshot is jitter; a service that was away leaves more than one.
            let before = column.checked_sub(1).and_then(|before| levels[before]);
            let after = levels.get(column + 1).copied().flatten();
            match levels[column].or(before.and(after)) {
                None => ' ',
                Some(level) => {
                    let block = (level as f64 / highest.max(1) as f64 * 8.0).ceil();
                    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 8")]
                    BLOCKS[(block as usize).saturating_sub(1).min(7)]
                }
            }
        })
        .collect()
}

/// What the reader sees, in a sentence or two.
pub fn explain(run: &Run) -> String {
    if run.ledger.intended == 0 {
        return "Nothing was sent.".to_owned();
    }
    let mut text = if run.rpc == "enqueue" {
        queued(run)
    } else {
        synchronous(run)
    };
    match run.service.as_ref().map_or(0, |service| service.restarts) {
        0 => {}
        1 => text.push_str(" The service was restarted on the way."),
        restarts => {
            let _ = write!(text, " The service was restarted {restarts} times on the way.");
        }
    }
    let unavailable = run.ledger.unavailable;
    if unavailable > 0 {
        let _ = write!(text, " For {unavailable} sends the service was not there.");
    }
    if run.ledger.expired > 0 {
        let _ = write!(text, " {} sends ran out of time.", run.ledger.expired);
    }
    if run.ledger.failed > 0 {
        let _ = write!(text, " {} sends failed.", run.ledger.failed);
    }
    if let Some(audit) = &run.audit {
        if audit.lost > 0 {
            let _ = write!(text, " {} accepted messages were LOST.", audit.lost);
        }
        if audit.unknown > 0 {
            let _ = write!(text, " What became of {} accepted messages is unknown.", audit.unknown);
        }
        if audit.duplicated > 0 {
            let _ = write!(text, " {} messages were processed TWICE.", audit.duplicated);
        }
    }
    text
}

/// What must be said before anything else: figures that are the generator's own. Empty if there is nothing.
pub fn warning(runs: &[Run]) -> String {
    let warnings = runs.iter().filter_map(|run| client_limited(run, &run.name));
    warnings.map(|warning| warning + "\n").collect()
}

/// The same of one run, by the name that it goes by; `None` if there is nothing.
pub fn client_limited(run: &Run, name: &str) -> Option<String> {
    let verdict = &run.verdict;
    verdict.client_limited.then(|| {
        format!(
            "CLIENT-LIMITED: {name}: {}. These are the generator's figures, not the service's.",
            verdict.reason
        )
    })
}

/// What the generator itself had to put up: the numbers behind the verdict.
pub fn generator(run: &Run) -> String {
    let verdict = &run.verdict;
    if !verdict.client_limited {
        return verdict.reason.clone();
    }
    let lag = verdict
        .start_lag_p99_seconds
        .map(|lag| format!("start lag p99 {}", time(lag)));
    let cpu = verdict
        .cpu_share
        .map(|cpu| format!("{:.0} % of a core on its busiest thread", 100.0 * cpu));
    let waits = match verdict.stream_wait_max_seconds {
        Some(max) => format!(
            "{} sends waited for a stream, up to {}",
            verdict.stream_waits,
            time(max)
        ),
        None => "no send waited for a stream".to_owned(),
    };
    let numbers: Vec<String> = lag.into_iter().chain(cpu).chain([waits]).collect();
    format!("the generator: {}", numbers.join(", "))
}

/// What withheld sends mean for the quantiles that stand beside them; `None` if there are none.
pub fn unanswered(run: &Run) -> Option<String> {
    let (ok, withheld) = (run.ledger.ok, run.ledger.withheld);
    (withheld > 0).then(|| {
        let answered = 100.0 * ok as f64 / (ok + withheld) as f64;
        format!(
            "Beside the ok answers stand {withheld} withheld sends. Counted as never answered, they leave every percentile \
             beyond p{answered:.1} without an end."
        )
    })
}

fn queued(run: &Run) -> String {
    let longest =
        |times: Option<DistributionReport>| times.map_or_else(|| "an unknown time".to_owned(), |t| time(t.max));
    let Some(service) = &run.service else {
        return "The clients did not wait; what became of their messages, nobody says.".to_owned();
    };
    if run.ledger.ok == 0 {
        return "Nothing was accepted.".to_owned();
    }
    let seconds = (run.load.duration_seconds + run.load.warmup_seconds).max(f64::MIN_POSITIVE);
    let offered = run.load.offered_rps.unwrap_or(f64::INFINITY);
    let wait = longest(run.queue_wait_seconds);
    if service.dropped > 0 {
        return format!(
            "The queue has an end. What is still done waits {wait} at most, but {} of {} accepted messages ({}) were thrown \
             away, and their senders do not know.",
            service.dropped,
            service.admitted,
            percent(service.dropped, service.admitted),
        );
    }
    if run.ledger.rejected > 0 {
        return format!(
            "The queue has an end: {} sends were refused at once, and their senders know. What was accepted waited {wait} at \
             most.",
            run.ledger.rejected
        );
    }
    let left = service.queue_depth_end.unwrap_or(0);
    let growth = left as f64 / seconds;
    // A queue that holds a second's worth of messages and more when the load stops has been growing.
    if left as f64 > offered && growth > 0.01 * offered {
        let drained = match service.drain_seconds {
            Some(drain) => format!("It took {} more to work that off", time(drain)),
            None => format!("{} were still there when we stopped waiting", service.queued),
        };
        let rose = if service.restarts == 0 {
            format!("grew by {growth:.1} a second, to {left}")
        } else {
            format!("stood at {left} when the load stopped")
        };
        return format!(
            "The clients never wait, so nothing slows them down: the backlog {rose}. {drained}; the unluckiest message waited \
             {wait}, and nobody was told.",
        );
    }
    format!(
        "The workers keep up with what is sent: the queue stays flat (never more than {}), and the longest wait was {wait}.",
        service.queue_depth_max
    )
}

fn synchronous(run: &Run) -> String {
    let slowest = run.response_time_seconds.get("ok").map_or_else(
        || "no answer came".to_owned(),
        |times| format!("the slowest answer took {}", time(times.max)),
    );
    let in_system = run.service.as_ref().map_or_else(String::new, |service| {
        format!("never more than {} in the system, ", service.in_system_max)
    });
    let ledger = &run.ledger;
    let mut text = if ledger.rejected > 0 {
        let quick = run
            .response_time_seconds
            .get("rejected")
            .map_or_else(String::new, |times| {
                format!(" (half of them within {})", time(times.p50))
            });
        format!(
            "Who finds the line full is refused at once{quick}: {} of {} sends ({}). Besides, {in_system}and {slowest}.",
            ledger.rejected,
            ledger.intended,
            percent(ledger.rejected, ledger.intended),
        )
    } else {
        format!("Who waits does not send: {in_system}and {slowest}.")
    };
    if ledger.withheld > 0 {
        let _ = write!(
            text,
            " Withheld, because their clients were still waiting: {} of {} sends ({}). That is backpressure.",
            ledger.withheld,
            ledger.intended,
            percent(ledger.withheld, ledger.intended),
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_keep_two_to_three_digits() {
        let shown: Vec<_> = [0.000_2, 0.002_1, 0.012, 0.25, 1.0, 60.04, 3600.0, 7200.0]
            .map(time)
            .into();
        assert_eq!(
            shown,
            [
                "200 µs", "2.1 ms", "12 ms", "0.25 s", "1.00 s", "60.0 s", "1.0 h", "2.0 h"
            ]
        );
    }
}
