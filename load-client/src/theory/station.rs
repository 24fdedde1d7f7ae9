//! Arrivals, service time and workers: the parameters of every model of a station.

/// Requests that arrive at random times at workers of equal speed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Station {
    /// Requests that arrive per second, on average.
    pub arrivals: f64,
    /// Mean service time, in seconds.
    pub service: f64,
    /// The number of workers, which is the number of requests served at once.
    pub workers: u32,
}

impl Station {
    /// The offered load: how many workers the arrivals keep busy on average.
    pub fn offered(&self) -> f64 {
        self.arrivals * self.service
    }

    /// The share of the workers that the offered load needs. From 1 on, an unlimited queue grows for ever.
    pub fn utilization(&self) -> f64 {
        self.offered() / f64::from(self.workers)
    }

    /// Messages per second that can be processed.
    pub fn capacity(&self) -> f64 {
        f64::from(self.workers) / self.service
    }
}
