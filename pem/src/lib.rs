//! Certificates and private keys from PEM files, with words for what is wrong with them and how to mend it.
//!
//! The texts say what the file is or holds, in the form "FLAG FILE: TEXT"; the caller adds the flag and the file's name.

#![warn(clippy::unwrap_used)]

mod file;
mod pair;

pub use self::{
    file::{certificates, certificates_in, key, key_in},
    pair::{Fault, caveats, pair},
};
