//! A rate over time, made of pieces in which it is constant or changes linearly, and the inverse of its integral. Sends are
//! spaced evenly (or exponentially) on the integral, and each is scheduled when the integral reaches it. One formula serves
//! every schedule with a rate.
//!
//! Source: the time-rescaling construction of an inhomogeneous Poisson process (Çinlar, 1975).

use std::time::Duration;

use crate::scenario::Stage;

/// The rate of one client over time.
#[derive(Debug)]
pub(super) struct Profile {
    pieces: Vec<Piece>,
    /// The time in seconds and the value of the integral at the end of the last piece.
    end: (f64, f64),
    repeat: bool,
}

#[derive(Debug, Clone, Copy)]
struct Piece {
    start: f64,
    /// The value of the integral at the start of the piece.
    done: f64,
    /// Requests per second at the start of the piece.
    rate: f64,
    /// The change of the rate per second.
    slope: f64,
}

impl Profile {
    /// One constant rate, for an unlimited time.
    pub(super) fn constant(rate: f64) -> Self {
        Self {
            pieces: vec![Piece {
                start: 0.0,
                done: 0.0,
                rate,
                slope: 0.0,
            }],
            end: (f64::INFINITY, f64::INFINITY),
            repeat: false,
        }
    }

    /// One stage after the other; with `repeat`, from the first again after the last.
    pub(super) fn stages(stages: impl Iterator<Item = Stage>, repeat: bool) -> Self {
        let mut end = (0.0, 0.0);
        let pieces = stages
            .map(|stage| {
                let (start, done) = end;
                let seconds = stage.length.as_secs_f64();
                end = (start + seconds, done + seconds * stage.mean_rps());
                Piece {
                    start,
                    done,
                    rate: stage.rps,
                    slope: (stage.end_rps - stage.rps) / seconds,
                }
            })
            .collect();
        Self { pieces, end, repeat }
    }

    /// The time at which the integral reaches `target`; `None` if it never does.
    pub(super) fn when(&self, target: f64) -> Option<Duration> {
        let (length, whole) = self.end;
        let (offset, rest) = if target < whole {
            (0.0, target)
        } else if self.repeat && whole > 0.0 {
            let rounds = (target / whole).floor();
            (rounds * length, (target - rounds * whole).clamp(0.0, whole))
        } else {
            return None;
        };
        // The last piece at whose start the integral is at most `rest`. This skips a pause before it, which has no
        // sends.
        let index = self
            .pieces
            .partition_point(|piece| piece.done <= rest)
            .saturating_sub(1);
        let into = self.pieces.get(index)?.reaches(rest)?;
        Duration::try_from_secs_f64(offset + into).ok()
    }

    /// The value of the integral at the time `at`.
    pub(super) fn integral(&self, at: Duration) -> f64 {
        let (length, whole) = self.end;
        let at = at.as_secs_f64();
        let (rounds, rest) = if at < length {
            (0.0, at)
        } else if self.repeat {
            let rounds = (at / length).floor();
            (rounds, at - rounds * length)
        } else {
            return whole;
        };
        let before = if rounds > 0.0 { rounds * whole } else { 0.0 };
        let index = self
            .pieces
            .partition_point(|piece| piece.start <= rest)
            .saturating_sub(1);
        self.pieces.get(index).map_or(before, |piece| before + piece.at(rest))
    }
}

impl Piece {
    /// The time, in seconds, at which the integral reaches `target` in this piece; `None` if the rate here is never
    /// above 0.
    fn reaches(&self, target: f64) -> Option<f64> {
        if self.rate <= 0.0 && self.slope <= 0.0 {
            return None;
        }
        let missing = target - self.done;
        // Solves rate·t + slope·t²/2 = missing for t, without a difference of two nearly equal numbers, which would
        // lose digits. At the end of a ramp down to 0 a rounding error can make the number under the root negative, so
        // it is set to 0.
        let root = (self.rate * self.rate + 2.0 * self.slope * missing).max(0.0).sqrt();
        let into = if missing > 0.0 {
            2.0 * missing / (self.rate + root)
        } else {
            0.0
        };
        Some(self.start + into)
    }

    /// The value of the integral at a time within this piece, in seconds.
    fn at(&self, seconds: f64) -> f64 {
        let into = seconds - self.start;
        self.done + into * (self.rate + self.slope * into / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ramp(from: f64, to: f64, repeat: bool) -> Profile {
        let stage = Stage {
            length: Duration::from_secs(10),
            rps: from,
            end_rps: to,
        };
        Profile::stages([stage].into_iter(), repeat)
    }

    fn near(profile: &Profile, target: f64, seconds: f64) {
        let when = profile.when(target).unwrap().as_secs_f64();
        assert!((when - seconds).abs() < 1e-6, "{target}: {when}, not {seconds}");
        let back = profile.integral(Duration::from_secs_f64(seconds));
        assert!((back - target).abs() < 1e-6, "{seconds}: {back}, not {target}");
    }

    #[test]
    fn a_ramp_is_where_its_integral_says() {
        // The rate goes from 0 to 100 in 10 s, so the integral is 5 t².
        let up = ramp(0.0, 100.0, false);
        for (target, seconds) in [(0.0, 0.0), (5.0, 1.0), (125.0, 5.0), (499.999_5, 9.999_995)] {
            near(&up, target, seconds);
        }
        assert_eq!(up.when(500.0), None);
        // The rate goes from 100 to 0, so the integral is 500 − 5 (10 − t)².
        let down = ramp(100.0, 0.0, false);
        for (target, seconds) in [(0.0, 0.0), (375.0, 5.0), (495.0, 9.0)] {
            near(&down, target, seconds);
        }
        let again = ramp(0.0, 100.0, true);
        near(&again, 500.0 + 125.0, 15.0);
        near(&again, 50_000.0 + 5.0, 1001.0);
    }

    #[test]
    fn a_steady_rate_is_divided_by_and_nothing_else() {
        let steady = Profile::constant(0.3);
        for target in [0.1, 1.0, 7.7, 1e6] {
            assert_eq!(steady.when(target), Some(Duration::from_secs_f64(target / 0.3)));
        }
    }
}
