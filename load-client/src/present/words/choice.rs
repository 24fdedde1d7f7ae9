//! Advice on which of several runs to choose, by what each of them gave up, from the figures alone.

use super::{
    conclusion::{in_time, not_done, slowest as slowest_of},
    parts::{backlog, grows, listed, percent},
};
use crate::{
    present::ends::{done, occurred},
    report::{GateReport, Run},
    scenario::Rpc,
    units::plain,
};

/// Times that differ by more than this factor differ for a reader too (arbitrary).
const MUCH_SLOWER: f64 = 2.0;
/// If at least this share of the requests was done in time, that counts as all (arbitrary: less than what [`percent`] shows).
const ALL: f64 = 0.9995;

/// The advice on which run to choose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// Which runs a caller can choose that needs the result of its request; `None` if all or none of the runs give it.
    pub result: Option<String>,
    /// The advice, in a few sentences.
    pub advice: String,
    /// Each thing that a reader may accept, and the runs to choose then.
    pub options: Vec<(&'static str, String)>,
    /// Further notes, in sentences.
    pub notes: Vec<String>,
}

/// What a run gave up, in order: from nothing to what no strategy should give up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Cost {
    Nothing,
    Time,
    Sends,
    Rejections,
    Deadlines,
    Messages,
    /// Errors, losses, or unknown outcomes. No reader should accept these in exchange for something else.
    Broken,
}

/// A run that can be chosen.
struct Candidate<'a> {
    name: &'a str,
    run: &'a Run,
    done: u64,
    cost: Cost,
}

/// The advice on which of these runs to choose, each with its name; `None` if there are fewer than two.
pub fn choose(runs: &[(&str, &Run)]) -> Option<Choice> {
    if runs.len() < 2 {
        return None;
    }
    let mut notes: Vec<String> = Vec::new();
    let mut candidates = Vec::new();
    for (name, run) in runs {
        match usable(run) {
            Ok(done) => candidates.push(Candidate {
                name,
                run,
                done,
                cost: Cost::Nothing,
            }),
            Err(why) => notes.push(format!("Nothing follows for {name}: {why}.")),
        }
    }
    let no_choice = |advice: &str, notes| {
        Some(Choice {
            result: None,
            advice: advice.to_owned(),
            options: Vec::new(),
            notes,
        })
    };
    if candidates.len() < 2 {
        return no_choice("No choice follows from these figures.", notes);
    }
    let scheduled = candidates[0].run.ledger.intended;
    if candidates.iter().any(|one| one.run.ledger.intended != scheduled) {
        return no_choice(
            "No choice follows from these figures, because the number of scheduled requests is not the same in all rows.",
            notes,
        );
    }
    price(&mut candidates);
    candidates.retain(|one| {
        let broken = one.cost == Cost::Broken;
        if broken {
            let not_done = not_done(one.run).unwrap_or_default();
            notes.push(format!("Look into {} before you choose it. {not_done}", one.name));
        }
        !broken
    });
    if candidates.len() < 2 {
        return no_choice("No choice follows from these figures.", notes);
    }
    // The least costly first, then the most done, then the fastest.
    candidates.sort_by(|one, other| {
        let by_time = longest(one.run).total_cmp(&longest(other.run));
        one.cost.cmp(&other.cost).then(other.done.cmp(&one.done)).then(by_time)
    });
    let (best, others): (Vec<&Candidate<'_>>, Vec<_>) = candidates.iter().partition(|one| one.cost == Cost::Nothing);
    let advice = advise(&best, &others, candidates.len() == runs.len());
    notes.splice(0..0, besides(&candidates));
    Some(Choice {
        result: with_result(&candidates),
        advice,
        options: options(&others),
        notes,
    })
}

/// The number of requests of a run that were done, or the reason why the run cannot be compared.
fn usable(run: &Run) -> Result<u64, &'static str> {
    if run.ledger.intended == 0 {
        return Err("no requests were sent");
    }
    if run.verdict.client_limited {
        return Err("its figures describe the load client, not the service");
    }
    if !run.ledger.balances() || run.audit.is_some_and(|audit| !audit.balances()) {
        return Err("its counts do not add up");
    }
    done(run).ok_or("it is not known what became of its messages")
}

