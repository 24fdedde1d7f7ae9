//! No waiting: a request that finds every place taken is rejected. Only patient requests wait, the oldest first.

use std::time::Duration;

use super::{
    algorithm::{Arrival, Line, Load, Reason, Turn},
    caller::{Caller, Id},
    waiting::Waiting,
};

/// The line that the [module](self) describes.
#[derive(Debug, Clone, Default)]
pub struct Shed {
    waiting: Waiting,
}

impl Line for Shed {
    fn arrive(&mut self, _: Duration, caller: Caller, _: &Load) -> Arrival {
        if !caller.patient {
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
}

#[cfg(test)]
mod tests {
    use super::{super::algorithm::tests::*, *};

    #[test]
    fn rejects_all_but_patient_requests() {
        let mut line = Shed::default();
        assert_eq!(line.arrive(ms(0), caller(1, 0), &LOAD), Arrival::Rejected(Reason::Full));
        assert_eq!(line.arrive(ms(0), patient(2, 0), &LOAD), Arrival::Waits);
        assert_eq!(line.next(ms(9), &LOAD), Some(Turn::Serve(patient(2, 0))));
        assert_eq!(line.next(ms(9), &LOAD), None);
    }
}
