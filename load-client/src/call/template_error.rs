//! Why data does not make a message.

/// Why data does not make a message.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// The data is not JSON.
    #[error(
        "the data is not JSON: {0}. Placeholders stand inside strings, also where a number is meant: \"{{{{counter}}}}\""
    )]
    Json(#[from] serde_json::Error),
    /// JSON, but not of this type.
    #[error("the data does not fit {message}: {reason}. {hint}")]
    Unfit {
        /// The full name of the message type.
        message: String,
        /// What does not fit, with the place in the JSON.
        reason: String,
        /// How such a value is written.
        hint: String,
    },
    /// A placeholder that cannot be read.
    #[error("in the data, {0}")]
    Placeholder(String),
    /// A placeholder where none can be.
    #[error("{field} cannot have a placeholder: {reason}")]
    Misplaced {
        /// The path of the field, from the message down.
        field: String,
        /// Which fields can have a placeholder.
        reason: &'static str,
    },
}

impl TemplateError {
    /// There is a placeholder where none can be.
    pub(super) fn misplaced(field: &str) -> Self {
        Self::Misplaced {
            field: field.to_owned(),
            reason: "only strings and numbers can, and messages of these",
        }
    }
}
