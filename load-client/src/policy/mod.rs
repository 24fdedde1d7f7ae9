//! What clients do about requests that fail: pure values behind one trait, [`Policy`].
//!
//! A policy is asked before each attempt whether the client sends it, and after each attempt whether there is another one and
//! when. It sees times, outcomes and what the service says about retries, and nothing else: no clock, no socket, no task.
//! Its random numbers come from the seed, so that a run in virtual time is the same every time.

mod attempt;
mod backoff;
mod budget;
mod chain;
mod hedge;
mod pushback;
mod retries;
mod settings;
mod throttle;

pub use self::{
    attempt::{After, AttemptEnd, Before, Policy, Why},
    backoff::Backoff,
    chain::Chain,
    hedge::wins,
    pushback::{PUSHBACK, Pushback},
    settings::{BudgetSettings, PolicySettings, RetryOn, ThrottleKind, ThrottleSettings},
};
