//! The newest request first. A full line rejects its oldest request for a new one.
//!
//! Requests that are served have waited only a short time under any load. The others grow old, and leave at their deadline.
//! At loads near the capacity more requests miss their deadline than with the oldest first. A patient request is served
//! when it is the oldest.

use std::time::Duration;

use super::{
    algorithm::{Arrival, Line, LineSettings, Load, Reason, Turn},
    caller::{Caller, Id},
    waiting::Waiting,
};

/// The line that the [module](self) describes.
#[derive(Debug, Clone)]
pub struct Lifo {
    waiting: Waiting,
    places: usize,
}

impl Lifo {
    /// An empty line in which `settings.places` requests may wait.
    pub fn new(settings: LineSettings) -> Self {
        Self {
            waiting: Waiting::default(),
            places: settings.places,
        }
    }
}

/// Adds `caller` to the waiting requests. With `places` requests waiting, the oldest one that is not patient is displaced.
pub(super) fn push_newest(waiting: &mut Waiting, places: usize, caller: Caller) -> Arrival {
    let full = !caller.patient && waiting.bounded() >= places;
    let oldest = waiting.oldest_impatient().filter(|_| full);
    if full && oldest.is_none() {
        return Arrival::Rejected(Reason::Full);
    }
    waiting.push(caller);
    match oldest {
        None => Arrival::Waits,
        Some(oldest) => {
            waiting.remove(oldest.id);
            Arrival::Displaces(oldest.id, Reason::Displaced)
        }
    }
}

impl Line for Lifo {
    fn arrive(&mut self, _: Duration, caller: Caller, _: &Load) -> Arrival {
        push_newest(&mut self.waiting, self.places, caller)
    }

    fn next(&mut self, _: Duration, _: &Load) -> Option<Turn> {
        let newest = self.waiting.newest()?;
        self.waiting.remove(newest.id);
        Some(Turn::Serve(newest))
    }

    fn leave(&mut self, id: Id) -> bool {
        self.waiting.remove(id).is_some()
    }

    fn len(&self) -> usize {
        self.waiting.len()
    }
}

#[cfg(test)]
mod tests {
    use super::{super::algorithm::tests::*, *};

    fn line(places: usize) -> Lifo {
        Lifo::new(LineSettings {
            places,
            ..LineSettings::default()
        })
    }

    #[test]
    fn serves_the_newest_and_gives_up_the_oldest() {
        let mut line = line(2);
        line.arrive(ms(0), caller(1, 0), &LOAD);
        line.arrive(ms(1), caller(2, 1), &LOAD);
        let third = line.arrive(ms(2), caller(3, 2), &LOAD);
        assert_eq!(third, Arrival::Displaces(Id(1), Reason::Displaced));
        assert_eq!(line.next(ms(9), &LOAD), Some(Turn::Serve(caller(3, 2))));
        assert_eq!(line.next(ms(9), &LOAD), Some(Turn::Serve(caller(2, 1))));
        assert_eq!(line.next(ms(9), &LOAD), None);
    }

    #[test]
    fn a_patient_request_is_served_when_it_is_the_oldest() {
        let mut line = line(2);
        line.arrive(ms(0), caller(1, 0), &LOAD);
        line.arrive(ms(1), patient(2, 1), &LOAD);
        line.arrive(ms(2), caller(3, 2), &LOAD);
        assert_eq!(line.next(ms(9), &LOAD), Some(Turn::Serve(caller(3, 2))));
        line.leave(Id(1));
        line.arrive(ms(10), caller(4, 10), &LOAD);
        assert_eq!(line.next(ms(11), &LOAD), Some(Turn::Serve(patient(2, 1))));
    }

    #[test]
    fn a_line_without_places_rejects() {
        assert_eq!(
            line(0).arrive(ms(0), caller(1, 0), &LOAD),
            Arrival::Rejected(Reason::Full)
        );
    }
}
