//! Simulations of limits that search (the capacity is unknown or changes), and of classes.

use std::time::Duration;

use tower_admission::line::Class;

use crate::{
    many,
    policy::Policy,
    record::Record,
    scenario::{Phase, SERVICE, Scenario, Times},
    scripts::{CAPACITY, MINUTE, WORKERS, with},
    table::{Table, percent},
    world,
};

/// The distributions of service times in the tables.
const TIMES: [Times; 3] = [Times::Constant, Times::Exponential, Times::Lognormal];
/// How many simulations each figure is the mean of.
const SEEDS: u64 = 8;
/// The names of the limits that search.
const SEARCHES: [&str; 4] = ["auto", "aimd", "vegas", "gradient2"];

fn scenario(times: Times, phases: Vec<Phase>, seed: u64) -> Scenario {
    Scenario {
        times,
        slo: 10.0,
        ..with(phases, seed)
    }
}

fn records(times: Times, phases: &[Phase], policy: &Policy, seeds: u64) -> Vec<Record> {
    let run = |seed| world::run(&scenario(times, phases.to_vec(), seed), policy);
    (1..=seeds).map(run).collect()
}

/// The mean goodput of `records` between two times, per service time.
fn goodput(records: &[Record], from: f64, to: f64) -> f64 {
    records.iter().map(|record| record.goodput(from, to)).sum::<f64>() / records.len() as f64
}

/// The goodput in the second minute at twice the capacity, as a share of that of the best fixed limit. The limit starts at
/// 1000. The result is a mean over `seeds` simulations.
pub fn unknown(limit: &'static str, times: Times, seeds: u64) -> f64 {
    let phases = [Phase::new(2.0 * MINUTE, 2.0, WORKERS)];
    let second = |policy: &Policy| goodput(&records(times, &phases, policy, seeds), MINUTE, 2.0 * MINUTE);
    let fixed = [12, 14, 16, 18, 20, 24, 32].map(|limit| second(&Policy::limit("fixed", limit)));
    second(&Policy::limit(limit, 1000)) / fixed.into_iter().fold(f64::MIN_POSITIVE, f64::max)
}

/// The mean limit in the last ten minutes of an hour at 1.2 times the capacity, as a multiple of the number of workers. The
/// limit starts at 20.
pub fn creep(limit: &'static str, times: Times) -> f64 {
    let record = world::run(
        &scenario(times, vec![Phase::new(60.0 * MINUTE, 1.2, WORKERS)], 1),
        &Policy::limit(limit, 20),
    );
    record.mean_limit(50.0 * MINUTE, 60.0 * MINUTE) / CAPACITY
}

/// The goodput, as a share of the capacity, in the first second after a minute without traffic. Before and after the pause
/// the load is twice the capacity. The result is a mean over `seeds` simulations.
pub fn pause(limit: &'static str, times: Times, seeds: u64) -> f64 {
    let phases = [(MINUTE, 2.0), (MINUTE, 1e-4), (50.0, 2.0)].map(|(lasts, load)| Phase::new(lasts, load, WORKERS));
    let records = records(times, &phases, &Policy::limit(limit, 20), seeds);
    goodput(&records, 2.0 * MINUTE, 2.0 * MINUTE + 50.0) / CAPACITY
}

/// The goodput after a change of the capacity.
#[derive(Debug, Clone, Copy)]
pub struct Change {
    /// How many service times after the change the goodput over the next ten is at least 95 % of the new capacity; infinite if it
    /// never is.
    pub back: f64,
    /// The mean goodput until the next change, as a share of the new capacity.
    pub mean: f64,
}

