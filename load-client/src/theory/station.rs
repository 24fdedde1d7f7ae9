//! Arrivals, service time and workers: what every model of a station is computed from.

/// Requests that arrive at random times at workers of equal speed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Station {
    /// Requests that arrive per second, on average.
    pub arrivals: f64,
    /// Mean service time, in seconds.
    pub service: f64,
    /// How many are served at once.
    pub workers: u32,
}

impl Station {
    /// The offered load: how many workers it keeps busy on average.
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
