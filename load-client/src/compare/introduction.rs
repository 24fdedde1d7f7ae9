//! The text before the tables of a comparison: it describes the load, the service and the strategies.

use std::{fmt::Write, time::Duration};

use super::scenarios::{real_scenario, virtual_scenario};
use crate::{
    lab::Strategy,
    present::{
        conditions,
        grid::{Column, Grid, Kind},
        layout::{Layout, wrap},
    },
    report::ConfigurationReport,
    scenario::Scenario,
    units::time,
};

/// Describes the load, the service and the strategies in a few lines; empty without strategies.
pub fn introduction(strategies: &[Strategy], virtual_time: bool, layout: Layout) -> String {
    let Some(first) = strategies.first() else {
        return String::new();
    };
    let scenario = if virtual_time {
        virtual_scenario(&first.load, &first.schedule, first.rpc, true)
    } else {
        real_scenario(&first.load, &first.schedule, first.rpc)
    };
    let made = ConfigurationReport::new(&scenario, 1);
    let capacities: Vec<_> = strategies
        .iter()
        .map(|strategy| (strategy.name.as_str(), strategy.capacity()))
        .collect();
    let events: Vec<_> = strategies
        .iter()
        .map(|strategy| (strategy.name.as_str(), strategy.reported_events()))
        .collect();
    let mut text = String::new();
    for sentence in [
        Some(conditions::load(&made)),
        conditions::capacity(&capacities),
        conditions::changes(&events),
    ]
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

/// Introduces the second table, which has the runs in virtual time; empty without strategies.
pub fn virtual_introduction(strategies: &[Strategy]) -> String {
    let Some(first) = strategies.first() else {
        return String::new();
    };
    let scenario = virtual_scenario(&first.load, &first.schedule, first.rpc, false);
    format!(
        "Now the same strategies in virtual time: the same code, on a clock that jumps to the next event. {}\n",
        length(&scenario, "virtual")
    )
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

    /// The introduction of a comparison with these flags.
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

    /// The paragraphs of that introduction, each as one line.
    fn paragraphs(flags: &str) -> Vec<String> {
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        said(flags).split("\n\n").map(words).collect()
    }

    #[test]
    fn the_load_is_told_as_it_is() {
        for (flags, load) in [
            ("", "4 clients want to send 8 requests per second, 2 each."),
            ("-c 1 -r 1", "1 client wants to send 1 request per second."),
            (
                "-c 20 -r 100",
                "20 clients want to send 100 requests per second, 5 each.",
            ),
            (
                "--stages 10s:4",
                "4 clients want to send 4 requests per second for 10.0 s.",
            ),
            (
                "--stages 10s:8,30s:40,20s:1 --repeat",
                "4 clients want to send 8 requests per second for 10.0 s, then 40 requests per second for 30.0 s, then 1 request per \
                 second for 20.0 s, again and again.",
            ),
            (
                "--stages 10s:100..500",
                "4 clients want to send from 100 to 500 requests per second over 10.0 s.",
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
                "4 clients want to send 8 requests per second, 2 each. The service has 2 workers that take 0.25 s per message, so its \
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