/// Halves the capacity and restores it, and returns the goodput after either change. The capacity is whole, halved and whole
/// again for 600 service times each, at a load of 1.5 times the whole capacity. It is halved by doubling the service times
/// if `slower`, otherwise by removing half of the workers.
pub fn change(limit: &'static str, times: Times, slower: bool, seeds: u64) -> [Change; 2] {
    let whole = Phase::new(600.0, 1.5, WORKERS);
    let half = if slower {
        Phase { slowness: 2.0, ..whole }
    } else {
        Phase::new(600.0, 1.5, WORKERS / 2)
    };
    let records = records(times, &[whole, half, whole], &Policy::limit(limit, 20), seeds);
    [(600.0, CAPACITY / 2.0), (1200.0, CAPACITY)].map(|(from, capacity)| {
        let enough = |after: &f64| goodput(&records, from + after, from + after + 10.0) >= 0.95 * capacity;
        Change {
            back: (0..590).map(f64::from).find(enough).unwrap_or(f64::INFINITY),
            mean: goodput(&records, from, from + 600.0) / capacity,
        }
    })
}

/// A table of all figures above: a row for each limit that searches and each distribution.
pub fn table() -> Table {
    let mut rows = Vec::new();
    for limit in SEARCHES {
        rows.extend(TIMES.map(|times| (limit, times)));
    }
    let cells = many::map(&rows, |&(limit, times)| {
        let mut cells = vec![
            format!("{limit} · {}", times.name()),
            percent(unknown(limit, times, SEEDS), 1),
            format!("{:.2}", creep(limit, times)),
            percent(pause(limit, times, SEEDS), 1),
        ];
        for slower in [false, true] {
            for change in change(limit, times, slower, SEEDS) {
                let back = if change.back.is_finite() {
                    change.back.to_string()
                } else {
                    "never".to_owned()
                };
                cells.push(format!("{back} · {}", percent(change.mean, 1)));
            }
        }
        cells
    });
    let mut table = Table::new([
        "limit · service times",
        "unknown",
        "after an hour",
        "after a pause",
        "half of the workers",
        "all again",
        "twice as slow",
        "as fast again",
    ]);
    for row in cells {
        table.row(row);
    }
    table
}

/// Figures of a simulation with classes, at ten times the capacity. A twentieth of the requests are of class 0, which is half
/// of the capacity.
#[derive(Debug, Clone, Copy)]
pub struct Classes {
    /// The share of the requests of class 0 that is answered within the SLO of ten service times.
    pub urgent: f64,
    /// The 99th percentile of the response times of good answers of class 0, in service times.
    pub p99: f64,
    /// The goodput of all classes, as a share of the capacity.
    pub goodput: f64,
}

/// Simulates `policy` with classes, for one minute.
pub fn classes(policy: &Policy, times: Times) -> Classes {
    let class = |urgency| Class::new(urgency).expect("at most 7");
    let scenario = Scenario {
        classes: vec![(class(0), 0.05), (class(3), 0.95)],
        ..scenario(times, vec![Phase::new(MINUTE, 10.0, WORKERS)], 1)
    };
    let mut record = world::run(
        &scenario,
        &Policy {
            classes: true,
            ..*policy
        },
    );
    let (asked, good) = record.classes[0];
    record.urgent.sort_unstable();
    let p99 = record.urgent.get(record.urgent.len() * 99 / 100).copied();
    Classes {
        urgent: good as f64 / asked as f64,
        p99: p99.unwrap_or(Duration::MAX).as_secs_f64() / SERVICE.as_secs_f64(),
        goodput: record.goodput(100.0, MINUTE) / CAPACITY,
    }
}

/// A table of the figures of [`classes`].
pub fn classes_table() -> Table {
    let mut table = Table::new([
        "line · service times",
        "class 0 answered",
        "its p99, in service times",
        "goodput of all",
    ]);
    for policy in crate::regret::lines() {
        for times in TIMES {
            let classes = classes(&policy, times);
            table.row([
                format!("{} · {}", policy.line, times.name()),
                percent(classes.urgent, 2),
                format!("{:.2}", classes.p99),
                percent(classes.goodput, 1),
            ]);
        }
    }
    table
}
