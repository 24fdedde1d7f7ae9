//! The modules of a crate and what they use of each other, read from the source text: the tests of this crate hold the
//! workspace's rules against it.
//!
//! Paths count wherever they are written: in a `use`, in a type, in a function body, in the arguments of a macro.

mod tree;

mod paths;

pub use self::tree::{Crate, ITSELF, Use, sources};
