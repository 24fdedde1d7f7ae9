//! Why a method cannot be called, with the names that can be.

use std::path::PathBuf;

use super::name::MethodName;
use crate::{nearest::nearest, transport::ConnectError};

/// The most names that an error lists (arbitrary: a line that can still be read).
const MOST_NAMES: usize = 12;

/// Why a method cannot be called.
#[derive(Debug, thiserror::Error)]
pub enum SchemaError {
    /// The connection to the server failed.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The server does not describe itself.
    #[error("{target}: the server has no reflection; describe the method with --proto FILE or --descriptor-set FILE")]
    NoReflection {
        /// The server, as errors name it.
        target: String,
    },
    /// The server has reflection, but it failed.
    #[error("{target}: reflection failed: {reason}; --proto FILE or --descriptor-set FILE does without it")]
    Reflection {
        /// The server, as errors name it.
        target: String,
        /// What the server said, or why it said nothing.
        reason: String,
    },
    /// A file cannot be read, or does not describe services.
    #[error("{}: {reason}", path.display())]
    File {
        /// The path as it was given.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The name is that of a service.
    #[error("{service} is a service; name a method of it as well: {known}")]
    NoMethod {
        /// The full name of the service.
        service: String,
        /// Its methods, as they are to be written.
        known: String,
    },
    /// There is no service of this name.
    #[error("there is no service {service}; {known}")]
    UnknownService {
        /// The name of the service as it was given.
        service: String,
        /// The services that the schema has.
        known: String,
    },
    /// The service has no such method.
    #[error("{service} has no method {method}; it has {known}")]
    UnknownMethod {
        /// The full name of the service.
        service: String,
        /// The name of the method as it was given.
        method: String,
        /// The methods that the service has.
        known: String,
    },
    /// The method streams: it does not take one message and answer with one.
    #[error("{0} streams; only unary methods can be driven")]
    Streaming(MethodName),
}

impl SchemaError {
    /// Whether the flags or the files are at fault, and not the server.
    pub fn is_usage(&self) -> bool {
        !matches!(
            self,
            Self::Connect(_) | Self::NoReflection { .. } | Self::Reflection { .. }
        )
    }
}

/// The error for a method that its service does not have; `known` are the methods that it has.
pub(super) fn unknown_method(name: &MethodName, known: impl Iterator<Item = String>) -> SchemaError {
    let known: Vec<String> = known.collect();
    let near = nearest(&name.method, known.iter().map(String::as_str));
    let near = near.map_or_else(String::new, |near| format!("; did you mean {near}?"));
    SchemaError::UnknownMethod {
        service: name.service.clone(),
        method: name.method.clone(),
        known: list(known.into_iter()) + &near,
    }
}

/// The error for a service that is not described; `known` are the services that are.
pub(super) fn unknown_service(name: &MethodName, known: impl Iterator<Item = String>) -> SchemaError {
    let known: Vec<String> = known.collect();
    let dotted = format!("{}.{}", name.service, name.method);
    if known.contains(&dotted) {
        return SchemaError::NoMethod {
            known: format!("{dotted}/METHOD"),
            service: dotted,
        };
    }
    SchemaError::UnknownService {
        service: name.service.clone(),
        known: if known.is_empty() {
            "there is none at all".to_owned()
        } else {
            format!(
                "{}there are {}",
                did_you_mean(&name.service, &known),
                list(known.iter().cloned())
            )
        },
    }
}

/// A question that suggests the most similar known name; empty if none is similar.
fn did_you_mean(name: &str, known: &[String]) -> String {
    nearest(name, known.iter().map(String::as_str)).map_or_else(String::new, |near| format!("did you mean {near}? "))
}

fn list(names: impl Iterator<Item = String>) -> String {
    let mut names: Vec<String> = names.collect();
    let left_out = names.len().saturating_sub(MOST_NAMES);
    names.truncate(MOST_NAMES);
    let names = names.join(", ");
    if left_out > 0 {
        format!("{names} and {left_out} more")
    } else {
        names
    }
}
