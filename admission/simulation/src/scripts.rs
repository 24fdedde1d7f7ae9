//! Scripts that tell a good overload control from a bad one. Each is a scenario with one figure and a bound on it.
//!
//! Unless a script says otherwise, it has 16 workers, exponential service times, an SLO of 5 service times that is also the
//! deadline of the requests, and work that stops at the deadline. A minute is 3000 service times of 20 ms.

use tower_admission::line::Class;

use crate::{
    many,
    policy::{Policy, Told},
    record::{Fate, Record},
    scenario::{Late, Phase, Scenario, Times},
    table::Table,
    world,
};

/// The number of workers.
pub(crate) const WORKERS: u32 = 16;
/// The capacity: how many requests the workers can process in one service time.
pub(crate) const CAPACITY: f64 = 16.0;
/// The number of service times in a minute.
pub(crate) const MINUTE: f64 = 3000.0;
/// The bounds of the fixed lines that are tried; the best of these lines is the reference.
const PLACES: [usize; 10] = [0, 2, 4, 8, 12, 16, 24, 32, 48, 64];

/// The bound of a figure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Bound {
    /// The figure must be at least this.
    AtLeast(f64),
    /// The figure must be at most this.
    AtMost(f64),
}

impl Bound {
    /// Whether `figure` is within the bound.
    pub fn holds(self, figure: f64) -> bool {
        match self {
            Self::AtLeast(least) => figure >= least,
            Self::AtMost(most) => figure <= most,
        }
    }
}

/// A scenario for which it is known what a good policy does, with a figure that shows whether a policy does it.
#[derive(Debug, Clone, Copy)]
pub struct Script {
    /// The heading of the script's column in the table.
    pub letter: &'static str,
    /// A text on what happens in the scenario and what the figure is.
    pub about: &'static str,
    /// The bound of the figure.
    pub bound: Bound,
    /// Simulates a policy and returns its figure.
    pub figure: fn(&Policy) -> f64,
}

