//! Simulations of overload control by discrete events: the real controllers of `tower-admission` in front of simulated
//! workers. `scripts/bench regret` prints the tables of docs/overload.md with them.
//!
//! The modules stand in the order in which data flows; a module imports only from modules below it.

pub mod picture;

pub mod searches;

pub mod scripts;

pub mod regret;

pub mod table;

pub mod many;

pub mod world;

pub mod record;

pub mod policy;

pub mod scenario;
