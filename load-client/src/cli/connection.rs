//! The flags of connections, which apply to calls of every method.

use std::time::Duration;

use clap::Args;

use super::values::positive_duration;
use crate::transport::dial::ConnectionOptions;

/// The largest value of --max-message-size (arbitrary: answers are held in memory, one for each call in flight).
const LARGEST_MESSAGE: u64 = 1 << 30;

/// How connections behave.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Connections")]
pub struct ConnectionArgs {
    /// Ping a connection with calls in flight so often, and replace it when no answer comes in the same time (20s at most).
    /// Servers may forbid frequent pings: gRPC's own close connections for them [default: never]
    #[arg(long, env = "LOAD_KEEPALIVE", value_name = "INTERVAL", value_parser = positive_duration)]
    keepalive: Option<Duration>,

    /// The largest answer that is accepted, in bytes, also once it is decompressed
    #[arg(long, env = "LOAD_MAX_MESSAGE_SIZE", value_name = "SIZE", default_value = "4MiB", value_parser = message_size)]
    max_message_size: usize,
}

impl ConnectionArgs {
    /// What these flags say of connections.
    pub fn options(&self) -> ConnectionOptions {
        ConnectionOptions {
            keepalive: self.keepalive,
            max_message_size: self.max_message_size,
        }
    }
}

fn message_size(text: &str) -> Result<usize, String> {
    let bytes = parse_size::parse_size(text).map_err(|error| format!("{error}; write it as 16MiB"))?;
    if !(1..=LARGEST_MESSAGE).contains(&bytes) {
        return Err("must be from 1 byte to 1GiB".to_owned());
    }
    usize::try_from(bytes).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_size_has_a_unit_and_a_range() {
        assert_eq!(message_size("16MiB"), Ok(16 << 20));
        assert_eq!(message_size("1"), Ok(1));
        for wrong in ["0", "2GiB", "", "x", "-1"] {
            assert!(message_size(wrong).is_err(), "{wrong}");
        }
    }
}