/// The scripts, in the order of their columns; [`BIMODAL`] comes after them.
pub const SCRIPTS: [Script; 14] = [
    Script {
        letter: "a",
        about: "The load steps from 0.5 to 1.4 times the capacity. Goodput from 20 service times after the step, over the capacity",
        bound: Bound::AtLeast(0.93),
        figure: |policy| {
            seeds(|seed| play(policy, &base(&[(500.0, 0.5), (500.0, 1.4)], seed)).goodput(520.0, 1000.0) / CAPACITY)
        },
    },
    Script {
        letter: "a'",
        about: "A spike of 10 times the capacity for 5 s. Service times until the requests that then arrive wait as short as before",
        bound: Bound::AtMost(2.0),
        figure: |policy| {
            seeds(|seed| settles(&play(policy, &base(&[(500.0, 0.5), (250.0, 10.0), (500.0, 0.5)], seed))))
        },
    },
    Script {
        letter: "b",
        about: "10 minutes at 1.25 times the capacity. The limit in the last minute over that in the second",
        bound: Bound::AtMost(1.5),
        figure: |policy| {
            let record = play(policy, &base(&[(10.0 * MINUTE, 1.25)], 1));
            record.mean_limit(9.0 * MINUTE, 10.0 * MINUTE) / record.mean_limit(MINUTE, 2.0 * MINUTE)
        },
    },
    Script {
        letter: "c",
        about: "An hour at 1.5 times the capacity. The limit in the last ten minutes over the number of workers",
        bound: Bound::AtMost(2.5),
        figure: |policy| {
            let record = play(policy, &base(&[(60.0 * MINUTE, 1.5)], 1));
            record.mean_limit(50.0 * MINUTE, 60.0 * MINUTE) / CAPACITY
        },
    },
    Script {
        letter: "d",
        about: "Half of the workers are away for a minute, at 1.5 times the capacity. The lower goodput of that minute and the next, \
                over the capacity of the moment",
        bound: Bound::AtLeast(0.93),
        figure: |policy| {
            let away = Phase::new(MINUTE, 1.5, WORKERS / 2);
            let record = play(
                policy,
                &with(
                    vec![Phase::new(500.0, 1.5, WORKERS), away, Phase::new(MINUTE, 1.5, WORKERS)],
                    1,
                ),
            );
            let during = record.goodput(500.0, 500.0 + MINUTE) / CAPACITY * 2.0;
            during.min(record.goodput(500.0 + MINUTE, 500.0 + 2.0 * MINUTE) / CAPACITY)
        },
    },
    Script {
        letter: "e",
        about: "Every request times out for a minute. Goodput in the next 20 s, over the capacity; 0 if the limit rose meanwhile",
        bound: Bound::AtLeast(0.9),
        figure: |policy| {
            let stuck = Phase {
                slowness: 1e6,
                ..Phase::new(MINUTE, 1.5, WORKERS)
            };
            let record = play(policy, &with(vec![stuck, Phase::new(1000.0, 1.5, WORKERS)], 1));
            let rose = record.between(MINUTE - 1.0, MINUTE)[0].limit > record.between(0.0, 1.0)[0].limit;
            if rose {
                0.0
            } else {
                record.goodput(MINUTE, MINUTE + 1000.0) / CAPACITY
            }
        },
    },
    Script {
        letter: "f",
        about: "A resource without a limit, for 10 minutes. The limit over the most requests in flight",
        bound: Bound::AtMost(5.0),
        figure: |policy| {
            let record = play(policy, &with(vec![Phase::new(10.0 * MINUTE, 1.0, 1_000_000)], 1));
            let most = record.buckets.iter().map(|bucket| bucket.in_flight).max().unwrap_or(1);
            f64::from(record.buckets.last().map_or(0, |bucket| bucket.limit)) / f64::from(most)
        },
    },
    Script {
        letter: "g",
        about: "10 minutes at a tenth of the capacity. The limit after them over that before",
        bound: Bound::AtMost(1.25),
        figure: |policy| {
            let record = play(policy, &base(&[(MINUTE, 2.0), (10.0 * MINUTE, 0.1)], 1));
            f64::from(record.buckets.last().map_or(0, |bucket| bucket.limit)) / record.mean_limit(0.5 * MINUTE, MINUTE)
        },
    },
    Script {
        letter: "h",
        about: "5 minutes at 0.7 times the capacity. The share of requests without a good answer, less that of the best fixed line",
        bound: Bound::AtMost(0.01),
        figure: |policy| lost_more(policy, &base(&[(5.0 * MINUTE, 0.7)], 1)),
    },
    Script {
        letter: "i",
        about: "Half of the requests fail in a millisecond, for a minute. The limit then over that before",
        bound: Bound::AtMost(1.5),
        figure: |policy| {
            let failing = Phase {
                failing: 0.5,
                ..Phase::new(MINUTE, 2.0, WORKERS)
            };
            let record = play(policy, &with(vec![Phase::new(MINUTE, 2.0, WORKERS), failing], 1));
            record.mean_limit(1.7 * MINUTE, 2.0 * MINUTE) / record.mean_limit(0.7 * MINUTE, MINUTE)
        },
    },
    Script {
        letter: "k",
        about: "One worker, constant service times, twice the capacity. Goodput less that of the best fixed line, over the capacity",
        bound: Bound::AtLeast(-0.02),
        figure: |policy| {
            let scenario = Scenario {
                workers: 1,
                times: Times::Constant,
                ..with(vec![Phase::new(2.0 * MINUTE, 2.0, 1)], 1)
            };
            let good = |policy: &Policy| world::run(&scenario, policy).goodput(500.0, 2.0 * MINUTE);
            good(policy) - best(good)
        },
    },
    Script {
        letter: "k'",
        about: "0.9 times the capacity. The share of requests without a good answer, less that of the best fixed line",
        bound: Bound::AtMost(0.04),
        figure: |policy| lost_more(policy, &base(&[(2.0 * MINUTE, 0.9)], 1)),
    },
    Script {
        letter: "l",
        about: "Two classes at twice the capacity, constant service times; a fifth of the load is urgent. The share of urgent \
                requests with a good answer",
        bound: Bound::AtLeast(0.99),
        figure: |policy| {
            let class = |urgency| Class::new(urgency).expect("at most 7");
            let mut scenario = base(&[(MINUTE, 2.0)], 1);
            scenario.times = Times::Constant;
            scenario.classes = vec![(class(0), 0.2), (class(3), 0.8)];
            let (asked, good) = play(
                &Policy {
                    classes: true,
                    ..*policy
                },
                &scenario,
            )
            .classes[0];
            good as f64 / asked as f64
        },
    },
    Script {
        letter: "o",
        about: "A start at 10 times the capacity. The most requests in flight in the first second, over the limit at the start",
        bound: Bound::AtMost(1.5),
        figure: |policy| {
            let record = play(policy, &base(&[(50.0, 10.0)], 1));
            let most = record
                .buckets
                .iter()
                .map(|bucket| bucket.most_in_flight)
                .max()
                .unwrap_or(0);
            let start = match policy.told {
                Told::Workers => WORKERS,
                Told::Start(start) => start,
            };
            f64::from(most) / f64::from(start)
        },
    },
];

