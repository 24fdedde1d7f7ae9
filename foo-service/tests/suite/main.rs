//! The integration tests of foo-service, as one program: linking a score of them takes longer than running them all.

mod admin;
mod connections;
mod conservation;
mod deadlines;
mod doors;
mod drain;
mod drain_abandon;
mod guard;
mod leaving;
mod message_rules;
mod program;
mod program_drain;
mod program_flags;
mod queue;
mod queue_line;
mod support;
mod tls;
mod untrusted_calls;
mod untrusted_flags;
mod watch;
mod watch_completions;
mod work;
