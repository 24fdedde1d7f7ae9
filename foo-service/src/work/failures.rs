//! Work that fails: a share of the messages, each after the same time. It models a resource that is partly broken.

use std::{
    fmt,
    str::FromStr,
    sync::{
        Mutex,
        atomic::{AtomicU32, AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64Mcg;

/// A share of messages, from 0 % to 100 %, in steps of 0.0001 %.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Share {
    millionths: u32,
}

impl Share {
    const WHOLE: u32 = 1_000_000;
    /// One percent, in millionths.
    const PERCENT: u32 = Self::WHOLE / 100;

    /// A share of `percent` percent. Above 100 it is 100 percent.
    pub fn percent(percent: u32) -> Self {
        Self {
            millionths: percent.min(100) * Self::PERCENT,
        }
    }

    /// The share as a number from 0 to 1.
    pub fn fraction(self) -> f64 {
        f64::from(self.millionths) / f64::from(Self::WHOLE)
    }
}

/// Why a text is not a [`Share`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ShareError {
    /// The text is not a number with a percent sign, or has too many digits.
    #[error("must be a share from 0% to 100%, with at most four digits after the point; write it as 5% or 0.5%")]
    Malformed,
    /// The share is above 100 %.
    #[error("must be at most 100%")]
    TooMuch,
}

impl FromStr for Share {
    type Err = ShareError;

    fn from_str(text: &str) -> Result<Self, ShareError> {
        let number = text.strip_suffix('%').ok_or(ShareError::Malformed)?.trim_end();
        let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(whole) || !digits(fraction) || fraction.len() > 4 {
            return Err(ShareError::Malformed);
        }
        // The number has four digits after the point, and 0.0001 % is one millionth.
        let fraction: u32 = format!("{fraction:0<4}").parse().map_err(|_| ShareError::Malformed)?;
        let whole: u32 = whole.parse().map_err(|_| ShareError::TooMuch)?;
        let millionths = whole
            .checked_mul(Self::PERCENT)
            .and_then(|whole| whole.checked_add(fraction));
        match millionths {
            Some(millionths) if millionths <= Self::WHOLE => Ok(Self { millionths }),
            _ => Err(ShareError::TooMuch),
        }
    }
}

/// The form that [`FromStr`] reads.
impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", f64::from(self.millionths) / f64::from(Self::PERCENT))
    }
}

/// Decides which messages fail. The share can change while the service runs.
#[derive(Debug)]
pub struct Failures {
    millionths: AtomicU32,
    /// How long the work lasts before it fails, in nanoseconds.
    after: AtomicU64,
    random: Mutex<Pcg64Mcg>,
}

impl Failures {
    /// Makes `share` of the messages fail, each after the time `after`. The same seed chooses the same messages. The choice does
    /// not change the service times that are drawn with the same seed.
    pub fn new(share: Share, after: Duration, seed: u64) -> Self {
        Self {
            millionths: AtomicU32::new(share.millionths),
            after: AtomicU64::new(super::longest::nanos(after)),
            // Any seed that differs from that of the service times.
            random: Mutex::new(Pcg64Mcg::seed_from_u64(!seed)),
        }
    }

    /// Changes the share and the time for messages whose work begins from now on.
    pub fn set(&self, share: Share, after: Duration) {
        self.millionths.store(share.millionths, Relaxed);
        self.after.store(super::longest::nanos(after), Relaxed);
    }

    /// Decides about the next message: if it fails, returns after how long.
    pub(super) fn draw(&self) -> Option<Duration> {
        let share = self.millionths.load(Relaxed);
        if share == 0 {
            return None;
        }
        let drawn = self.random.lock().expect("a draw does not panic").next_u64();
        // The remainder makes low values more likely, by less than one part in ten billion.
        (drawn % u64::from(Share::WHOLE) < u64::from(share)).then(|| Duration::from_nanos(self.after.load(Relaxed)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_read_as_it_is_written_and_never_rounded() {
        for text in ["0%", "5%", "0.5%", "12.3456%", "100%"] {
            assert_eq!(text.parse().map(|share: Share| share.to_string()), Ok(text.to_owned()));
        }
        assert_eq!("5%".parse(), Ok(Share::percent(5)));
        for text in ["", "%", "5", "0.05", "-1%", "1.%", ".5%", "0.00001%", "1e1%", "+1%"] {
            assert_eq!(text.parse::<Share>(), Err(ShareError::Malformed), "{text}");
        }
        for text in ["101%", "100.0001%", "99999999999%"] {
            assert_eq!(text.parse::<Share>(), Err(ShareError::TooMuch), "{text}");
        }
    }

    #[test]
    fn that_share_of_the_messages_fails_after_that_time() {
        let failures = Failures::new(Share::percent(20), Duration::from_millis(3), 7);
        let failed: Vec<Duration> = (0..10_000).filter_map(|_| failures.draw()).collect();
        assert!((1_900..2_100).contains(&failed.len()), "{}", failed.len());
        assert_eq!(failed[0], Duration::from_millis(3));
        failures.set(Share::percent(100), Duration::ZERO);
        assert_eq!(failures.draw(), Some(Duration::ZERO));
        failures.set(Share::default(), Duration::ZERO);
        assert_eq!(failures.draw(), None);
    }
}
