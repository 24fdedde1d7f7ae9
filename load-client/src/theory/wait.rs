//! Waiting times in an endless line: exact for exponential and for constant service times, an approximation for others.

use super::{erlang::erlang_c, poisson::at_least, station::Station};

/// The wait of requests in an endless line: Poisson arrivals, exponential service, first come first served (M/M/c).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WaitInLine {
    waits: f64,
    spare: f64,
    rate: f64,
}

impl WaitInLine {
    /// The wait at this station; `None` if the line grows for ever.
    pub fn new(station: Station) -> Option<Self> {
        let spare = station.capacity() - station.arrivals;
        (spare > 0.0).then(|| Self {
            waits: erlang_c(station.offered(), station.workers),
            spare,
            rate: 1.0 / station.service,
        })
    }

    /// The mean wait, in seconds.
    pub fn mean(&self) -> f64 {
        self.waits / self.spare
    }

    /// The wait that a share `quantile` of the requests does not exceed, in seconds.
    pub fn quantile(&self, quantile: f64) -> f64 {
        ((self.waits / (1.0 - quantile)).ln() / self.spare).max(0.0)
    }

    /// The time in the system (wait and service) that a share `quantile` of the requests does not exceed, in seconds.
    pub fn response_quantile(&self, quantile: f64) -> f64 {
        let (mut low, mut high) = (0.0, 1.0 / self.rate);
        while self.response_tail(high) > 1.0 - quantile {
            high *= 2.0;
        }
        for _ in 0..200 {
            let middle = f64::midpoint(low, high);
            if self.response_tail(middle) > 1.0 - quantile {
                low = middle;
            } else {
                high = middle;
            }
        }
        high
    }

    /// The share of requests whose wait and service together take longer than `time`.
    fn response_tail(&self, time: f64) -> f64 {
        let served = (-self.rate * time).exp();
        if (self.spare - self.rate).abs() < 1e-9 * self.rate {
            return served * (1.0 + self.waits * self.rate * time);
        }
        let waited = (self.spare * served - self.rate * (-self.spare * time).exp()) / (self.spare - self.rate);
        (1.0 - self.waits) * served + self.waits * waited
    }
}

/// The mean wait in an endless line with a constant service time (M/D/c; C. D. Crommelin, 1932), in seconds. `None` if the
/// line grows for ever.
///
/// The sum is Spitzer's identity: by Little's law the mean number in line is the sum over i of E[(N − ic)⁺] / i, where N is
/// the Poisson number of arrivals in i service times.
pub fn constant_mean_wait(station: Station) -> Option<f64> {
    let load = station.utilization();
    if load >= 1.0 {
        return None;
    }
    let mut sum = 0.0;
    for i in 1..1_000_000_u32 {
        let mean = f64::from(i) * station.offered();
        let served = i.checked_mul(station.workers)?;
        let term = at_least(mean, served) - at_least(mean, served + 1) / load;
        sum += term;
        if term < sum * 1e-12 {
            break;
        }
    }
    Some(station.service * sum)
}

/// The mean wait in an endless line for any distribution of the service time, whose squared coefficient of variation is
/// `variation` (Allen and Cunneen), in seconds. Exact with one worker (Pollaczek and Khinchine); with more an approximation
/// that is good from a utilization of 0.7 on. `None` if the line grows for ever.
pub fn general_mean_wait(station: Station, variation: f64) -> Option<f64> {
    Some(WaitInLine::new(station)?.mean() * f64::midpoint(1.0, variation))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::theory::{close, station};

    #[test]
    fn exponential_service_has_the_reference_values() {
        let one = WaitInLine::new(station(3.6, 4.0, 1)).unwrap();
        close(one.mean(), 2.25, 1e-9);
        for (quantile, expected) in [(0.5, 1.469_467), (0.9, 5.493_061), (0.99, 11.249_524)] {
            close(one.quantile(quantile), expected, 1e-6);
        }
        close(one.response_quantile(0.5), 1.732_868, 1e-6);
        close(one.response_quantile(0.99), 11.512_925, 1e-6);
        let many = WaitInLine::new(station(144.0, 10.0, 16)).unwrap();
        close(many.mean(), 0.036_958_96, 1e-6);
        close(many.quantile(0.99), 0.254_988, 1e-5);
        close(many.response_quantile(0.5), 0.107_801, 1e-5);
        close(many.response_quantile(0.99), 0.526_983, 1e-5);
        close(
            WaitInLine::new(station(8.0, 1.0, 10)).unwrap().mean(),
            0.204_590_08,
            1e-7,
        );
        assert_eq!(WaitInLine::new(station(4.0, 4.0, 1)), None);
    }

    #[test]
    fn constant_service_has_the_reference_values() {
        close(constant_mean_wait(station(3.6, 4.0, 1)).unwrap(), 1.125, 1e-8);
        close(constant_mean_wait(station(7.2, 4.0, 2)).unwrap(), 0.536_731, 2e-6);
        close(constant_mean_wait(station(144.0, 10.0, 16)).unwrap(), 0.019_246_7, 5e-6);
        assert_eq!(constant_mean_wait(station(4.0, 4.0, 1)), None);
    }

    #[test]
    fn the_general_formula_is_exact_with_one_worker_and_near_with_more() {
        close(general_mean_wait(station(3.6, 4.0, 1), 0.0).unwrap(), 1.125, 1e-9);
        close(
            general_mean_wait(station(144.0, 10.0, 16), 0.0).unwrap(),
            0.018_479_5,
            1e-5,
        );
    }
}
