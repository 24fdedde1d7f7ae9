//! Finds the modules of a crate and which of them use each other, by reading the source text. The tests of this crate check
//! the workspace's rules with it.
//!
//! Paths count wherever they are written: in a `use`, in a type, in a function body, in the arguments of a macro.

mod tree;

mod paths;

pub use self::tree::{Crate, ITSELF, Use, sources};
