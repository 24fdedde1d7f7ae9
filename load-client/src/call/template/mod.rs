//! A message from JSON, compiled once: what is the same in every send is encoded then; per send only the placeholders are
//! filled in, and the lengths around them.
//!
//! `prost-reflect` knows how JSON maps to protobuf, and does all of that here: it encodes what has no placeholder, and
//! checks the whole with the lowest and the highest values filled in. This module only walks to the placeholders.

mod compile;
mod data;
mod piece;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use bytes::Bytes;
use prost_reflect::MessageDescriptor;
use serde_json::Value;

use self::{
    compile::{encode, pieces},
    data::{Extreme, check_placeholders, fill, has_placeholder, unescape},
    piece::{Piece, append},
};
use super::{placeholder::Values, template_error::TemplateError, wire};

/// A message, ready to be filled in.
#[derive(Debug, Clone)]
pub(super) enum Template {
    /// The same in every send: framed once.
    Fixed(Bytes),
    /// In pieces, because it has placeholders: encoded anew for each request.
    Filled(Arc<[Piece]>),
}

impl Template {
    /// Compiles JSON to messages of a type.
    pub(super) fn compile(message: &MessageDescriptor, data: &str) -> Result<Self, TemplateError> {
        let mut data: Value = serde_json::from_str(data)?;
        check_placeholders(&data)?;
        if !has_placeholder(&data) {
            unescape(&mut data);
            let encoded = encode(message, &data)?;
            return Ok(Self::Fixed(wire::framed(|body| body.extend_from_slice(&encoded))));
        }
        for extreme in [Extreme::Lowest, Extreme::Highest] {
            let mut sample = data.clone();
            fill(&mut sample, extreme);
            encode(message, &sample)?;
        }
        Ok(Self::Filled(pieces(message, &data, message.full_name())?.into()))
    }

    /// The message of one send, framed.
    pub(super) fn fill<'a>(&self, values: impl FnOnce() -> Values<'a>) -> Bytes {
        match self {
            Self::Fixed(framed) => framed.clone(),
            Self::Filled(pieces) => {
                let mut values = values();
                wire::framed(|body| append(body, pieces, &mut values))
            }
        }
    }
}
