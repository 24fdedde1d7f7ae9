//! A value that a request uses, which records whether the request still has its place when the value is dropped.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering::SeqCst},
};

use tower_admission::room::Admission;

/// Records, when it is dropped, how many requests are in flight.
pub(crate) struct Resource {
    admission: Admission,
    in_flight: Arc<AtomicU32>,
}

impl Resource {
    /// Also returns the record; `u32::MAX` until the value is dropped.
    pub(crate) fn of(admission: &Admission) -> (Self, Arc<AtomicU32>) {
        let in_flight = Arc::new(AtomicU32::new(u32::MAX));
        let resource = Self {
            admission: admission.clone(),
            in_flight: Arc::clone(&in_flight),
        };
        (resource, in_flight)
    }
}

impl Drop for Resource {
    fn drop(&mut self) {
        self.in_flight.store(self.admission.status().in_flight, SeqCst);
    }
}
