//! The flags of connections, which apply to calls of every method.

use std::time::Duration;

use clap::Args;
use foo_flags::whole;

use super::values::positive_duration;
use crate::transport::dial::ConnectionOptions;

/// The largest value of --max-message-size (arbitrary: answers are held in memory, one for each call in flight).
const LARGEST_MESSAGE: u64 = 1 << 30;

/// The flags for all connections.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Connections")]
pub struct ConnectionArgs {
    /// Interval between pings on a connection with calls in flight. The connection is replaced if no answer comes within the
    /// same time (at most 20s). Servers of gRPC's own libraries close connections with frequent pings [default: no pings]
    #[arg(long, env = "LOAD_KEEPALIVE", value_name = "INTERVAL", value_parser = positive_duration)]
    keepalive: Option<Duration>,

    /// Maximum size of an answer in bytes, before and after decompression
    #[arg(long, env = "LOAD_MAX_MESSAGE_SIZE", value_name = "SIZE", default_value = "4MiB", value_parser = message_size)]
    max_message_size: usize,
}

impl ConnectionArgs {
    /// The options of connections with these flags.
    pub fn options(&self) -> ConnectionOptions {
        ConnectionOptions {
            keepalive: self.keepalive,
            max_message_size: self.max_message_size,
        }
    }
}

fn message_size(text: &str) -> Result<usize, String> {
    let bytes = whole(text).map_err(|error| format!("{error}; write it as 16MiB"))?;
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
