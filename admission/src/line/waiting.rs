//! Requests that wait, in the order of their arrival: what every line keeps them in.

use std::collections::BTreeMap;

use super::caller::{Caller, Id};

/// Requests by id. Every operation takes O(log n).
#[derive(Debug, Clone, Default)]
pub(super) struct Waiting {
    callers: BTreeMap<Id, Caller>,
    /// How many of them are patient.
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

    /// The newest request; the oldest one if that is patient, because no newer one may overtake it for ever.
    pub(super) fn newest(&self) -> Option<Caller> {
        let oldest = self.oldest()?;
        if oldest.patient {
            return Some(oldest);
        }
        self.callers.last_key_value().map(|(_, caller)| *caller)
    }

    /// The oldest request that is not patient. O(log n) plus the patient ones that are older.
    pub(super) fn oldest_impatient(&self) -> Option<Caller> {
        self.callers.values().find(|caller| !caller.patient).copied()
    }

    pub(super) fn len(&self) -> usize {
        self.callers.len()
    }

    /// How many of them a bound counts.
    pub(super) fn bounded(&self) -> usize {
        self.callers.len() - self.patient
    }
}
