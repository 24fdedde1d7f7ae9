//! Flags that have no effect beside other flags that were given, or without them.

use super::{QueueKind, Settings};
use crate::work::ServiceTimeDistribution;

impl Settings {
    /// Flags that were given and have no effect. `given` has the name under which a field was given:
    /// its flag or its variable; `None` for a default, and for a flag that has an effect by a later change.
    ///
    /// # Errors
    ///
    /// Their names, and what to do.
    pub fn contradictions(&self, given: impl Fn(&str) -> Option<String>) -> Result<(), String> {
        let without_effect = [
            (
                self.queue == QueueKind::Unbounded,
                ["queue", "queue_capacity"],
                "an unbounded queue has no capacity",
            ),
            (
                self.queue == QueueKind::Unbounded,
                ["queue", "when_full"],
                "an unbounded queue is never full",
            ),
            (
                self.service_time.is_zero() && self.service_time_distribution != ServiceTimeDistribution::Constant,
                ["service_time", "service_time_distribution"],
                "a service time of 0s does not vary",
            ),
            (
                self.line.name == "shed",
                ["line", "max_waiting"],
                "with the line shed no call waits",
            ),
            (
                self.line.name == "shed",
                ["line", "classes"],
                "with the line shed no call waits, so none comes first",
            ),
            (
                matches!(self.line.name, "shed" | "fifo" | "lifo"),
                ["line", "target_wait"],
                "this line does not look at how long calls wait",
            ),
        ];
        for (applies, names, reason) in without_effect {
            if let [Some(cause), Some(other)] = names.map(&given)
                && applies
            {
                return Err(format!(
                    "{cause} and {other} contradict each other: {reason}; leave one of them out"
                ));
            }
        }
        match given("fail_time") {
            Some(time) if self.fail_rate.fraction() == 0.0 => Err(format!(
                "{time} has no effect, because no message fails: give --fail-rate too, or leave {time} out"
            )),
            _ => Ok(()),
        }
    }
}
