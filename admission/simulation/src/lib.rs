//! Overload control in simulations by discrete events: the controllers of `tower-admission`, as they are, in front of simulated
//! workers. `scripts/bench regret` prints the tables of docs/overload.md with it.
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
