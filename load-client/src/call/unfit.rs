//! Explains why data does not fit a message type: which field is wrong, why, and how the type is written in JSON.

use prost_reflect::{DynamicMessage, EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor};
use serde_json::{Value, json};

use super::{
    fields::{field_named, is_well_known},
    template_error::TemplateError,
};
use crate::nearest::nearest;

/// The most names that an error lists (arbitrary: one can still read the line).
const MOST_NAMES: usize = 30;

/// Finds the field that does not fit, because the library gives only the reason. Values are left out of the error,
/// because they may be credentials.
pub(super) fn unfit(message: &MessageDescriptor, data: &Value, error: &serde_json::Error) -> TemplateError {
    let mut reason = without_value(&error.to_string());
    // A type with a special form in JSON has no fields there to search.
    let entries = data.as_object().filter(|_| !is_well_known(message));
    for (name, value) in entries.into_iter().flatten() {
        let Err(error) = DynamicMessage::deserialize(message.clone(), &json!({name: value})) else {
            continue;
        };
        if let Some(field) = field_named(message, name) {
            if let Some(inside) = nested(&field, value) {
                return inside;
            }
            let error = without_value(&error.to_string());
            reason = format!("{name}: {error}{}", wanted(&field.kind(), value));
        }
        break;
    }
    if let Some(unknown) = quoted(&reason, "unrecognized field name '") {
        let names: Vec<String> = message.fields().map(|field| field.name().to_owned()).collect();
        if let Some(near) = nearest(unknown, names.iter().map(String::as_str)) {
            reason = format!("{reason} (did you mean '{near}'?)");
        }
    }
    if let Some(unknown) = quoted(&reason, "message '") {
        reason = format!(
            "nothing describes the message {unknown}; give --proto or --descriptor-set with the file that does, besides \
             that of the method"
        );
    }
    TemplateError::Unfit {
        message: message.full_name().to_owned(),
        reason,
        hint: hint(message),
    }
}

/// Finds what does not fit within a field that is a message, a list of messages or a map of messages.
fn nested(field: &FieldDescriptor, value: &Value) -> Option<TemplateError> {
    let Kind::Message(message) = field.kind() else {
        return None;
    };
    let (message, values): (_, Vec<&Value>) = if field.is_map() {
        let Kind::Message(message) = message.map_entry_value_field().kind() else {
            return None;
        };
        (message, value.as_object()?.values().collect())
    } else if field.is_list() {
        (message, value.as_array()?.iter().collect())
    } else {
        (message, vec![value])
    };
    values.into_iter().find_map(|value| {
        let error = DynamicMessage::deserialize(message.clone(), value).err()?;
        Some(unfit(&message, value, &error))
    })
}

/// Says what a field of that kind accepts, if the library's error does not say it; otherwise empty.
fn wanted(kind: &Kind, value: &Value) -> String {
    match kind {
        Kind::Enum(known) => one_of(known, value),
        Kind::Message(_) | Kind::String => String::new(),
        kind => format!(
            " ({} is wanted, {} is given)",
            format!("{kind:?}").to_lowercase(),
            sort(value)
        ),
    }
}

/// The type of a JSON value in words.
fn sort(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// Removes the value from the library's error text, as in ``invalid type: integer `5`, expected a string``.
fn without_value(reason: &str) -> String {
    if let Some((before, _)) = reason.split_once("unrecognized enum value '") {
        return format!("{before}unrecognized enum value");
    }
    let repeats = ["invalid type: ", "invalid value: "]
        .iter()
        .any(|start| reason.starts_with(start));
    match (reason.find(['`', '"']), reason.rfind(", expected ")) {
        (Some(from), Some(to)) if repeats && from < to => format!("{}{}", reason[..from].trim_end(), &reason[to..]),
        _ => reason.to_owned(),
    }
}

fn one_of(known: &EnumDescriptor, value: &Value) -> String {
    let names: Vec<String> = known.values().map(|value| value.name().to_owned()).collect();
    let near = nearest(value.as_str().unwrap_or_default(), names.iter().map(String::as_str));
    let near = near.map_or_else(String::new, |near| format!(" (did you mean '{near}'?)"));
    format!("{near}; {} has {}", known.full_name(), list(names))
}

/// The text after the first `before`, up to the next quotation mark.
fn quoted<'a>(text: &'a str, before: &str) -> Option<&'a str> {
    let (_, after) = text.split_once(before)?;
    after.split_once('\'').map(|(inside, _)| inside)
}

fn list(mut names: Vec<String>) -> String {
    let left_out = names.len().saturating_sub(MOST_NAMES);
    names.truncate(MOST_NAMES);
    let names = names.join(", ");
    if left_out > 0 {
        format!("{names} and {left_out} more")
    } else {
        names
    }
}

/// Says how a message of that type is written in JSON.
fn hint(message: &MessageDescriptor) -> String {
    let name = message.full_name();
    let example = match name {
        "google.protobuf.Timestamp" => r#""2026-01-31T12:00:00.5Z""#,
        "google.protobuf.Duration" => r#""1.5s""#,
        "google.protobuf.FieldMask" => r#""name,address.city""#,
        "google.protobuf.StringValue" => r#""text""#,
        "google.protobuf.BytesValue" => r#""aGVsbG8=""#,
        "google.protobuf.BoolValue" => "true",
        "google.protobuf.DoubleValue" | "google.protobuf.FloatValue" => "1.5",
        "google.protobuf.Int32Value" | "google.protobuf.UInt32Value" => "5",
        "google.protobuf.Int64Value" | "google.protobuf.UInt64Value" => r#""5" or 5"#,
        "google.protobuf.Struct" => r#"{"any": ["JSON"]}"#,
        "google.protobuf.ListValue" => r#"[1, "two"]"#,
        "google.protobuf.Any" => r#"{"@type": "type.googleapis.com/package.Message", "field": 1}"#,
        _ => {
            let fields: Vec<String> = message.fields().map(|field| field.name().to_owned()).collect();
            return if fields.is_empty() {
                format!("{name} has no fields")
            } else {
                format!("{name} has the fields {}", list(fields))
            };
        }
    };
    format!("{name} is written as {example}")
}

/// The names of the types in `@type` in the data, which `google.protobuf.Any` needs. Empty if the data is not JSON.
pub fn types_named_in(data: &str) -> Vec<String> {
    fn collect(data: &Value, names: &mut Vec<String>) {
        match data {
            Value::Object(entries) => {
                if let Some(Value::String(url)) = entries.get("@type") {
                    names.extend(url.rsplit('/').next().map(str::to_owned));
                }
                entries.values().for_each(|value| collect(value, names));
            }
            Value::Array(elements) => elements.iter().for_each(|element| collect(element, names)),
            _ => {}
        }
    }
    let mut names = Vec::new();
    if let Ok(data) = serde_json::from_str(data) {
        collect(&data, &mut names);
    }
    names.sort_unstable();
    names.dedup();
    names
}
