//! One worker that takes the same time for each request: the number left behind at each departure is a Markov chain that goes
//! down by at most one (Kleinrock, *Queueing Systems* I, chapter 5).
//!
//! Its probabilities follow from the crossings of each level: upwards as often as downwards. All terms are positive, so no
//! digits are lost.

use super::{
    poisson::{at_least, binomial},
    station::Station,
};

/// The largest room that is computed (arbitrary: the time grows with its square).
const MOST: u32 = 2000;

/// The probabilities of the states 0…`states` − 1. `up(from, to)`: the chance to go from `from` to `to` or more, where `from`
/// is below `to`. `down(from)`: the chance to go from `from` to one less.
fn departures(states: u32, up: impl Fn(u32, u32) -> f64, down: impl Fn(u32) -> f64) -> Vec<f64> {
    let mut chances = vec![1.0];
    for to in 1..states {
        let crossing: f64 = (0..to).zip(&chances).map(|(from, chance)| chance * up(from, to)).sum();
        chances.push(crossing / down(to));
        // Scales the numbers down before one overflows.
        let last = chances.last().copied().unwrap_or_default();
        if last > 1e200 {
            for chance in &mut chances {
                *chance /= last;
            }
        }
    }
    let sum: f64 = chances.iter().sum();
    for chance in &mut chances {
        *chance /= sum;
    }
    chances
}

/// The share of requests that are lost: Poisson arrivals, one worker, constant service time, at most `room` in the system
/// (M/D/1/K). `None` if there are more workers, or more room than is computed.
pub fn constant_loss(station: Station, room: u32) -> Option<f64> {
    if station.workers != 1 || !(1..=MOST).contains(&room) {
        return None;
    }
    let offered = station.offered();
    let tails: Vec<f64> = (0..=room).map(|arrivals| at_least(offered, arrivals)).collect();
    let none = (-offered).exp();
    let left = departures(room, |from, to| tails[(to + 1 - from.max(1)) as usize], |_| none);
    Some(1.0 - 1.0 / (left[0] + offered))
}

/// Requests served per second, of `clients` that send at random, but not while they wait for an answer: one worker, constant
/// service time, room for all (M/D/1//N). `None` if there are more workers, or more clients than are computed.
pub fn constant_repair_throughput(station: Station, clients: u32) -> Option<f64> {
    /// The largest number of clients that is computed (arbitrary: the time grows with its cube).
    const MOST_CLIENTS: u32 = 500;
    if station.workers != 1 || !(1..=MOST_CLIENTS).contains(&clients) {
        return None;
    }
    let think = f64::from(clients) / station.arrivals;
    let sends = -(-station.service / think).exp_m1();
    // tails[idle][k]: the chance that k or more of the idle clients send during a service.
    let tails: Vec<Vec<f64>> = (0..=clients)
        .map(|idle| {
            let mut tail = binomial(idle, sends);
            for k in (1..tail.len()).rev() {
                tail[k - 1] += tail[k];
            }
            tail
        })
        .collect();
    let up = |from: u32, to: u32| {
        let inside = from.max(1);
        let idle = &tails[(clients - inside) as usize];
        idle.get((to + 1 - inside) as usize).copied().unwrap_or_default()
    };
    let left = departures(clients, up, |from| (1.0 - sends).powf(f64::from(clients - from)));
    // If a departure leaves nothing behind, the worker waits for the next client.
    Some(1.0 / (station.service + left[0] * think / f64::from(clients)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::theory::close;

    fn station(load: f64) -> Station {
        Station {
            arrivals: load / 0.25,
            service: 0.25,
            workers: 1,
        }
    }

    #[test]
    fn the_loss_has_the_reference_values() {
        for (load, room, expected) in [
            (0.9, 9, 0.021_189_789_8),
            (0.9, 2, 0.234_637_057_0),
            (1.2, 9, 0.172_923_511_2),
            (1.2, 2, 0.333_863_672_0),
            (2.0, 2, 0.531_689_469_2),
            (2.0, 9, 0.500_000_431_1),
        ] {
            close(constant_loss(station(load), room).unwrap(), expected, 1e-7);
        }
        // Without a line, Erlang's formula holds for any distribution of the service time.
        close(constant_loss(station(2.0), 1).unwrap(), 2.0 / 3.0, 1e-12);
        close(constant_loss(station(50.0), 40).unwrap(), 1.0 - 1.0 / 50.0, 1e-6);
        assert_eq!(
            constant_loss(
                Station {
                    workers: 2,
                    ..station(1.0)
                },
                9
            ),
            None
        );
    }

    #[test]
    fn clients_that_wait_for_their_answers_have_the_simulated_throughput() {
        // A simulation withheld 4.50 % and 17.13 % of the requests of 64 clients, at 0.9 and 1.2 of the capacity.
        for (load, withheld) in [(0.9, 0.0450), (1.2, 0.1713)] {
            let station = station(load);
            let served = constant_repair_throughput(station, 64).unwrap();
            close(1.0 - served / station.arrivals, withheld, 2e-2);
        }
        // One client never waits for another.
        let alone = constant_repair_throughput(station(1.0), 1).unwrap();
        close(alone, 1.0 / (0.25 + 0.25), 1e-12);
    }
}