/// The longest time to done, in seconds.
fn longest(run: &Run) -> f64 {
    run.time_to_done_seconds.map_or(f64::INFINITY, |times| times.max)
}

/// Sets what each run gave up.
fn price(candidates: &mut [Candidate<'_>]) {
    let complete = |one: &Candidate<'_>| one.done >= one.run.ledger.intended;
    let fastest = candidates
        .iter()
        .filter(|one| complete(one))
        .map(|one| longest(one.run))
        .fold(f64::INFINITY, f64::min);
    for one in candidates {
        one.cost = if !complete(one) {
            largest(one.run)
        } else if is_late(one.run, fastest) {
            Cost::Time
        } else {
            Cost::Nothing
        };
    }
}

/// Whether a run that processed every request was slow: it missed its SLO, left a backlog, or took much longer than the fastest.
fn is_late(run: &Run, fastest: f64) -> bool {
    let missed = in_time(run).is_some_and(|share| share < ALL);
    missed || backlog(run).is_some() || longest(run) > MUCH_SLOWER * fastest
}

/// The cost of the requests that were not done: that of the largest group.
fn largest(run: &Run) -> Cost {
    let mut sums = [
        (Cost::Broken, 0),
        (Cost::Messages, 0),
        (Cost::Deadlines, 0),
        (Cost::Rejections, 0),
        (Cost::Sends, 0),
    ];
    for (head, count) in occurred(run) {
        let cost = match head {
            "done" => continue,
            "dropped" | "discarded" => Cost::Messages,
            "expired" => Cost::Deadlines,
            "rejected" => Cost::Rejections,
            "withheld" | "throttled" => Cost::Sends,
            _ => Cost::Broken,
        };
        for (_, sum) in sums.iter_mut().filter(|(known, _)| *known == cost) {
            *sum += count;
        }
    }
    // If several groups are equally large, the worst.
    let largest = sums.iter().rev().max_by_key(|(_, sum)| *sum);
    largest.map_or(Cost::Broken, |(cost, _)| *cost)
}

/// The advice, if there are at least two candidates. `all`: every run is a candidate.
fn advise(best: &[&Candidate<'_>], others: &[&Candidate<'_>], all: bool) -> String {
    let slowest = best
        .iter()
        .max_by(|one, other| longest(one.run).total_cmp(&longest(other.run)));
    let took = slowest.and_then(|one| slowest_of(one.run));
    let took = took.map_or_else(String::new, |time| format!(", and the slowest took {time}"));
    let named = |candidates: &[&Candidate<'_>], joined_by| {
        let names: Vec<&str> = candidates.iter().map(|one| one.name).collect();
        listed(&names, joined_by)
    };
    if best.is_empty() {
        let them = if all { "them".to_owned() } else { named(others, "and") };
        return format!("Each of {them} gave something up. The choice depends on what you can accept:");
    }
    if others.is_empty() {
        let them = if all {
            "All of them".to_owned()
        } else {
            named(best, "and")
        };
        return format!("{them} processed every request{took}. This load does not tell them apart.");
    }
    let it = if best.len() == 1 { "it" } else { "they" };
    let capacity = more_capacity(best, others);
    let if_you_can = if capacity.is_some() { " if you can" } else { "" };
    format!(
        "Choose {}{if_you_can}: {it} processed every request{took}.{} Otherwise the choice depends on what you can accept:",
        named(best, "or"),
        capacity.unwrap_or_default(),
    )
}

/// Says that the best have more capacity than the others; `None` if they do not, or if a capacity is not known.
fn more_capacity(best: &[&Candidate<'_>], others: &[&Candidate<'_>]) -> Option<String> {
    let of = |candidates: &[&Candidate<'_>]| -> Option<Vec<f64>> {
        let each = candidates.iter();
        each.map(|one| one.run.configuration.as_ref()?.capacity?.per_second())
            .collect()
    };
    let (best, others) = (of(best)?, of(others)?);
    let least = best.iter().copied().reduce(f64::min)?;
    let most = others.iter().copied().reduce(f64::max)?;
    let (its, at_least) = if best.len() == 1 {
        ("Its capacity is", "")
    } else {
        ("Their capacity is", "at least ")
    };
    let fewest = others.iter().copied().fold(f64::INFINITY, f64::min);
    let have = match others.len() {
        1 => "the other has",
        _ if fewest < most => "the others have at most",
        _ => "the others have",
    };
    (least > most).then(|| {
        format!(
            " {its} {at_least}{} messages per second; {have} {}.",
            plain(least),
            plain(most)
        )
    })
}

/// The things that a reader may accept, in the order of the candidates, and the candidates to choose then.
fn options(others: &[&Candidate<'_>]) -> Vec<(&'static str, String)> {
    let mut options: Vec<(&'static str, String)> = Vec::new();
    for one in others {
        let Some(accept) = accept(one.cost) else { continue };
        let said = format!("{} ({})", one.name, figures(one));
        match options.iter_mut().find(|(known, _)| *known == accept) {
            Some((_, names)) => *names = format!("{names}, or {said}"),
            None => options.push((accept, said)),
        }
    }
    options
}

/// What a reader would have to accept; `None` if the run gave up nothing, or something that no reader should accept.
fn accept(cost: Cost) -> Option<&'static str> {
    match cost {
        Cost::Nothing | Cost::Broken => None,
        Cost::Time => Some("requests that are done late"),
        Cost::Sends => Some("clients that slow down"),
        Cost::Rejections => Some("callers that are rejected"),
        Cost::Deadlines => Some("requests that miss their deadline"),
        Cost::Messages => Some("accepted messages that are never processed"),
    }
}

/// The shares of requests that a run gave up, and the longest time of the requests that were done.
fn figures(one: &Candidate<'_>) -> String {
    let slowest = slowest_of(one.run);
    if one.cost == Cost::Time {
        let growing = if grows(one.run) {
            "; the longer the load lasts, the longer they wait"
        } else {
            ""
        };
        return slowest.map_or_else(
            || format!("every request was processed{growing}"),
            |time| format!("every request was processed, the slowest after {time}{growing}"),
        );
    }
    let mut parts: Vec<String> = Vec::new();
    for (head, count) in occurred(one.run).into_iter().filter(|(head, _)| *head != "done") {
        parts.push(format!(
            "{} {head}",
            percent(count as f64 / one.run.ledger.intended as f64)
        ));
    }
    if let Some(time) = slowest.filter(|_| one.done > 0) {
        parts.push(format!("the slowest that was done took {time}"));
    }
    parts.join(", ")
}

/// Further notes: rules that did not pass, and whether callers need Process.
fn besides(candidates: &[Candidate<'_>]) -> Vec<String> {
    let mut notes = Vec::new();
    let failed = candidates
        .iter()
        .filter(|one| one.run.gates.iter().any(GateReport::fails));
    let failed: Vec<&str> = failed.map(|one| one.name).collect();
    if !failed.is_empty() {
        notes.push(format!("Not all rules passed for {}.", listed(&failed, "and")));
    }
    notes
}

/// Which runs a caller can choose that needs the result; `None` where the RPC decides nothing.
fn with_result(candidates: &[Candidate<'_>]) -> Option<String> {
    let answering = candidates.iter().filter(|one| one.run.rpc == Rpc::Process.label());
    let names: Vec<&str> = answering.map(|one| one.name).collect();
    let queued = candidates.iter().any(|one| one.run.is_queued());
    (queued && !names.is_empty()).then(|| {
        format!(
            "A caller that needs the result needs Process: {}. The answer of Enqueue only says that the message was accepted.",
            listed(&names, "or")
        )
    })
}
