//! Repeating phases in which every message takes longer: a part of the capacity goes away and comes back.

use std::{fmt, str::FromStr, time::Duration};

use tokio::time::Instant;

/// The largest factor (arbitrary: far above any realistic fault).
const LARGEST_FACTOR: f64 = 1_000.0;
/// The most phases (arbitrary: more than a person would write).
const MOST_PHASES: usize = 1_000;

/// Phases that repeat for ever, each with a factor on the service time.
#[derive(Debug, Clone, PartialEq)]
pub struct Slowdown {
    phases: Vec<Phase>,
    /// The length of all phases together, in nanoseconds.
    cycle: u128,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Phase {
    lasts: Duration,
    factor: f64,
}

/// Why a text is not a [`Slowdown`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SlowdownError {
    /// A phase is not a time, a colon, a factor and an x.
    #[error("{0:?} is not a phase; write phases as 60s:1x,20s:1.5x")]
    Malformed(String),
    /// A phase has no length.
    #[error("{0:?} must last longer than 0s, and at most 1h")]
    Length(String),
    /// A factor is out of range.
    #[error("the factor of {0:?} must be above 0, and at most {LARGEST_FACTOR}")]
    Factor(String),
    /// There are too many phases.
    #[error("must have at most {MOST_PHASES} phases")]
    TooMany,
}

impl Slowdown {
    /// The factor at `time`. The first phase begins at time zero.
    pub fn factor(&self, time: Duration) -> f64 {
        let mut left = time.as_nanos() % self.cycle;
        for phase in &self.phases {
            let lasts = phase.lasts.as_nanos();
            if left < lasts {
                return phase.factor;
            }
            left -= lasts;
        }
        unreachable!("the phases are as long as the cycle")
    }
}

impl FromStr for Slowdown {
    type Err = SlowdownError;

    fn from_str(text: &str) -> Result<Self, SlowdownError> {
        let phases = text.split(',').map(str::parse).collect::<Result<Vec<Phase>, _>>()?;
        if phases.len() > MOST_PHASES {
            return Err(SlowdownError::TooMany);
        }
        let cycle = phases.iter().map(|phase| phase.lasts.as_nanos()).sum();
        Ok(Self { phases, cycle })
    }
}

impl FromStr for Phase {
    type Err = SlowdownError;

    fn from_str(text: &str) -> Result<Self, SlowdownError> {
        let malformed = || SlowdownError::Malformed(text.to_owned());
        let (lasts, factor) = text.split_once(':').ok_or_else(malformed)?;
        let lasts = humantime::parse_duration(lasts.trim()).map_err(|_| malformed())?;
        let factor = factor.trim().strip_suffix('x').ok_or_else(malformed)?;
        if !factor.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
            return Err(malformed());
        }
        let factor: f64 = factor.parse().map_err(|_| malformed())?;
        if lasts.is_zero() || lasts > super::longest::LONGEST {
            return Err(SlowdownError::Length(text.to_owned()));
        }
        if !(factor > 0.0 && factor <= LARGEST_FACTOR) {
            return Err(SlowdownError::Factor(text.to_owned()));
        }
        Ok(Self { lasts, factor })
    }
}

/// The form that [`FromStr`] reads.
impl fmt::Display for Slowdown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, Phase { lasts, factor }) in self.phases.iter().enumerate() {
            let comma = if place == 0 { "" } else { "," };
            write!(f, "{comma}{}:{factor}x", humantime::format_duration(*lasts))?;
        }
        Ok(())
    }
}

/// A [`Slowdown`] that follows the clock.
#[derive(Debug)]
pub struct Slowed {
    slowdown: Option<Slowdown>,
    started: Instant,
    /// The time of day at `started`, which decides the phase.
    time: Duration,
}

impl Slowed {
    /// `time` is the time of day now: services that get the same one are in the same phase. Without a `slowdown`, changes nothing.
    pub fn new(slowdown: Option<Slowdown>, time: Duration) -> Self {
        Self {
            slowdown,
            started: Instant::now(),
            time,
        }
    }

    /// The service time of a message that begins now and would take `time` without the slowdown. At most an hour.
    pub(super) fn stretch(&self, time: Duration) -> Duration {
        match &self.slowdown {
            None => time,
            Some(slowdown) => {
                let factor = slowdown.factor(self.time + self.started.elapsed());
                super::longest::product(time, factor)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "1m:1x,20s:1.5x";

    #[test]
    fn phases_are_read_as_they_are_written_and_repeat() {
        let slowdown: Slowdown = TEXT.parse().unwrap();
        assert_eq!(slowdown.to_string(), TEXT);
        let slow = |second| slowdown.factor(Duration::from_secs(second)) > 1.0;
        let seconds = [0, 59, 60, 79, 80, 140, 159, 160].map(slow);
        assert_eq!(seconds, [false, false, true, true, false, true, true, false]);
    }

    #[test]
    fn what_is_no_phase_is_refused_with_an_example() {
        for text in [
            "", "60s", "60s:1", "60s:x", "60s:-1x", "60:1x", "60s:1x,", "60s:1e3x", "60s:infx",
        ] {
            let error = text.parse::<Slowdown>().unwrap_err();
            assert!(error.to_string().contains("60s:1x,20s:1.5x"), "{text}: {error}");
        }
        assert_eq!(
            "0s:1x".parse::<Slowdown>(),
            Err(SlowdownError::Length("0s:1x".to_owned()))
        );
        for text in ["1s:0x", "1s:1000.1x"] {
            assert_eq!(text.parse::<Slowdown>(), Err(SlowdownError::Factor(text.to_owned())));
        }
        assert_eq!(
            ["1s:1x"; 1_001].join(",").parse::<Slowdown>(),
            Err(SlowdownError::TooMany)
        );
    }

    #[tokio::test(start_paused = true)]
    async fn the_phase_follows_the_clock_from_the_time_of_day_at_the_start() {
        let slowed = Slowed::new(TEXT.parse().ok(), Duration::from_secs(80 * 1_000 + 50));
        let second = Duration::from_secs(1);
        assert_eq!(slowed.stretch(second), second);
        tokio::time::advance(Duration::from_secs(10)).await;
        assert_eq!(slowed.stretch(second), Duration::from_millis(1_500));
        assert_eq!(slowed.stretch(Duration::from_secs(3_600)), Duration::from_secs(3_600));
        assert_eq!(Slowed::new(None, Duration::ZERO).stretch(second), second);
    }
}
