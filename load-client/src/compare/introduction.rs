//! The text before the tables: the load, the service, the strategies.

use std::{fmt::Write, time::Duration};

use super::scenarios::{real_scenario, virtual_scenario};
use crate::{
    lab::{Event, Strategy},
    present::{
        grid::{Column, Grid, Kind},
        layout::{Layout, wrap},
        words::counted,
    },
    scenario::{Scenario, Schedule, Stage},
    units::time,
};

/// The load, the service and the strategies, in a few lines.
pub fn introduction(strategies: &[Strategy], virtual_time: bool, layout: Layout) -> String {
    let Some(first) = strategies.first() else {
        return String::new();
    };
    let scenario = if virtual_time {
        virtual_scenario(&first.load, &first.schedule, first.rpc, true)
    } else {
        real_scenario(&first.load, &first.schedule, first.rpc)
    };
    let mut text = String::new();
    for sentence in [Some(load(&scenario)), service(strategies), events(strategies)]
        .into_iter()
        .flatten()
    {
        let lines = wrap(&sentence, layout.sentence(0));
        text.extend(lines.into_iter().map(|line| line + "\n"));
    }
    text.push('\n');
    let names = strategies.iter().map(|strategy| strategy.name.clone());
    let abouts = strategies.iter().map(|strategy| strategy.about.clone());
    let table = Grid::new(vec![
        Column::new(Kind::Name, "", names.collect()),
        Column::new(Kind::Words, "", abouts.collect()),
    ]);
    text.push_str(&table.text(layout.width));
    let clock = if virtual_time { "virtual" } else { "real" };
    let _ = write!(text, "\n{}", length(&scenario, clock));
    if !virtual_time {
        text.push_str(" Then the services process what is left.");
    }
    text.push('\n');
    text
}

/// What the second table is.
pub fn virtual_introduction(strategies: &[Strategy]) -> String {
    let Some(first) = strategies.first() else {
        return String::new();
    };
    let scenario = virtual_scenario(&first.load, &first.schedule, first.rpc, false);
    format!(
        "The same in virtual time: the same code, on a clock that jumps to the next event. {}\n",
        length(&scenario, "virtual")
    )
}

fn load(scenario: &Scenario) -> String {
    let clients = counted(u64::from(scenario.clients), "client");
    let verb = |word: &str| {
        if scenario.clients == 1 {
            format!("{word}s")
        } else {
            word.to_owned()
        }
    };
    let send = verb("send");
    match &scenario.schedule {
        Schedule::Rate { rps, .. } if scenario.clients == 1 => format!("{clients} {send} {}.", per_second(*rps)),
        Schedule::Rate { rps, .. } => {
            let each = rps / f64::from(scenario.clients);
            format!("{clients} {send} {}, {each} each.", per_second(*rps))
        }
        Schedule::Stages { stages, repeat, .. } => {
            let again = if *repeat { ", again and again" } else { "" };
            match stages.iter().as_slice() {
                [one] => format!("{clients} {send} {}{again}.", stage(one)),
                many => {
                    let many: Vec<String> = many.iter().map(stage).collect();
                    format!("{clients} {send} {}{again}.", many.join(", then "))
                }
            }
        }
        Schedule::Trace(rows) => {
            let requests = counted(rows.len() as u64, "request");
            format!("{clients} {} a trace of {requests}.", verb("replay"))
        }
        Schedule::AsFastAsPossible => format!("{clients} {send} as fast as the answers come."),
    }
}

fn stage(stage: &Stage) -> String {
    let length = time(stage.length.as_secs_f64());
    if (stage.end_rps - stage.rps).abs() < f64::EPSILON {
        format!("{} for {length}", per_second(stage.rps))
    } else {
        format!("from {} to {} over {length}", stage.rps, per_second(stage.end_rps))
    }
}

fn per_second(rps: f64) -> String {
    if (rps - 1.0).abs() < f64::EPSILON {
        "1 request per second".to_owned()
    } else {
        format!("{rps} requests per second")
    }
}

/// What the services can do. The first has the word; those that can do more or less are named.
fn service(strategies: &[Strategy]) -> Option<String> {
    let (first, others) = strategies.split_first()?;
    let capacity = |strategy: &Strategy| {
        let settings = &strategy.settings;
        f64::from(settings.workers) / settings.service_time.as_secs_f64()
    };
    let workers = |strategy: &Strategy| counted(u64::from(strategy.settings.workers), "worker");
    let takes = if first.settings.workers == 1 { "takes" } else { "take" };
    if first.settings.service_time.is_zero() {
        return Some(format!(
            "The service has {} that {takes} no time for a message.",
            workers(first)
        ));
    }
    let mut text = format!(
        "The service has {} that {takes} {} per message, so its capacity is {} messages per second.",
        workers(first),
        time(first.settings.service_time.as_secs_f64()),
        capacity(first),
    );
    for other in others {
        if (capacity(other) - capacity(first)).abs() > f64::EPSILON {
            let _ = write!(
                text,
                " With {} there are {}, and the capacity is {} per second.",
                other.name,
                workers(other),
                capacity(other)
            );
        }
    }
    Some(text)
}