/// The script in which one request in 20 takes 20 times as long. It is not in [`SCRIPTS`] because it has another SLO.
pub const BIMODAL: Script = Script {
    letter: "p",
    about: "One request in 20 takes 20 times as long as the others, at 0.9 times the capacity, SLO 15. The share of requests without a \
            good answer, less that of the best fixed line",
    bound: Bound::AtMost(0.02),
    figure: |policy| {
        let scenario = Scenario {
            times: Times::Bimodal,
            slo: 15.0,
            ..base(&[(5.0 * MINUTE, 0.9)], 1)
        };
        lost_more(policy, &scenario)
    },
};

pub(crate) fn with(phases: Vec<Phase>, seed: u64) -> Scenario {
    Scenario {
        workers: WORKERS,
        times: Times::Exponential,
        slo: 5.0,
        deadlines: true,
        late: Late::Stops,
        classes: Vec::new(),
        phases,
        seed,
    }
}

/// A scenario with the given phases, each a length and a load.
fn base(phases: &[(f64, f64)], seed: u64) -> Scenario {
    let phases = phases.iter().map(|&(lasts, load)| Phase::new(lasts, load, WORKERS));
    with(phases.collect(), seed)
}

fn play(policy: &Policy, scenario: &Scenario) -> Record {
    world::run(scenario, policy)
}

/// The mean of `figure` over five seeds.
fn seeds(figure: impl Fn(u64) -> f64) -> f64 {
    (1..=5).map(figure).sum::<f64>() / 5.0
}

/// How many service times after the end of a spike (at 750) the mean wait is again at most a twentieth of a service time
/// above the wait before the spike.
fn settles(record: &Record) -> f64 {
    let (calm, end) = (record.mean_wait(250.0, 500.0), 750);
    let still = (0..500).find(|after| {
        let at = f64::from(end + after);
        record.mean_wait(at, at + 1.0) <= calm + 0.05 * crate::scenario::SERVICE.as_secs_f64()
    });
    f64::from(still.unwrap_or(500))
}

/// The share of requests that are not answered within the SLO, minus that of the best fixed line.
fn lost_more(policy: &Policy, scenario: &Scenario) -> f64 {
    let length = scenario.length();
    let lost = |policy: &Policy| {
        let record = world::run(scenario, policy);
        record.count(Fate::Good, 500.0, length) / record.arrived(500.0, length)
    };
    best(lost) - lost(policy)
}

fn best(figure: impl Fn(&Policy) -> f64) -> f64 {
    let fixed = PLACES.map(|places| {
        figure(&Policy {
            places: Some(places),
            ..Policy::line("fifo")
        })
    });
    fixed.into_iter().fold(f64::MIN, f64::max)
}

/// The policies of the table: every line with a limit that knows the workers, and every limit that searches, starting at 20.
pub fn policies() -> Vec<Policy> {
    let limits = ["auto", "aimd", "vegas", "gradient2"].map(|limit| Policy::limit(limit, 20));
    crate::regret::lines().into_iter().chain(limits).collect()
}

/// Runs every script with every policy. Returns the table, in which figures out of bound are bold, and for each policy the
/// scripts that it fails.
pub fn table(policies: &[Policy]) -> (Table, Vec<Vec<&'static str>>) {
    let scripts: Vec<Script> = SCRIPTS.into_iter().chain([BIMODAL]).collect();
    let figures = many::map(policies, |policy| {
        scripts
            .iter()
            .map(|script| (script.figure)(policy))
            .collect::<Vec<f64>>()
    });
    let letters = scripts.iter().map(|script| script.letter);
    let mut table = Table::new(std::iter::once("limit · line").chain(letters));
    let mut failures = Vec::new();
    for (policy, figures) in policies.iter().zip(figures) {
        let mut cells = vec![policy.name()];
        let mut failed = Vec::new();
        for (script, figure) in scripts.iter().zip(figures) {
            let holds = script.bound.holds(figure);
            cells.push(if holds {
                format!("{figure:.2}")
            } else {
                format!("**{figure:.2}**")
            });
            if !holds {
                failed.push(script.letter);
            }
        }
        table.row(cells);
        failures.push(failed);
    }
    (table, failures)
}

/// A table with the text and the bound of each script.
pub fn legend() -> Table {
    let mut table = Table::new(["script", "what happens, and the figure", "bound"]);
    for script in SCRIPTS.iter().chain([&BIMODAL]) {
        let bound = match script.bound {
            Bound::AtLeast(least) => format!("≥ {least}"),
            Bound::AtMost(most) => format!("≤ {most}"),
        };
        table.row([script.letter.to_owned(), script.about.to_owned(), bound]);
    }
    table
}
