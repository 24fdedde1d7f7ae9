//! The parts of protobuf's wire format that a template writes by itself: keys, numbers, and the lengths of fields with
//! placeholders.

use bytes::{BufMut, Bytes};
use prost_reflect::Kind;

use crate::transport::FRAME_HEADER;

// The numbers of the wire types in protobuf.
const VARINT: u32 = 0;
const FIXED64: u32 = 1;
const DELIMITED: u32 = 2;
const FIXED32: u32 = 5;

/// Makes a framed gRPC message; `append` writes its content.
pub(super) fn framed(append: impl FnOnce(&mut Vec<u8>)) -> Bytes {
    let mut framed = vec![0; FRAME_HEADER];
    append(&mut framed);
    let length = u32::try_from(framed.len() - FRAME_HEADER).expect("messages are far below 4 GiB");
    (&mut framed[1..FRAME_HEADER]).put_u32(length);
    framed.into()
}

/// Appends a field with its length before its content; `append` writes the content.
pub(super) fn delimited(body: &mut Vec<u8>, field: u32, append: impl FnOnce(&mut Vec<u8>)) {
    key(body, field, DELIMITED);
    let start = body.len();
    append(body);
    // Moving the content to make room for the length is cheaper than a second buffer, or than computing the length
    // beforehand.
    let (length, bytes) = varint((body.len() - start) as u64);
    body.splice(start..start, length.into_iter().take(bytes));
}

/// True for all kinds of numbers, except enumerations.
pub(super) fn is_number(kind: &Kind) -> bool {
    !matches!(
        kind,
        Kind::Bool | Kind::String | Kind::Bytes | Kind::Message(_) | Kind::Enum(_)
    )
}

/// Appends a field with a number. A number too large for a 32-bit field starts again at 0; only a counter can be so
/// large.
#[expect(
    clippy::cast_possible_truncation,
    reason = "masked, or checked against its kind before"
)]
pub(super) fn number(body: &mut Vec<u8>, field: u32, kind: &Kind, number: i64) {
    let narrow = if number > i64::from(i32::MAX) && !matches!(kind, Kind::Uint32 | Kind::Fixed32) {
        (number & i64::from(i32::MAX)) as i32
    } else {
        number as i32
    };
    match kind {
        Kind::Int32 => variable(body, field, i64::from(narrow).cast_unsigned()),
        Kind::Uint32 => variable(body, field, u64::from(narrow.cast_unsigned())),
        Kind::Int64 | Kind::Uint64 => variable(body, field, number.cast_unsigned()),
        Kind::Sint32 => variable(body, field, zigzag(narrow.into())),
        Kind::Sint64 => variable(body, field, zigzag(number)),
        Kind::Fixed32 | Kind::Sfixed32 => {
            key(body, field, FIXED32);
            body.put_i32_le(narrow);
        }
        Kind::Fixed64 | Kind::Sfixed64 => {
            key(body, field, FIXED64);
            body.put_i64_le(number);
        }
        Kind::Float => {
            key(body, field, FIXED32);
            body.put_f32_le(number as f32);
        }
        Kind::Double => {
            key(body, field, FIXED64);
            body.put_f64_le(number as f64);
        }
        Kind::Bool | Kind::String | Kind::Bytes | Kind::Message(_) | Kind::Enum(_) => {
            unreachable!("compiling lets only numbers through here")
        }
    }
}

fn variable(body: &mut Vec<u8>, field: u32, value: u64) {
    key(body, field, VARINT);
    let (value, bytes) = varint(value);
    body.extend_from_slice(&value[..bytes]);
}

fn key(body: &mut Vec<u8>, field: u32, wire_type: u32) {
    let (key, bytes) = varint(u64::from(field << 3 | wire_type));
    body.extend_from_slice(&key[..bytes]);
}

/// Encodes a number with seven bits per byte, the lowest first; returns the bytes and how many of them are used.
#[expect(clippy::cast_possible_truncation, reason = "the low byte is meant")]
fn varint(mut value: u64) -> ([u8; 10], usize) {
    let mut varint = [0; 10];
    let mut bytes = 0;
    while value >= 0x80 {
        varint[bytes] = value as u8 | 0x80;
        value >>= 7;
        bytes += 1;
    }
    varint[bytes] = value as u8;
    (varint, bytes + 1)
}

/// Maps positive and negative numbers of small magnitude to small unsigned numbers.
fn zigzag(value: i64) -> u64 {
    (value << 1 ^ value >> 63).cast_unsigned()
}