/// What changes while the load runs, each with the strategies that it changes, where it does not change all.
fn events(strategies: &[Strategy]) -> Option<String> {
    let mut events: Vec<(&Event, Vec<&str>)> = Vec::new();
    for strategy in strategies {
        for event in &strategy.events {
            match events.iter_mut().find(|(known, _)| *known == event) {
                Some((_, names)) => names.push(&strategy.name),
                None => events.push((event, vec![&strategy.name])),
            }
        }
    }
    events.sort_by_key(|(event, _)| event.at);
    let sentence = |(event, names): &(&Event, Vec<&str>)| {
        let at = time(event.at.as_secs_f64());
        let whose = if names.len() == strategies.len() {
            String::new()
        } else {
            format!(" ({})", names.join(", "))
        };
        format!("After {at} there is a change{whose}: {}.", event.says)
    };
    let sentences: Vec<String> = events.iter().map(sentence).collect();
    (!sentences.is_empty()).then(|| sentences.join(" "))
}

fn length(scenario: &Scenario, clock: &str) -> String {
    match scenario.length() {
        Some(length) if length > Duration::ZERO => {
            format!("The load lasts {} of {clock} time.", time(length.as_secs_f64()))
        }
        _ => "The load lasts until all requests are sent.".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        cli::{Cli, Command},
        compare::VIRTUAL,
        lab::Lab,
    };
    use clap::Parser;

    /// What is said of a comparison with these flags.
    fn said(flags: &str) -> String {
        let words = ["load-client", "compare", "--virtual-time"].into_iter();
        let cli = Cli::try_parse_from(words.chain(flags.split_whitespace())).unwrap();
        let Command::Compare(args) = cli.command else {
            panic!("it is a comparison");
        };
        let mut lab = Lab::built_in();
        lab.lay_load(args.load.words());
        lab.lay_service(args.service.words()).unwrap();
        lab.keep(&args.strategy).unwrap();
        introduction(&lab.strategies(VIRTUAL).unwrap(), true, Layout { width: 200 })
    }

    /// Its paragraphs, each as one line.
    fn paragraphs(flags: &str) -> Vec<String> {
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        said(flags).split("\n\n").map(words).collect()
    }

    #[test]
    fn the_load_is_told_as_it_is() {
        for (flags, load) in [
            ("", "4 clients send 8 requests per second, 2 each."),
            ("-c 1 -r 1", "1 client sends 1 request per second."),
            ("-c 20 -r 100", "20 clients send 100 requests per second, 5 each."),
            ("--stages 10s:4", "4 clients send 4 requests per second for 10.0 s."),
            (
                "--stages 10s:8,30s:40,20s:1 --repeat",
                "4 clients send 8 requests per second for 10.0 s, then 40 requests per second for 30.0 s, then 1 request per \
                 second for 20.0 s, again and again.",
            ),
            (
                "--stages 10s:100..500",
                "4 clients send from 100 to 500 requests per second over 10.0 s.",
            ),
            ("-r 0", "4 clients send as fast as the answers come."),
            ("-r 0 -c 1", "1 client sends as fast as the answers come."),
        ] {
            let first = paragraphs(flags).swap_remove(0);
            assert_eq!(first.split(" The service has").next(), Some(load), "{flags}");
        }
    }

    #[test]
    fn the_service_and_each_strategy_are_told_by_themselves() {
        assert_eq!(
            paragraphs("-z 10s --strategy async-scaled"),
            [
                "4 clients send 8 requests per second, 2 each. The service has 2 workers that take 0.25 s per message, so its \
                 capacity is 8 messages per second.",
                "async-scaled Enqueue: the answer comes at once, and the message waits in an unlimited queue; the service has twice the \
                 workers",
                "The load lasts 10.0 s of virtual time.",
            ]
        );
        let all = paragraphs("-n 10");
        assert!(
            all[0].ends_with(
                "The service has 1 worker that takes 0.25 s per message, so its capacity is 4 messages per second. With \
                 async-scaled there are 2 workers, and the capacity is 8 per second."
            ),
            "{all:?}"
        );
        for strategy in Lab::built_in().strategies(VIRTUAL).unwrap() {
            assert!(!strategy.about.contains("same"), "{}", strategy.about);
            let rpc = strategy.about.split(':').next().unwrap();
            assert_eq!(rpc.to_lowercase(), strategy.rpc.label());
        }
    }
}
