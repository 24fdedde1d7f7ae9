//! Why the JSON of `--data` cannot be compiled to a message.

/// Why the JSON of `--data` cannot be compiled to a message.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// The data is not JSON.
    #[error(
        "the data is not JSON: {0}. Placeholders stand inside strings, also where a number is meant: \"{{{{counter}}}}\""
    )]
    Json(#[from] serde_json::Error),
    /// The data is JSON, but does not fit the message type.
    #[error("the data does not fit {message}: {reason}. {hint}")]
    Unfit {
        /// The full name of the message type.
        message: String,
        /// What does not fit, with the name of the field.
        reason: String,
        /// The fields of the message type, or an example of its special form in JSON.
        hint: String,
    },
    /// A placeholder cannot be read; the text says why.
    #[error("in the data, {0}")]
    Placeholder(String),
    /// A placeholder is in a place where none is allowed.
    #[error("{field} cannot have a placeholder: {reason}")]
    Misplaced {
        /// The full name of the field or message type, or the name in the JSON.
        field: String,
        /// Which fields can have a placeholder.
        reason: &'static str,
    },
}

impl TemplateError {
    /// The error for a placeholder in a field that is neither a string nor a number.
    pub(super) fn misplaced(field: &str) -> Self {
        Self::Misplaced {
            field: field.to_owned(),
            reason: "only strings and numbers can, and messages of these",
        }
    }
}
