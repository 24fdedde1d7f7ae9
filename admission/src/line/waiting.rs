//! The collection in which every line keeps its waiting requests, in the order of their arrival.

use std::collections::BTreeMap;

use super::caller::{Caller, Id};

/// Waiting requests by id. Operations take O(log n), unless their comment says otherwise.
#[derive(Debug, Clone, Default)]
pub(super) struct Waiting {
    callers: BTreeMap<Id, Caller>,
    /// The number of patient requests in `callers`.
    patient: usize,
}

impl Waiting {
    pub(super) fn push(&mut self, caller: Caller) {
        self.patient += usize::from(caller.patient);
        self.callers.insert(caller.id, caller);
    }

    pub(super) fn remove(&mut self, id: Id) -> Option<Caller> {
        let caller = self.callers.remove(&id)?;
        self.patient -= usize::from(caller.patient);
        Some(caller)
    }

    pub(super) fn oldest(&self) -> Option<Caller> {
        self.callers.first_key_value().map(|(_, caller)| *caller)
    }

    /// The newest request; or the oldest one if it is patient, because newer ones could overtake it for ever.
    pub(super) fn newest(&self) -> Option<Caller> {
        let oldest = self.oldest()?;
        if oldest.patient {
            return Some(oldest);
        }
        self.callers.last_key_value().map(|(_, caller)| *caller)
    }

    /// The oldest request that is not patient. O(log n) plus the number of older patient requests.
    pub(super) fn oldest_impatient(&self) -> Option<Caller> {
        self.callers.values().find(|caller| !caller.patient).copied()
    }

    pub(super) fn len(&self) -> usize {
        self.callers.len()
    }

    /// The number of requests that are not patient: only these count against the bound of a line.
    pub(super) fn bounded(&self) -> usize {
        self.callers.len() - self.patient
    }
}
