//! A message from JSON, compiled once: what is the same in every send is encoded then; per send only the placeholders are
//! filled in, and the lengths around them.
//!
//! `prost-reflect` knows how JSON maps to protobuf, and does all of that here: it encodes what has no placeholder, and
//! checks the whole with the lowest and the highest values filled in. This file only walks to the placeholders.

use std::sync::Arc;

use bytes::Bytes;
use prost::Message as _;
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MessageDescriptor};
use serde_json::{Map, Value, json};

use super::{
    placeholder::{Part, Placeholder, Values, parse},
    unfit::unfit,
    wire,
};

/// A message, ready to be filled in.
#[derive(Debug, Clone)]
pub(super) enum Template {
    /// The same in every send: framed once.
    Fixed(Bytes),
    /// With placeholders.
    Filled(Arc<[Piece]>),
}

/// A piece of an encoded message.
#[derive(Debug)]
pub(super) enum Piece {
    /// Encoded fields, the same in every send.
    Fixed(Vec<u8>),
    /// A string.
    Text { field: u32, parts: Vec<Part> },
    /// A number.
    Number { field: u32, kind: Kind, value: Placeholder },
    /// A message with placeholders in it.
    Nested { field: u32, pieces: Vec<Piece> },
}

/// Why data does not make a message.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// Not even JSON.
    #[error(
        "the data is not JSON: {0}. Placeholders stand inside strings, also where a number is meant: \"{{{{counter}}}}\""
    )]
    Json(#[from] serde_json::Error),
    /// JSON, but not of this type.
    #[error("the data does not fit {message}: {reason}. {hint}")]
    Unfit {
        /// The type's name.
        message: String,
        /// What does not fit.
        reason: String,
        /// How it is written.
        hint: String,
    },
    /// A placeholder that is none.
    #[error("in the data, {0}")]
    Placeholder(String),
    /// A placeholder where none can be.
    #[error("{field} cannot have a placeholder: {reason}")]
    Misplaced {
        /// Where it stands.
        field: String,
        /// What can have one.
        reason: &'static str,
    },
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

fn append(body: &mut Vec<u8>, pieces: &[Piece], values: &mut Values<'_>) {
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

/// The pieces of a message that has a placeholder somewhere.
fn pieces(message: &MessageDescriptor, data: &Value, place: &str) -> Result<Vec<Piece>, TemplateError> {
    let Value::Object(entries) = data else {
        // JSON writes a wrapper as the value that it wraps.
        return match message.get_field_by_name("value") {
            Some(value) if is_well_known(message) && message.fields().len() == 1 => Ok(vec![single(&value, data)?]),
            _ => Err(misplaced(place)),
        };
    };
    if is_well_known(message) {
        return Err(misplaced(place));
    }
    let (filled, mut fixed): (Map<_, _>, Map<_, _>) = entries
        .clone()
        .into_iter()
        .partition(|(_, value)| has_placeholder(value));
    fixed.values_mut().for_each(unescape);
    let mut pieces = vec![Piece::Fixed(encode(message, &fixed.into())?)];
    for (name, value) in &filled {
        // An extension is the one name in JSON that is no field of its message.
        let field = field_named(message, name).ok_or_else(|| misplaced(name))?;
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
        _ => Err(misplaced(field.full_name())),
    }
}

fn misplaced(field: &str) -> TemplateError {
    TemplateError::Misplaced {
        field: field.to_owned(),
        reason: "only strings and numbers can, and messages of these",
    }
}

/// A type that JSON writes in a way of its own.
pub(super) fn is_well_known(message: &MessageDescriptor) -> bool {
    message.package_name() == "google.protobuf"
}

fn encode(message: &MessageDescriptor, data: &Value) -> Result<Vec<u8>, TemplateError> {
    match DynamicMessage::deserialize(message.clone(), data) {
        Ok(encodable) => Ok(encodable.encode_to_vec()),
        Err(error) => Err(unfit(message, data, &error)),
    }
}

/// By the name that JSON prefers, or the one in the .proto.
pub(super) fn field_named(message: &MessageDescriptor, name: &str) -> Option<FieldDescriptor> {
    message
        .get_field_by_json_name(name)
        .or_else(|| message.get_field_by_name(name))
}

fn check_placeholders(data: &Value) -> Result<(), TemplateError> {
    match data {
        Value::String(text) => parse(text).map(drop).map_err(TemplateError::Placeholder),
        Value::Array(elements) => elements.iter().try_for_each(check_placeholders),
        Value::Object(entries) => entries.iter().try_for_each(|(name, value)| {
            if name.contains("{{") {
                return Err(misplaced(name));
            }
            check_placeholders(value)
        }),
        _ => Ok(()),
    }
}

fn has_placeholder(data: &Value) -> bool {
    match data {
        Value::String(text) => {
            parse(text).is_ok_and(|parts| parts.iter().any(|part| matches!(part, Part::Placeholder(_))))
        }
        Value::Array(elements) => elements.iter().any(has_placeholder),
        Value::Object(entries) => entries.values().any(has_placeholder),
        _ => false,
    }
}

/// Data that has no placeholder, with its literal braces as they are meant.
fn unescape(data: &mut Value) {
    fill(data, Extreme::Lowest);
}

/// A value that stands for all that a placeholder can have.
#[derive(Debug, Clone, Copy)]
enum Extreme {
    Lowest,
    Highest,
}

/// Data as it looks with such values. What fits a field at both ends fits it in between.
fn fill(data: &mut Value, extreme: Extreme) {
    match data {
        Value::String(text) => {
            let parts = parse(text).unwrap_or_default();
            *text = parts
                .into_iter()
                .map(|part| match (part, extreme) {
                    (Part::Literal(literal), _) => literal,
                    // A counter goes on for as long as it has to; its field has it from the front again.
                    (Part::Placeholder(Placeholder::Counter), _) => "0".to_owned(),
                    (Part::Placeholder(Placeholder::Random { from, .. }), Extreme::Lowest) => from.to_string(),
                    (Part::Placeholder(Placeholder::Random { to, .. }), Extreme::Highest) => to.to_string(),
                    (Part::Placeholder(Placeholder::Id), _) => "id".to_owned(),
                })
                .collect();
        }
        Value::Array(elements) => elements.iter_mut().for_each(|element| fill(element, extreme)),
        Value::Object(entries) => entries.values_mut().for_each(|value| fill(value, extreme)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{call::Ticket, transport::FRAME_HEADER};

    const PROTO: &str = r#"
        syntax = "proto3";
        package t;
        import "google/protobuf/duration.proto";
        import "google/protobuf/struct.proto";
        import "google/protobuf/wrappers.proto";
        message All {
            int32 int32 = 1; int64 int64 = 2; uint32 uint32 = 3; uint64 uint64 = 4;
            sint32 sint32 = 5; sint64 sint64 = 6; fixed32 fixed32 = 7; fixed64 fixed64 = 8;
            sfixed32 sfixed32 = 9; sfixed64 sfixed64 = 10; float float = 11; double double = 12;
            string text_field = 13; bytes bytes = 14; bool bool = 15;
            All nested = 16;
            repeated string texts = 17; repeated int32 numbers = 18; repeated All list = 19;
            map<string, int64> counts = 20; map<int32, All> by_number = 21;
            google.protobuf.StringValue wrapped = 22; google.protobuf.Duration duration = 23;
            google.protobuf.Struct struct = 24;
            oneof choice { string this = 25; string that = 26; }
        }
    "#;

    fn all() -> MessageDescriptor {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("t.proto");
        std::fs::write(&file, PROTO).unwrap();
        let mut compiler = protox::Compiler::new([folder.path()]).unwrap();
        let pool = compiler.open_file(&file).unwrap().descriptor_pool();
        pool.get_message_by_name("t.All").unwrap()
    }

    fn values<'a>(client: u64, number: u64) -> Values<'a> {
        let ticket = Ticket {
            run_id: "run",
            client,
            number,
            demand: None,
        };
        Values::new(ticket, 1000, 1)
    }

    /// A send's message, as its receiver reads it.
    fn received(data: &Value, client: u64, number: u64) -> Value {
        let all = all();
        let template = Template::compile(&all, &data.to_string()).unwrap();
        let framed = template.fill(|| values(client, number));
        let length = u32::try_from(framed.len() - FRAME_HEADER).unwrap().to_be_bytes();
        assert_eq!(framed[..FRAME_HEADER], [&[0], &length[..]].concat());
        let message = DynamicMessage::decode(all, framed.slice(FRAME_HEADER..)).unwrap();
        serde_json::to_value(message).unwrap()
    }

    fn refused(data: &str) -> String {
        Template::compile(&all(), data).unwrap_err().to_string()
    }

    #[test]
    fn every_kind_of_number_can_be_a_placeholder() {
        for name in ["int32", "uint32", "sint32", "fixed32", "sfixed32"] {
            assert_eq!(
                received(&json!({name: "{{counter}}"}), 7, 300),
                json!({name: 300_007}),
                "{name}"
            );
        }
        for name in ["int64", "uint64", "sint64", "fixed64", "sfixed64"] {
            assert_eq!(
                received(&json!({name: "{{counter}}"}), 7, 300),
                json!({name: "300007"}),
                "{name}"
            );
        }
        for name in ["float", "double"] {
            assert_eq!(
                received(&json!({name: "{{counter}}"}), 7, 300),
                json!({name: 300_007.0}),
                "{name}"
            );
        }
        for name in ["int32", "sint32", "sfixed32"] {
            assert_eq!(
                received(&json!({name: "{{random -3 -3}}"}), 0, 0),
                json!({name: -3}),
                "{name}"
            );
        }
        for name in ["int64", "sint64", "sfixed64"] {
            assert_eq!(
                received(&json!({name: "{{random -3 -3}}"}), 0, 0),
                json!({name: "-3"}),
                "{name}"
            );
        }
    }

    #[test]
    fn a_counter_that_outgrows_its_field_starts_again() {
        assert_eq!(
            received(&json!({"int32": "{{counter}}"}), 0, 2_147_484),
            json!({"int32": 352})
        );
        assert_eq!(
            received(&json!({"uint32": "{{counter}}"}), 0, 4_294_968),
            json!({"uint32": 704})
        );
    }

    #[test]
    fn placeholders_stand_anywhere_in_a_message() {
        let data = json!({
            "textField": "{{id}} of {{counter}}",
            "nested": {"nested": {"text_field": "{{counter}}", "int32": 5}, "bool": true},
            "texts": ["a", "{{counter}}", "{{{{b"],
            "numbers": [1, "{{counter}}", 3],
            "list": [{"int32": 1}, {"int32": "{{counter}}"}],
            "counts": {"a": "{{counter}}", "b": 2},
            "byNumber": {"5": {"textField": "{{counter}}"}},
            "wrapped": "{{counter}}",
            "duration": "2.500s",
            "struct": {"any": ["thing", 1.0]},
            "bytes": "AAEC",
        });
        let mut expected = data.clone();
        for (pointer, value) in [
            ("/textField", json!("run/1/2 of 2001")),
            ("/nested/nested", json!({"textField": "2001", "int32": 5})),
            ("/texts", json!(["a", "2001", "{{b"])),
            ("/numbers", json!([1, 2001, 3])),
            ("/list/1/int32", json!(2001)),
            ("/counts", json!({"a": "2001", "b": "2"})),
            ("/byNumber/5/textField", json!("2001")),
            ("/wrapped", json!("2001")),
        ] {
            *expected.pointer_mut(pointer).unwrap() = value;
        }
        assert_eq!(received(&data, 1, 2), expected);
    }

    #[test]
    fn a_message_longer_than_a_byte_can_count_has_the_right_lengths() {
        let long = "x".repeat(20_000);
        let data = json!({"nested": {"nested": {"textField": format!("{long}{{{{counter}}}}")}}});
        let expected = json!({"nested": {"nested": {"textField": format!("{long}5")}}});
        assert_eq!(received(&data, 5, 0), expected);
    }

    #[test]
    fn a_message_without_placeholders_is_encoded_once() {
        let template = Template::compile(&all(), r#"{"textField": "{{{{counter}}"}"#).unwrap();
        let Template::Fixed(framed) = &template else {
            panic!("{template:?}")
        };
        let sent = template.fill(|| unreachable!("there is nothing to fill in"));
        assert_eq!(sent.as_ptr(), framed.as_ptr());
        assert_eq!(
            received(&json!({"textField": "{{{{counter}}"}), 0, 0),
            json!({"textField": "{{counter}}"})
        );
    }

    #[test]
    fn wrong_data_is_refused_with_what_is_right() {
        for (data, said) in [
            ("{", "not JSON"),
            (r#"{"int32": {{counter}}}"#, "inside strings"),
            ("[]", "t.All"),
            (r#"{"nane": 1}"#, "'nane'. t.All has the fields int32, int64"),
            (r#"{"nested": {"nane": "{{id}}"}}"#, "'nane'"),
            (r#"{"text_fild": 1}"#, "did you mean 'text_field'?"),
            (r#"{"list": [{}, {"int32": "x"}]}"#, "(int32 is wanted, \"x\" is given)"),
            (r#"{"byNumber": {"5": {"flaot": 1}}}"#, "did you mean 'float'?"),
            (
                r#"{"duration": {"seconds": 5}}"#,
                "google.protobuf.Duration is written as \"1.5s\"",
            ),
            (
                r#"{"wrapped": {"value": "x"}}"#,
                "google.protobuf.StringValue is written as \"text\"",
            ),
            (r#"{"int32": "{{id}}"}"#, "int32"),
            (
                r#"{"int32": "1{{counter}}"}"#,
                "t.All.int32 cannot have a placeholder: a number is one",
            ),
            (r#"{"int32": "{{random 0 2147483648}}"}"#, "int32: number too large"),
            (
                r#"{"nested": {"nested": {"int32": true}}}"#,
                "t.All: int32: invalid type",
            ),
            (r#"{"uint32": "{{random -1 5}}"}"#, "uint32: "),
            (r#"{"this": "{{id}}", "that": "x"}"#, "choice"),
            (r#"{"bool": "{{counter}}"}"#, "bool"),
            (
                r#"{"bytes": "AA{{counter}}="}"#,
                "t.All.bytes cannot have a placeholder",
            ),
            (
                r#"{"duration": "{{counter}}s"}"#,
                "t.All.duration cannot have a placeholder",
            ),
            (
                r#"{"struct": {"a": "{{counter}}"}}"#,
                "t.All.struct cannot have a placeholder",
            ),
            (r#"{"counts": {"{{counter}}": 1}}"#, "cannot have a placeholder"),
            (r#"{"textField": "{{conter}}"}"#, "{{counter}}"),
        ] {
            let error = refused(data);
            assert!(error.contains(said), "{data}: {error}");
            assert!(!error.contains('\n'), "one line: {error}");
        }
    }
}
