//! A rate over time, piecewise constant, and the inverse of its integral: sends are spaced evenly (or exponentially) on
//! the integral, and each is intended when the integral gets there. One formula serves every schedule with a rate.
//!
//! Source: the time-rescaling construction of an inhomogeneous Poisson process (Çinlar, 1975).

use std::time::Duration;

use crate::scenario::Stage;

/// A rate over time, of one client.
#[derive(Debug)]
pub(super) struct Profile {
    pieces: Vec<Piece>,
    /// Seconds and integral at the end of the last piece.
    end: (f64, f64),
    repeat: bool,
}

#[derive(Debug, Clone, Copy)]
struct Piece {
    start: f64,
    /// The integral at its start.
    done: f64,
    rate: f64,
}

impl Profile {
    /// One rate without end.
    pub(super) fn constant(rate: f64) -> Self {
        Self {
            pieces: vec![Piece {
                start: 0.0,
                done: 0.0,
                rate,
            }],
            end: (f64::INFINITY, f64::INFINITY),
            repeat: false,
        }
    }

    /// One rate after the other.
    pub(super) fn stages(stages: impl Iterator<Item = Stage>, repeat: bool) -> Self {
        let mut end = (0.0, 0.0);
        let pieces = stages
            .map(|stage| {
                let (start, done) = end;
                let seconds = stage.length.as_secs_f64();
                end = (start + seconds, done + seconds * stage.rps);
                Piece {
                    start,
                    done,
                    rate: stage.rps,
                }
            })
            .collect();
        Self { pieces, end, repeat }
    }

    /// When the integral reaches `target`; `None` if it never does.
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
        // The last piece that has begun by then; one of rate 0 has no send of its own.
        let index = self
            .pieces
            .partition_point(|piece| piece.done <= rest)
            .saturating_sub(1);
        let piece = self.pieces.get(index).filter(|piece| piece.rate > 0.0)?;
        Duration::try_from_secs_f64(offset + piece.start + (rest - piece.done) / piece.rate).ok()
    }
}
