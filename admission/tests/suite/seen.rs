//! An observer that records all its calls.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use tower_admission::{
    limit::Outcome,
    line::{Class, Reason},
    observe::Observe,
};

/// A call of one of the observer's methods; the first number is the urgency of the request's class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event {
    Admitted(u8, Duration),
    Rejected(u8, Reason, Duration),
    Left(u8, Duration),
    Ended(u8, Outcome, Duration),
}

/// All recorded calls, in order. Clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seen(Arc<Mutex<Vec<Event>>>);

impl Seen {
    fn push(&self, event: Event) {
        self.0.lock().unwrap().push(event);
    }

    pub(crate) fn events(&self) -> Vec<Event> {
        self.0.lock().unwrap().clone()
    }

    /// The outcomes of admitted requests that have ended.
    pub(crate) fn outcomes(&self) -> Vec<Outcome> {
        let outcome = |event| match event {
            Event::Ended(_, outcome, _) => Some(outcome),
            _ => None,
        };
        self.events().into_iter().filter_map(outcome).collect()
    }
}

impl Observe for Seen {
    fn admitted(&self, class: Class, waited: Duration) {
        self.push(Event::Admitted(class.urgency(), waited));
    }

    fn rejected(&self, class: Class, reason: Reason, waited: Duration) {
        self.push(Event::Rejected(class.urgency(), reason, waited));
    }

    fn left(&self, class: Class, waited: Duration) {
        self.push(Event::Left(class.urgency(), waited));
    }

    fn ended(&self, class: Class, outcome: Outcome, round_trip: Duration) {
        self.push(Event::Ended(class.urgency(), outcome, round_trip));
    }
}

pub(crate) fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}
