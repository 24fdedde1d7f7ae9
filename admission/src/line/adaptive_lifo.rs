//! The oldest request first, as in CoDel; the newest first while every wait is long.
//!
//! Source: *Fail at Scale* (Maurer, 2015), which has both rules. `delay.rs` says whether the service is overloaded. While it is,
//! the newest request is served, and requests that waited longer than twice the target are rejected as their turn comes.

use std::time::Duration;

use super::{
    algorithm::{Arrival, Line, LineSettings, Load, Reason, Turn},
    caller::{Caller, Id},
    delay::Delay,
    lifo::push_newest,
    waiting::Waiting,
};

/// The line that the [module](self) describes.
#[derive(Debug, Clone)]
pub struct AdaptiveLifo {
    waiting: Waiting,
    places: usize,
    delay: Delay,
}

impl AdaptiveLifo {
    /// An empty line in which `settings.places` requests may wait.
    pub fn new(settings: LineSettings) -> Self {
        Self {
            waiting: Waiting::default(),
            places: settings.places,
            delay: Delay::new(settings),
        }
    }
}

impl Line for AdaptiveLifo {
    fn arrive(&mut self, _: Duration, caller: Caller, _: &Load) -> Arrival {
        push_newest(&mut self.waiting, self.places, caller)
    }

    fn next(&mut self, now: Duration, load: &Load) -> Option<Turn> {
        // In both orders, the wait of the oldest request decides whether the service is overloaded.
        let oldest = self.waiting.oldest()?;
        let too_long = self.delay.too_long(now, oldest.waited(now), load);
        let (caller, reject) = if too_long && !oldest.patient {
            (oldest, true)
        } else if self.delay.overloaded() {
            (self.waiting.newest()?, false)
        } else {
            (oldest, false)
        };
        self.waiting.remove(caller.id);
        Some(if reject {
            Turn::Reject(caller, Reason::Overload)
        } else {
            Turn::Serve(caller)
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
    fn turns_the_order_round_while_every_wait_is_long() {
        let mut line = AdaptiveLifo::new(LineSettings::default());
        for id in 0..3 {
            line.arrive(ms(0), caller(id, 0), &LOAD);
        }
        for id in 3..6 {
            line.arrive(ms(55), caller(id, 55), &LOAD);
        }
        assert_eq!(line.next(ms(30), &LOAD), Some(Turn::Serve(caller(0, 0))), "the oldest");
        assert_eq!(line.next(ms(60), &LOAD), Some(Turn::Serve(caller(5, 55))), "the newest");
        assert_eq!(
            line.next(ms(61), &LOAD),
            Some(Turn::Reject(caller(1, 0), Reason::Overload))
        );
        assert_eq!(
            line.next(ms(61), &LOAD),
            Some(Turn::Reject(caller(2, 0), Reason::Overload))
        );
        assert_eq!(line.next(ms(61), &LOAD), Some(Turn::Serve(caller(4, 55))));
    }
}
