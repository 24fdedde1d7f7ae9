//! Compares the simulation of docs/overload.md with the real service and load client in virtual time, in a few of its cells: the
//! same load, service times and policy must give the same goodput.

use std::fs;

use admission_simulation::{
    policy::Policy,
    scenario::{Late, Phase, Scenario, Times},
    world,
};

use crate::support::{assert_balanced, named, report};

/// By how much the two goodputs may differ, as a share of the capacity.
const CLOSE: f64 = 0.015;
/// The mean service time of the real service, in seconds: long compared with the clock's tick of 1 ms.
const SERVICE: f64 = 0.2;

struct Cell {
    workers: u32,
    /// The offered load, as a multiple of the capacity.
    load: f64,
    times: Times,
    /// The SLO, in service times.
    slo: f64,
    policy: Policy,
    /// The same policy, as keys of the lab file's service.
    keys: &'static str,
}

impl Cell {
    /// The goodput of the simulation, as a share of the capacity.
    fn simulated(&self) -> f64 {
        let seeds = 1..=4;
        let good = seeds.map(|seed| {
            let scenario = Scenario {
                workers: self.workers,
                times: self.times,
                slo: self.slo,
                deadlines: true,
                late: Late::Stops,
                classes: Vec::new(),
                phases: vec![Phase::new(10_100.0, self.load, self.workers)],
                seed,
            };
            let record = world::run(&scenario, &self.policy);
            self.over_capacity(
                record.goodput(100.0, 10_100.0),
                record.arrived(100.0, 10_100.0) / 10_000.0,
            )
        });
        good.sum::<f64>() / 4.0
    }

    /// The goodput of the real service, as a share of the capacity. The load is long enough for `done` requests to be processed.
    fn measured(&self, done: f64) -> f64 {
        let capacity = f64::from(self.workers) / SERVICE;
        let seconds = 20.0 + done / capacity / self.load.min(1.0);
        let lab = format!(
            r#"
[load]
clients = 64
max-in-flight = 1000
arrival = "poisson"
rps = {}
warmup = "20s"
duration = "{}s"
slo = "{}ms"
timeout = "{}ms"
[[strategy]]
name = "cell"
mode = "process"
service = {{ workers = {}, service-time = "200ms", service-time-distribution = "{}", {} }}
"#,
            self.load * capacity,
            seconds.round(),
            1000.0 * SERVICE * self.slo,
            1000.0 * SERVICE * self.slo,
            self.workers,
            self.times.name(),
            self.keys
        );
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("cell.toml");
        fs::write(&file, lab).unwrap();
        let (output, report) = report(["compare", file.to_str().unwrap(), "--virtual-time", "-q"]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let run = named(&report, "cell");
        assert_balanced(run);
        let offered = run.load.offered_rps.unwrap();
        self.over_capacity(
            run.goodput_rps.unwrap() / capacity * f64::from(self.workers),
            offered / capacity * f64::from(self.workers),
        )
    }

    /// The goodput as a share of the capacity, from good answers and arrivals per service time. Below the capacity it is computed
    /// from the share of good answers, so the random number of arrivals does not matter.
    fn over_capacity(&self, good: f64, arrived: f64) -> f64 {
        if self.load < 1.0 {
            good / arrived * self.load
        } else {
            good / f64::from(self.workers)
        }
    }

    fn assert_close(&self, done: f64) {
        let (simulated, measured) = (self.simulated(), self.measured(done));
        println!("simulated {simulated:.4}, measured {measured:.4}");
        assert!(
            (simulated - measured).abs() < CLOSE,
            "{} at {} times the capacity: simulated {simulated:.4}, measured {measured:.4}",
            self.policy.name(),
            self.load
        );
    }
}

#[test]
fn line_auto_with_constant_service_times_is_as_simulated() {
    let cell = Cell {
        workers: 4,
        load: 2.0,
        times: Times::Constant,
        slo: 5.0,
        policy: Policy::line("auto"),
        keys: "line = \"auto\"",
    };
    cell.assert_close(5000.0);
}

#[test]
fn line_auto_with_exponential_service_times_is_as_simulated() {
    let cell = Cell {
        workers: 16,
        load: 1.4,
        times: Times::Exponential,
        slo: 5.0,
        policy: Policy::line("auto"),
        keys: "line = \"auto\"",
    };
    cell.assert_close(30_000.0);
}

#[test]
fn line_shed_below_and_above_the_capacity_is_as_simulated() {
    for load in [0.8, 2.0] {
        let cell = Cell {
            workers: 4,
            load,
            times: Times::Exponential,
            slo: 10.0,
            policy: Policy::line("shed"),
            keys: "line = \"shed\"",
        };
        cell.assert_close(20_000.0);
    }
}

#[test]
fn limit_auto_that_searches_is_as_simulated() {
    let cell = Cell {
        workers: 16,
        load: 2.0,
        times: Times::Constant,
        slo: 10.0,
        policy: Policy::limit("auto", 20),
        keys: "concurrency-limit = 20",
    };
    cell.assert_close(20_000.0);
}
