//! The oldest request first, with a fixed bound on the number of waiting requests.
//!
//! The bound is the only control, so it fits only one service time. If `c` requests run at once for a service time `s`,
//! requests wait past a deadline of `d` as soon as the line is longer than `c d / s`.

use std::time::Duration;

use super::{
    algorithm::{Arrival, Line, LineSettings, Load, Reason, Turn},
    caller::{Caller, Id},
    waiting::Waiting,
};

/// The line that the [module](self) describes.
#[derive(Debug, Clone)]
pub struct Fifo {
    waiting: Waiting,
    places: usize,
}

impl Fifo {
    /// An empty line in which `settings.places` requests may wait.
    pub fn new(settings: LineSettings) -> Self {
        Self {
            waiting: Waiting::default(),
            places: settings.places,
        }
    }
}

impl Line for Fifo {
    fn arrive(&mut self, _: Duration, caller: Caller, _: &Load) -> Arrival {
        if !caller.patient && self.waiting.bounded() >= self.places {
            return Arrival::Rejected(Reason::Full);
        }
        self.waiting.push(caller);
        Arrival::Waits
    }

    fn next(&mut self, _: Duration, _: &Load) -> Option<Turn> {
        let oldest = self.waiting.oldest()?;
        self.waiting.remove(oldest.id);
        Some(Turn::Serve(oldest))
    }

    fn leave(&mut self, id: Id) -> bool {
        self.waiting.remove(id).is_some()
    }

    fn len(&self) -> usize {
        self.waiting.len()
    }

    /// The deadline itself: this line does not use deadlines, so the request leaves only when its deadline passes.
    fn patience(&self, caller: &Caller, _: &Load) -> Option<Duration> {
        caller.deadline.filter(|_| !caller.patient)
    }
}

#[cfg(test)]
mod tests {
    use super::{super::algorithm::tests::*, *};

    #[test]
    fn serves_in_the_order_of_arrival_and_rejects_when_it_is_full() {
        let mut line = Fifo::new(LineSettings {
            places: 2,
            ..LineSettings::default()
        });
        assert_eq!(line.arrive(ms(0), caller(1, 0), &LOAD), Arrival::Waits);
        assert_eq!(line.arrive(ms(1), caller(2, 1), &LOAD), Arrival::Waits);
        assert_eq!(line.arrive(ms(2), caller(3, 2), &LOAD), Arrival::Rejected(Reason::Full));
        assert_eq!(
            line.arrive(ms(3), patient(4, 3), &LOAD),
            Arrival::Waits,
            "over the bound"
        );
        assert!(line.leave(Id(1)) && !line.leave(Id(1)));
        assert_eq!(line.next(ms(9), &LOAD), Some(Turn::Serve(caller(2, 1))));
        assert_eq!(line.next(ms(9), &LOAD), Some(Turn::Serve(patient(4, 3))));
        assert_eq!(line.next(ms(9), &LOAD), None);
    }
}
