//! Birth-death chains: how many requests are in the system when arrivals and services are memoryless. Queues with an unlimited
//! line (M/M/c) or a bounded one, and clients that wait for their answers, are such chains.
//!
//! Sources: Kleinrock, *Queueing Systems* I (1975), chapter 3. For the variance of a time average: W. Whitt, *Asymptotic
//! formulas for Markov processes with applications to simulation*, Operations Research 40 (1992), formula (6).

use super::station::Station;

/// The probability that a chain leaves out of an endless line (arbitrary: far less than any run can measure).
const TAIL: f64 = 1e-13;
/// The most states (arbitrary: a line this long takes a utilization of 0.9997).
const MOST_STATES: usize = 100_000;

/// The number in the system, from 0 on, with the rates at which it goes up and its probabilities in the long run.
#[derive(Debug, Clone, PartialEq)]
pub struct Chain {
    up: Vec<f64>,
    probability: Vec<f64>,
    workers: u32,
    service: f64,
}

impl Chain {
    /// Poisson arrivals, exponential service, at most `room` in the system; further requests are lost (M/M/c/K). Exact for
    /// any load.
    pub fn bounded(station: Station, room: u32) -> Self {
        Self::of(station, room, |_| station.arrivals)
    }

    /// Poisson arrivals, exponential service, an endless line (M/M/c). `None` if the line grows for ever, or has too many
    /// states.
    pub fn endless(station: Station) -> Option<Self> {
        let ratio = station.utilization();
        if ratio >= 1.0 {
            return None;
        }
        // With all workers busy, the probabilities fall by `ratio` from one state to the next.
        let beyond = (TAIL.ln() / ratio.max(1e-300).ln()).ceil();
        if beyond > MOST_STATES as f64 {
            return None;
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it is within the bound"
        )]
        let room = station.workers.saturating_add(beyond as u32).saturating_add(1);
        Some(Self::bounded(station, room))
    }

    /// `clients` that send at random, `arrivals` per second all together, but none while it waits for an answer; at most
    /// `room` in the system (M/M/c/K//N, the machine-repair model). Exact because the time to the next send has no memory.
    pub fn of_clients(station: Station, clients: u32, room: u32) -> Self {
        let each = station.arrivals / f64::from(clients);
        Self::of(station, room.min(clients), |inside| f64::from(clients - inside) * each)
    }

    fn of(station: Station, room: u32, up: impl Fn(u32) -> f64) -> Self {
        let rates: Vec<f64> = (0..room).map(up).collect();
        // Computed in logarithms, so that neither huge nor tiny ratios overflow.
        let mut logs = vec![0.0];
        for (inside, rate) in (1..=room).zip(&rates) {
            let down = f64::from(inside.min(station.workers)) / station.service;
            logs.push(logs.last().copied().unwrap_or_default() + (rate / down).ln());
        }
        let most = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let mut probability: Vec<f64> = logs.into_iter().map(|log| (log - most).exp()).collect();
        let sum: f64 = probability.iter().sum();
        for one in &mut probability {
            *one /= sum;
        }
        Self {
            up: rates,
            probability,
            workers: station.workers,
            service: station.service,
        }
    }

    /// The mean of a function of the number in the system, over time.
    pub fn mean(&self, of: impl Fn(f64) -> f64) -> f64 {
        let states = self.probability.iter().enumerate();
        states.map(|(inside, chance)| of(inside as f64) * chance).sum()
    }

    /// The share of time with this many in the system.
    pub fn share(&self, inside: usize) -> f64 {
        self.probability.get(inside).copied().unwrap_or_default()
    }

    /// The share of time in which the system is full.
    pub fn full(&self) -> f64 {
        self.probability.last().copied().unwrap_or_default()
    }

    /// Mean number in the system.
    pub fn in_system(&self) -> f64 {
        self.mean(|inside| inside)
    }

    /// The mean number of requests in line.
    pub fn in_line(&self) -> f64 {
        self.mean(self.line())
    }

    /// A function from the number in the system to the number in line.
    pub fn line(&self) -> impl Fn(f64) -> f64 + use<> {
        let workers = f64::from(self.workers);
        move |inside| (inside - workers).max(0.0)
    }

    /// The number of requests that are served per second.
    pub fn throughput(&self) -> f64 {
        let workers = f64::from(self.workers);
        self.mean(|inside| inside.min(workers)) / self.service
    }

    /// Mean wait in line of the requests that are served, in seconds.
    pub fn mean_wait(&self) -> f64 {
        self.in_line() / self.throughput()
    }

    /// The variance of the time average of a function of the number in the system, times the length of the run: divided by
    /// the length it is the variance that a long run has.
    pub fn variance(&self, of: impl Fn(f64) -> f64) -> f64 {
        let mean = self.mean(&of);
        let mut below = 0.0;
        let mut sum = 0.0;
        for ((inside, chance), rate) in self.probability.iter().enumerate().zip(&self.up) {
            below += (of(inside as f64) - mean) * chance;
            if rate * chance > f64::MIN_POSITIVE {
                sum += below * below / (rate * chance);
            }
        }
        2.0 * sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::theory::{close, erlang_b, erlang_c, station};

    #[test]
    fn a_bounded_line_has_the_reference_values() {
        for (arrivals, rate, workers, room, full) in [
            (40.0, 30.0, 3, 7, 0.003_931_32),
            (50.0, 10.0, 4, 6, 0.293_542_99),
            (3.0, 2.0, 2, 5, 0.085_113_84),
            (5.0, 5.714, 1, 15, 0.019_134_43),
            (3.6, 4.0, 1, 9, 0.059_482_21),
            (8.0, 4.0, 1, 2, 0.571_428_57),
            (8.0, 4.0, 1, 9, 0.500_488_76),
            (320.0, 10.0, 16, 24, 0.500_095_86),
            (1.0, 1.0, 1, 10, 1.0 / 11.0),
        ] {
            let chain = Chain::bounded(station(arrivals, rate, workers), room);
            close(chain.full(), full, 1e-5);
            // Every request that is not lost is served.
            close(chain.throughput(), arrivals * (1.0 - chain.full()), 1e-9);
        }
        let chain = Chain::bounded(station(3.0, 2.0, 2), 5);
        close(chain.share(0), 0.179_334_5, 1e-6);
        close(chain.in_system(), 2.005_954_47, 1e-8);
        close(chain.mean_wait(), 0.230_857_58, 1e-7);
        close(
            Chain::bounded(station(5.0, 5.714, 1), 15).in_system(),
            4.858_887_62,
            1e-7,
        );
    }

    #[test]
    fn without_a_line_it_is_erlang_b_and_with_an_endless_one_erlang_c() {
        let chain = Chain::bounded(station(10.0, 1.0, 10), 10);
        close(chain.full(), erlang_b(10.0, 10), 1e-12);
        for (arrivals, rate, workers, wait, in_system) in [
            (9.0, 5.0, 2, 0.852_631_58, 9.473_684_21),
            (9.0, 5.0, 4, 0.011_684_88, 1.905_163_89),
            (3.6, 4.0, 1, 2.25, 9.0),
            (144.0, 10.0, 16, 0.036_958_96, 5.322_090_54 + 14.4),
        ] {
            let station = station(arrivals, rate, workers);
            let chain = Chain::endless(station).unwrap();
            close(chain.mean_wait(), wait, 1e-6);
            close(chain.in_system(), in_system, 1e-6);
            let waits = chain.mean(|inside| f64::from(inside >= f64::from(workers)));
            close(waits, erlang_c(station.offered(), workers), 1e-9);
        }
        assert!(Chain::endless(station(4.0, 4.0, 1)).is_none());
    }

    #[test]
    fn clients_that_wait_for_their_answers_are_the_machine_repair_model() {
        for (clients, think, service, workers, throughput, withheld) in [
            (4_u32, 0.5, 0.25, 1, 3.619_047_62, 0.547_619_05),
            (64, 64.0 / 3.6, 0.25, 1, 3.369_655_37, 0.063_984_62),
            (64, 64.0 / 4.8, 0.25, 1, 3.921_639_54, 0.182_991_76),
            (48, 0.16, 0.1, 16, 158.364_141_53, 0.472_119_53),
            (10, 1.0, 0.1, 1, 7.854_176_57, 0.214_582_34),
        ] {
            let station = Station {
                arrivals: f64::from(clients) / think,
                service,
                workers,
            };
            let chain = Chain::of_clients(station, clients, u32::MAX);
            close(chain.throughput(), throughput, 1e-8);
            close(chain.in_system() / f64::from(clients), withheld, 1e-7);
        }
        // One server and N sources are dual to Erlang B.
        let station = Station {
            arrivals: 10.0,
            service: 0.1,
            workers: 1,
        };
        let chain = Chain::of_clients(station, 10, 10);
        close(chain.share(0), erlang_b(10.0, 10), 1e-10);
        // Very many clients are a Poisson stream.
        let many = Chain::of_clients(station, 1_000_000, 30);
        close(many.full(), Chain::bounded(station, 30).full(), 1e-3);
    }

    #[test]
    fn the_variance_of_a_time_average_has_the_closed_form_of_one_worker() {
        for load in [0.5, 0.7, 0.9] {
            let chain = Chain::endless(station(load, 1.0, 1)).unwrap();
            let expected = 2.0 * load * (1.0 + load) / (1.0 - load).powi(4);
            close(chain.variance(|inside| inside), expected, 1e-6);
        }
    }
}
