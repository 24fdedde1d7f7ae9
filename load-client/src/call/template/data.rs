//! JSON with placeholders in its strings.

use serde_json::Value;

use crate::call::{
    placeholder::{Part, Placeholder, parse},
    template_error::TemplateError,
};

/// Whether each placeholder can be read, and stands in a value.
pub(super) fn check_placeholders(data: &Value) -> Result<(), TemplateError> {
    match data {
        Value::String(text) => parse(text).map(drop).map_err(TemplateError::Placeholder),
        Value::Array(elements) => elements.iter().try_for_each(check_placeholders),
        Value::Object(entries) => entries.iter().try_for_each(|(name, value)| {
            if name.contains("{{") {
                return Err(TemplateError::misplaced(name));
            }
            check_placeholders(value)
        }),
        _ => Ok(()),
    }
}

/// Whether there is a placeholder anywhere in the data.
pub(super) fn has_placeholder(data: &Value) -> bool {
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
pub(super) fn unescape(data: &mut Value) {
    fill(data, Extreme::Lowest);
}

/// A value that stands for all that a placeholder can have.
#[derive(Debug, Clone, Copy)]
pub(super) enum Extreme {
    Lowest,
    Highest,
}

/// Data as it looks with such values. What fits a field at both ends fits it in between.
pub(super) fn fill(data: &mut Value, extreme: Extreme) {
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
