//! Certificates and private keys from PEM files, with words for what is wrong with them and how to mend it; and the verifier
//! of a client that takes any certificate.
//!
//! The texts say what the file is or holds, in the form "FLAG FILE: TEXT"; the caller adds the flag and the file's name.

#![warn(clippy::unwrap_used)]

mod any;
mod file;
mod pair;

pub use self::{
    any::AnyCertificate,
    file::{certificates, certificates_in, key, key_in},
    pair::{Fault, caveats, pair},
};
