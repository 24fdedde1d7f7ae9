//! The oldest request first. While every wait is long, requests that waited long are rejected.
//!
//! The rule is that of `delay.rs`: CoDel as in folly, with target and interval from the observed service time. Deadlines have
//! no effect before they pass.

use std::time::Duration;

use super::{
    algorithm::{Arrival, Line, LineSettings, Load, Reason, Turn},
    caller::{Caller, Id},
    delay::Delay,
    waiting::Waiting,
};

/// The line that the [module](self) describes.
#[derive(Debug, Clone)]
pub struct Codel {
    waiting: Waiting,
    places: usize,
    delay: Delay,
}

impl Codel {
    /// An empty line in which `settings.places` requests may wait.
    pub fn new(settings: LineSettings) -> Self {
        Self {
            waiting: Waiting::default(),
            places: settings.places,
            delay: Delay::new(settings),
        }
    }
}

impl Line for Codel {
    fn arrive(&mut self, _: Duration, caller: Caller, _: &Load) -> Arrival {
        if !caller.patient && self.waiting.bounded() >= self.places {
            return Arrival::Rejected(Reason::Full);
        }
        self.waiting.push(caller);
        Arrival::Waits
    }

    fn next(&mut self, now: Duration, load: &Load) -> Option<Turn> {
        let oldest = self.waiting.oldest()?;
        self.waiting.remove(oldest.id);
        let too_long = self.delay.too_long(now, oldest.waited(now), load);
        Some(if too_long && !oldest.patient {
            Turn::Reject(oldest, Reason::Overload)
        } else {
            Turn::Serve(oldest)
        })
    }

    fn leave(&mut self, id: Id) -> bool {
        self.waiting.remove(id).is_some()
    }

    fn len(&self) -> usize {
        self.waiting.len()
    }

    fn passed(&mut self, _: Duration) {
        self.delay.none();
    }

    /// The deadline itself: this line's rule does not use deadlines, so the request leaves only when its deadline passes.
    fn patience(&self, caller: &Caller, _: &Load) -> Option<Duration> {
        caller.deadline.filter(|_| !caller.patient)
    }
}

#[cfg(test)]
mod tests {
    use super::{super::algorithm::tests::*, *};

    #[test]
    fn rejects_what_waited_long_once_every_wait_is_long() {
        let mut line = Codel::new(LineSettings::default());
        for id in 0..4 {
            line.arrive(ms(0), caller(id, 0), &LOAD);
        }
        line.arrive(ms(0), patient(4, 0), &LOAD);
        line.arrive(ms(60), caller(5, 60), &LOAD);
        assert_eq!(line.next(ms(30), &LOAD), Some(Turn::Serve(caller(0, 0))));
        assert_eq!(line.next(ms(60), &LOAD), Some(Turn::Serve(caller(1, 0))));
        assert_eq!(
            line.next(ms(65), &LOAD),
            Some(Turn::Reject(caller(2, 0), Reason::Overload))
        );
        assert_eq!(
            line.next(ms(65), &LOAD),
            Some(Turn::Reject(caller(3, 0), Reason::Overload))
        );
        assert_eq!(line.next(ms(65), &LOAD), Some(Turn::Serve(patient(4, 0))));
        assert_eq!(
            line.next(ms(66), &LOAD),
            Some(Turn::Serve(caller(5, 60))),
            "6 ms is no long wait"
        );
    }
}
