//! The pieces of an encoded message: bytes that are the same in every send, and placeholders between them.

use prost_reflect::Kind;

use crate::call::{
    placeholder::{Part, Placeholder, Values},
    wire,
};

/// A piece of an encoded message.
#[derive(Debug)]
pub(in crate::call) enum Piece {
    /// Encoded fields, the same in every send.
    Fixed(Vec<u8>),
    /// A field with a string.
    Text { field: u32, parts: Vec<Part> },
    /// A field with a number that is a placeholder.
    Number { field: u32, kind: Kind, value: Placeholder },
    /// A field with a message that contains placeholders.
    Nested { field: u32, pieces: Vec<Piece> },
}

/// Appends the pieces of a message to `body`, with `values` for its placeholders.
pub(super) fn append(body: &mut Vec<u8>, pieces: &[Piece], values: &mut Values<'_>) {
    for piece in pieces {
        match piece {
            Piece::Fixed(encoded) => body.extend_from_slice(encoded),
            Piece::Text { field, parts } => wire::delimited(body, *field, |body| {
                for part in parts {
                    match part {
                        Part::Literal(literal) => body.extend_from_slice(literal.as_bytes()),
                        Part::Placeholder(placeholder) => values.write(*placeholder, body),
                    }
                }
            }),
            Piece::Number { field, kind, value } => {
                let number = values.number(*value).expect("compiling let no id through here");
                wire::number(body, *field, kind, number);
            }
            Piece::Nested { field, pieces } => wire::delimited(body, *field, |body| append(body, pieces, values)),
        }
    }
}
