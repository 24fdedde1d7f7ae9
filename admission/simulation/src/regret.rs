//! Regret: the share of goodput that a policy loses against the best fixed line, which is chosen afterwards for each cell of a
//! grid.
//!
//! ```text
//! regret = 1 − goodput(policy) / goodput(best fixed line of 0…128 places)
//! ```
//!
//! The grid has loads of 0.8 to 100 times the capacity, four distributions of the service time, 4 and 16 workers, and SLOs of 5
//! and 10 service times. Arrivals are Poisson. The first tenth of each simulation does not count. The fixed lines and the
//! policies get the same arrivals. The best of many fixed lines also profits from chance, which makes the regrets larger.

use crate::{
    many,
    policy::{Policy, Told},
    scenario::{Late, Phase, Scenario, Times},
    table::{Table, percent},
    world,
};

const LOADS: [f64; 6] = [0.8, 1.0, 1.4, 2.0, 10.0, 100.0];
const TIMES: [Times; 4] = [Times::Constant, Times::Exponential, Times::Lognormal, Times::Pareto];
const WORKERS: [u32; 2] = [4, 16];
const SLOS: [f64; 2] = [5.0, 10.0];

/// The bounds of the fixed lines that are tried. The goodput changes little from one to the next.
const PLACES: [usize; 24] = [
    0, 1, 2, 3, 4, 5, 6, 8, 10, 12, 14, 16, 20, 24, 28, 32, 40, 48, 56, 64, 80, 96, 112, 128,
];

/// The number of requests that the workers can process in one simulation; fewer where far more arrive.
const REQUESTS: f64 = 24_000.0;

/// Whether requests carry a deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deadlines {
    /// Requests carry the SLO as their deadline, at which work stops or goes on.
    OnTheWire(Late),
    /// Requests have no deadline. The line is told the longest useful wait (`target_wait`): the SLO less a service time.
    TargetTold,
    /// Requests have no deadline, and the line is told no longest wait, as on the defaults of foo-service.
    TargetUntold,
}

/// One cell of the grid.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cell {
    workers: u32,
    slo: f64,
    times: Times,
    load: f64,
}

impl Cell {
    fn scenario(self, deadlines: Deadlines, seed: u64) -> Scenario {
        let requests = REQUESTS
            / if self.load > 50.0 {
                6.0
            } else if self.load > 5.0 {
                2.0
            } else {
                1.0
            };
        let length = requests / f64::from(self.workers);
        Scenario {
            workers: self.workers,
            times: self.times,
            slo: self.slo,
            deadlines: matches!(deadlines, Deadlines::OnTheWire(_)),
            late: match deadlines {
                Deadlines::OnTheWire(late) => late,
                Deadlines::TargetTold | Deadlines::TargetUntold => Late::GoesOn,
            },
            classes: Vec::new(),
            phases: vec![Phase::new(length, self.load, self.workers)],
            seed,
        }
    }

    fn goodput(self, deadlines: Deadlines, policy: &Policy, seeds: u64) -> f64 {
        let policy = Policy {
            target_wait: (deadlines == Deadlines::TargetTold).then_some(self.slo - 1.0),
            ..*policy
        };
        let goodput = |seed| {
            let scenario = self.scenario(deadlines, seed);
            let length = scenario.length();
            world::run(&scenario, &policy).goodput(length / 10.0, length)
        };
        (1..=seeds).map(goodput).sum::<f64>() / seeds as f64
    }

    fn name(self) -> String {
        format!(
            "{}× {} · {} workers · SLO {}",
            self.load,
            self.times.name(),
            self.workers,
            self.slo
        )
    }
}

/// All cells of the grid: each combination of workers, SLO, service times and load that is simulated.
pub fn grid() -> Vec<Cell> {
    let mut cells = Vec::new();
    for workers in WORKERS {
        for slo in SLOS {
            for times in TIMES {
                cells.extend(LOADS.map(|load| Cell {
                    workers,
                    slo,
                    times,
                    load,
                }));
            }
        }
    }
    cells
}

/// Every line, with a limit that knows the number of workers.
pub fn lines() -> Vec<Policy> {
    let lines = tower_admission::line::LINES.iter();
    lines.map(|line| Policy::line(line.name)).collect()
}

/// Every limit that searches, starting at 20, combined with every line.
pub fn searching() -> Vec<Policy> {
    let mut policies = Vec::new();
    for limit in ["auto", "aimd", "vegas", "gradient2"] {
        for line in &tower_admission::line::LINES {
            policies.push(Policy {
                limit,
                told: Told::Start(20),
                ..Policy::line(line.name)
            });
        }
    }
    policies
}

/// The regret of each policy in each cell.
#[derive(Debug, Clone)]
pub struct Regrets {
    cells: Vec<(Cell, Vec<f64>)>,
    policies: Vec<Policy>,
}

/// Simulates every cell with each policy, `seeds` times.
pub fn draw(policies: Vec<Policy>, deadlines: Deadlines, seeds: u64) -> Regrets {
    let cells = many::map(&grid(), |&cell| {
        let fixed = |places| Policy {
            places: Some(places),
            ..Policy::line("fifo")
        };
        let best = PLACES
            .map(|places| cell.goodput(deadlines, &fixed(places), seeds))
            .into_iter()
            .fold(f64::MIN_POSITIVE, f64::max);
        let regret = |policy| 1.0 - cell.goodput(deadlines, policy, seeds) / best;
        (cell, policies.iter().map(regret).collect())
    });
    Regrets { cells, policies }
}

impl Regrets {
    /// The worst cell of a policy, and its regret.
    fn worst(&self, policy: usize) -> (f64, Cell) {
        let regrets = self.cells.iter().map(|(cell, regrets)| (regrets[policy], *cell));
        regrets.max_by(|a, b| a.0.total_cmp(&b.0)).expect("the grid has cells")
    }

    fn mean(&self, policy: usize) -> f64 {
        self.cells.iter().map(|(_, regrets)| regrets[policy]).sum::<f64>() / self.cells.len() as f64
    }

    /// A table with the worst cell and the mean regret of each policy, the best policy first.
    pub fn table(&self) -> Table {
        let mut rows: Vec<_> = (0..self.policies.len())
            .map(|policy| (self.worst(policy), policy))
            .collect();
        rows.sort_by(|a, b| a.0.0.total_cmp(&b.0.0));
        let mut table = Table::new(["limit · line", "worst cell", "mean", "the worst cell"]);
        for ((worst, cell), policy) in rows {
            table.row([
                self.policies[policy].name(),
                percent(worst, 2),
                percent(self.mean(policy), 2),
                cell.name(),
            ]);
        }
        table
    }

    /// A table with a row for each policy and cell.
    pub fn cells(&self) -> Table {
        let mut table = Table::new(["policy", "workers", "slo", "service_times", "load", "regret"]);
        for (cell, regrets) in &self.cells {
            for (policy, regret) in self.policies.iter().zip(regrets) {
                table.row([
                    policy.name(),
                    cell.workers.to_string(),
                    cell.slo.to_string(),
                    cell.times.name().to_owned(),
                    cell.load.to_string(),
                    format!("{regret:.4}"),
                ]);
            }
        }
        table
    }

    /// The worst and the mean regret of the policy with this name; `None` if it was not simulated.
    pub fn of(&self, name: &str) -> Option<(f64, f64)> {
        let policy = self.policies.iter().position(|policy| policy.name() == name)?;
        Some((self.worst(policy).0, self.mean(policy)))
    }
}
