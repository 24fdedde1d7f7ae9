//! What admission did, for metrics and logs: these are the user's.

use std::time::Duration;

use crate::{
    limit::Outcome,
    line::{Class, Reason},
};

/// Is told what happens, outside of every lock. All methods do nothing by default. They run inside the requests, so they must
/// not block.
pub trait Observe: Send + Sync + 'static {
    /// A request has a place, after it waited that long (zero if a place was free).
    fn admitted(&self, _class: Class, _waited: Duration) {}

    /// A request was rejected, after it waited that long (zero if it was rejected on arrival).
    fn rejected(&self, _class: Class, _reason: Reason, _waited: Duration) {}

    /// A request went away by itself while it waited.
    fn left(&self, _class: Class, _waited: Duration) {}

    /// A request gave its place back.
    fn ended(&self, _class: Class, _outcome: Outcome, _round_trip: Duration) {}

    /// The limit in force is another one now.
    fn limit_changed(&self, _limit: u32) {}
}

/// An observer that does nothing, where no metrics are wanted.
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
