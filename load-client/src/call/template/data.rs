//! Checks and fills in the placeholders in the strings of JSON data.

use serde_json::Value;

use crate::call::{
    placeholder::{Part, Placeholder, parse},
    template_error::TemplateError,
};

/// Checks that each placeholder can be read, and that none is in the name of a field.
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

/// True if a placeholder is anywhere in the data.
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

/// Replaces each `{{{{` by `{{` in data without placeholders.
pub(super) fn unescape(data: &mut Value) {
    fill(data, Extreme::Lowest);
}

/// Which of its possible values a placeholder is replaced by.
#[derive(Debug, Clone, Copy)]
pub(super) enum Extreme {
    Lowest,
    Highest,
}

/// Replaces the placeholders in `data` by their lowest or highest values. If a field can hold both, it can hold all
/// values between.
pub(super) fn fill(data: &mut Value, extreme: Extreme) {
    match data {
        Value::String(text) => {
            let parts = parse(text).unwrap_or_default();
            *text = parts
                .into_iter()
                .map(|part| match (part, extreme) {
                    (Part::Literal(literal), _) => literal,
                    // A counter always fits: when it outgrows its field, it starts again at 0.
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
