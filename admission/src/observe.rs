//! Callbacks for metrics and logs. The crate itself records neither.

use std::time::Duration;

use crate::{
    limit::Outcome,
    line::{Class, Reason},
};

/// Callbacks of an [`Admission`](crate::room::Admission), called with no lock held. By default all do nothing. They run inside the
/// requests, so they must not block.
pub trait Observe: Send + Sync + 'static {
    /// A request was admitted after a wait of `waited` (zero if a place was free).
    fn admitted(&self, _class: Class, _waited: Duration) {}

    /// A request was rejected after a wait of `waited` (zero if it was rejected on arrival).
    fn rejected(&self, _class: Class, _reason: Reason, _waited: Duration) {}

    /// The caller of a waiting request went away, after a wait of `waited`.
    fn left(&self, _class: Class, _waited: Duration) {}

    /// An admitted request ended, `round_trip` after its admission.
    fn ended(&self, _class: Class, _outcome: Outcome, _round_trip: Duration) {}

    /// The limit in force changed to `limit`.
    fn limit_changed(&self, _limit: u32) {}
}

/// An observer that does nothing, for users without metrics.
impl Observe for () {}

impl<O: Observe + ?Sized> Observe for std::sync::Arc<O> {
    fn admitted(&self, class: Class, waited: Duration) {
        (**self).admitted(class, waited);
    }

    fn rejected(&self, class: Class, reason: Reason, waited: Duration) {
        (**self).rejected(class, reason, waited);
    }

    fn left(&self, class: Class, waited: Duration) {
        (**self).left(class, waited);
    }

    fn ended(&self, class: Class, outcome: Outcome, round_trip: Duration) {
        (**self).ended(class, outcome, round_trip);
    }

    fn limit_changed(&self, limit: u32) {
        (**self).limit_changed(limit);
    }
}
