//! All tests that run the program, in one binary, because linking one binary is much faster than linking one per file.

mod any_service;
mod capacity;
mod credentials;
#[cfg(feature = "embedded")]
mod defaults;
mod documentation;
mod gates;
mod handbook;
mod hard_targets;
mod health;
mod html;
mod inputs;
#[cfg(feature = "embedded")]
mod lab_errors;
#[cfg(feature = "embedded")]
mod lab_events;
#[cfg(feature = "embedded")]
mod labs;
mod live_metrics;
#[cfg(feature = "embedded")]
mod metastable;
mod outputs;
#[cfg(feature = "embedded")]
mod priorities;
mod real_time;
mod remote;
mod report_schema;
#[cfg(feature = "embedded")]
mod results;
mod retries;
mod saved;
mod schedule;
#[cfg(feature = "embedded")]
mod scripts;
mod selftest;
mod several;
mod shared_queue;
#[cfg(feature = "embedded")]
mod simulated;
#[cfg(feature = "embedded")]
mod stack_strategies;
#[cfg(feature = "embedded")]
mod step_and_spike;
mod stop;
mod support;
#[cfg(feature = "embedded")]
mod sweep;
mod theory;
mod tls;
mod trace;
mod untrusted;
mod verdict;
mod worked_example;
