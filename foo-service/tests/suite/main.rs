//! The integration tests of foo-service, as one program, because linking 20 programs takes longer than running all tests.

mod admin;
mod changes;
mod connections;
mod conservation;
mod deadlines;
mod doors;
mod drain;
mod drain_abandon;
mod drain_delay;
mod durable;
mod durable_limits;
mod expiry;
mod guard;
mod gzip;
mod leaving;
mod lines;
mod message_rules;
mod program;
mod program_descriptors;
mod program_drain;
mod program_environment;
mod program_flags;
mod program_health;
mod program_log;
mod queue;
mod queue_line;
mod reasons;
#[cfg(feature = "nats")]
mod shared_queue;
#[cfg(feature = "nats")]
mod shared_queue_limits;
#[cfg(feature = "nats")]
mod shared_queue_server;
mod support;
mod tls;
mod untrusted_calls;
mod untrusted_flags;
mod watch;
mod watch_completions;
mod work;
