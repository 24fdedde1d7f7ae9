//! Flags that have no effect together with other flags that were given, or without them.

use super::{QueueKind, Settings};
use crate::work::ServiceTimeDistribution;

/// Settings that were given and have no effect. The text names them as they were given, and says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{says}")]
pub struct Contradiction {
    /// The names of the fields of [`Settings`], one or two.
    pub fields: Vec<&'static str>,
    says: String,
}

impl Settings {
    /// Checks that each flag that was given has an effect. `given` returns the name under which a field was given: its flag or its
    /// variable. It returns `None` for a default, and for a flag that a later change can give an effect.
    ///
    /// # Errors
    ///
    /// The first flags that were given and have no effect.
    pub fn contradictions(&self, given: impl Fn(&str) -> Option<String>) -> Result<(), Contradiction> {
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
        for (applies, fields, reason) in without_effect {
            if let [Some(cause), Some(other)] = fields.map(&given)
                && applies
            {
                return Err(Contradiction {
                    fields: fields.to_vec(),
                    says: format!("{cause} and {other} contradict each other: {reason}; leave one of them out"),
                });
            }
        }
        match given("fail_time") {
            Some(time) if self.fail_rate.fraction() == 0.0 => Err(Contradiction {
                fields: vec!["fail_time"],
                says: format!(
                    "{time} has no effect, because no message fails: give --fail-rate too, or leave {time} out"
                ),
            }),
            _ => Ok(()),
        }
    }
}
