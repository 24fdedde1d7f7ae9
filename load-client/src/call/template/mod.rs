//! Compiles a message from JSON, once for all sends. The parts that are the same in every send are encoded then; each
//! send only fills in the placeholders and the lengths around them.
//!
//! The library `prost-reflect` maps JSON to protobuf: it encodes the fields without placeholders, and checks the whole
//! message with the lowest and the highest values filled in. This module only finds the placeholders.

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

/// A compiled message.
#[derive(Debug, Clone)]
pub(super) enum Template {
    /// A message without placeholders. It is the same in every send, and framed once.
    Fixed(Bytes),
    /// The pieces of a message with placeholders, which is encoded anew for each send.
    Filled(Arc<[Piece]>),
}

impl Template {
    /// Compiles JSON to a message of the given type.
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

    /// Makes the framed message of one send. `values` is called only if the message has placeholders.
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
