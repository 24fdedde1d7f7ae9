//! Compiles JSON with placeholders to the pieces of a message.

use prost::Message as _;
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MessageDescriptor};
use serde_json::{Map, Value, json};

use super::{
    data::{has_placeholder, unescape},
    piece::Piece,
};
use crate::call::{
    fields::{field_named, is_well_known},
    placeholder::{Part, Placeholder, parse},
    template_error::TemplateError,
    unfit::unfit,
    wire,
};

/// Compiles a message that has a placeholder somewhere. `place` names the message in errors.
pub(super) fn pieces(message: &MessageDescriptor, data: &Value, place: &str) -> Result<Vec<Piece>, TemplateError> {
    let Value::Object(entries) = data else {
        // In JSON, a wrapper such as StringValue is only the value in it.
        return match message.get_field_by_name("value") {
            Some(value) if is_well_known(message) && message.fields().len() == 1 => Ok(vec![single(&value, data)?]),
            _ => Err(TemplateError::misplaced(place)),
        };
    };
    if is_well_known(message) {
        return Err(TemplateError::misplaced(place));
    }
    let (filled, mut fixed): (Map<_, _>, Map<_, _>) = entries
        .clone()
        .into_iter()
        .partition(|(_, value)| has_placeholder(value));
    fixed.values_mut().for_each(unescape);
    let mut pieces = vec![Piece::Fixed(encode(message, &fixed.into())?)];
    for (name, value) in &filled {
        // The data has been checked, so a name that is not a field of the message is the name of an extension.
        let field = field_named(message, name).ok_or_else(|| TemplateError::misplaced(name))?;
        pieces.extend(self::field(message, &field, value)?);
    }
    Ok(pieces)
}

fn field(message: &MessageDescriptor, field: &FieldDescriptor, value: &Value) -> Result<Vec<Piece>, TemplateError> {
    match (value, field.kind()) {
        (Value::Object(entries), Kind::Message(entry)) if field.is_map() => entries
            .iter()
            .map(|(key, value)| {
                Ok(Piece::Nested {
                    field: field.number(),
                    pieces: pieces(&entry, &json!({"key": key, "value": value}), field.full_name())?,
                })
            })
            .collect(),
        (Value::Array(elements), _) if field.is_list() => elements
            .iter()
            .map(|element| {
                if has_placeholder(element) {
                    return single(field, element);
                }
                let mut list = json!({field.json_name(): [element]});
                unescape(&mut list);
                Ok(Piece::Fixed(encode(message, &list)?))
            })
            .collect(),
        _ => Ok(vec![single(field, value)?]),
    }
}

fn single(field: &FieldDescriptor, value: &Value) -> Result<Piece, TemplateError> {
    let number = field.number();
    let parts = |text: &str| parse(text).map_err(TemplateError::Placeholder);
    match (field.kind(), value) {
        (Kind::Message(message), value) if !field.is_group() => Ok(Piece::Nested {
            field: number,
            pieces: pieces(&message, value, field.full_name())?,
        }),
        (Kind::String, Value::String(text)) => Ok(Piece::Text {
            field: number,
            parts: parts(text)?,
        }),
        (kind, Value::String(text)) if wire::is_number(&kind) => match parts(text)?[..] {
            [Part::Placeholder(value)] if value != Placeholder::Id => Ok(Piece::Number {
                field: number,
                kind,
                value,
            }),
            _ => Err(TemplateError::Misplaced {
                field: field.full_name().to_owned(),
                reason: "a number is one {{counter}} or {{random FROM TO}} and nothing else",
            }),
        },
        _ => Err(TemplateError::misplaced(field.full_name())),
    }
}

/// Encodes data without placeholders.
pub(super) fn encode(message: &MessageDescriptor, data: &Value) -> Result<Vec<u8>, TemplateError> {
    match DynamicMessage::deserialize(message.clone(), data) {
        Ok(encodable) => Ok(encodable.encode_to_vec()),
        Err(error) => Err(unfit(message, data, &error)),
    }
}
