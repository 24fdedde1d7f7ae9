//! A table of flags in a lab file: each key is the long name of a flag, with the value that the flag would have.

use std::collections::BTreeMap;

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::source::{LabError, Source};

/// Flags by their long names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Table(pub(super) BTreeMap<String, Entry>);

/// The value of a flag, and where it was set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) value: Value,
    /// The line in the file; 0: the flag comes from the command line.
    pub(super) line: usize,
}

/// The value of a flag, as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    Switch(bool),
    /// A number or a text.
    One(String),
    /// The values of a flag that may be repeated.
    Many(Vec<String>),
}

impl Table {
    /// Reads a table of a lab file. The keys are not checked.
    pub(super) fn read(source: &Source<'_>, table: &DeTable<'_>) -> Result<Self, LabError> {
        let mut flags = BTreeMap::new();
        for (key, value) in table {
            let line = source.line(&key.span());
            let value = read_value(source, key.get_ref(), value)?;
            flags.insert(key.get_ref().to_string(), Entry { value, line });
        }
        Ok(Self(flags))
    }

    /// Makes a table from the flags of the command line.
    pub(super) fn given(words: &[(String, Vec<String>)]) -> Self {
        let entry = |(name, values): &(String, Vec<String>)| {
            let value = match values.as_slice() {
                [] => Value::Switch(true),
                [one] => Value::One(one.clone()),
                many => Value::Many(many.to_vec()),
            };
            (name.clone(), Entry { value, line: 0 })
        };
        Self(words.iter().map(entry).collect())
    }

    pub(super) fn get(&self, key: &str) -> Option<&Entry> {
        self.0.get(key)
    }

    /// Sets a flag as if it came from the command line.
    pub(super) fn set(&mut self, key: &str, value: Value) {
        self.0.insert(key.to_owned(), Entry { value, line: 0 });
    }

    /// The flags in the form of a command line.
    pub(super) fn words(&self) -> Vec<String> {
        let words = self.0.iter().flat_map(|(key, entry)| entry.words(key));
        words.collect()
    }
}

impl Entry {
    pub(super) fn words(&self, key: &str) -> Vec<String> {
        match &self.value {
            Value::Switch(true) => vec![format!("--{key}")],
            Value::Switch(false) => Vec::new(),
            Value::One(value) => vec![format!("--{key}={value}")],
            Value::Many(values) => values.iter().map(|value| format!("--{key}={value}")).collect(),
        }
    }

    pub(super) fn toml(&self) -> String {
        match &self.value {
            Value::Switch(on) => on.to_string(),
            Value::One(value) => plain(value),
            Value::Many(values) => format!(
                "[{}]",
                values.iter().map(|value| text(value)).collect::<Vec<_>>().join(", ")
            ),
        }
    }
}

/// A value in TOML: a number without quotes, everything else as a string.
fn plain(value: &str) -> String {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, part) = value.split_once('.').unwrap_or((value, "0"));
    let no_zeros = whole == "0" || !whole.starts_with('0');
    if digits(whole) && digits(part) && no_zeros && value.len() < 16 {
        value.to_owned()
    } else {
        text(value)
    }
}

/// A TOML string. JSON's escapes can be used, because TOML has the same ones.
pub(super) fn text(value: &str) -> String {
    serde_json::Value::from(value).to_string().replace('\u{7f}', "\\u007f")
}

fn read_value(source: &Source<'_>, key: &str, value: &Spanned<DeValue<'_>>) -> Result<Value, LabError> {
    let wrong = |what: &str| {
        source.wrong(
            &value.span(),
            format!("{key} is {what}; write its value as the flag takes it"),
        )
    };
    match value.get_ref() {
        DeValue::Boolean(on) => Ok(Value::Switch(*on)),
        DeValue::Array(items) => {
            let one = |item| match read_value(source, key, item)? {
                Value::One(value) => Ok(value),
                Value::Switch(_) | Value::Many(_) => Err(wrong("a list of other things than texts and numbers")),
            };
            items.iter().map(one).collect::<Result<_, _>>().map(Value::Many)
        }
        DeValue::String(text) => Ok(Value::One(text.to_string())),
        DeValue::Integer(number) => Ok(Value::One(number.to_string())),
        DeValue::Float(number) => Ok(Value::One(number.as_str().to_owned())),
        DeValue::Datetime(_) => Err(wrong("a date")),
        DeValue::Table(_) => Err(wrong("a table")),
    }
}
