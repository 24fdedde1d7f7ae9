//! Descriptions of services whose methods are not known at compile time. They come from the server itself, by reflection,
//! or from files.

mod editions;
mod files;
#[cfg(test)]
mod hostile;
mod pool;
mod reflection;
mod sound;

use std::{fmt, path::PathBuf, str::FromStr, time::Duration};

use prost_reflect::{DescriptorPool, MethodDescriptor};

use crate::{
    nearest::nearest,
    transport::{ConnectError, dial::Dial},
};

/// Names that an error lists at most (arbitrary: a line that can still be read).
const MOST_NAMES: usize = 12;

/// A method, as `package.Service/Method`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MethodName {
    service: String,
    method: String,
}

/// Where its description comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The server itself.
    Reflection,
    /// Files in protobuf's language.
    Proto {
        /// Compiled, each with what it imports.
        files: Vec<PathBuf>,
        /// Where imports are looked for; the folder of each file, where empty.
        folders: Vec<PathBuf>,
    },
    /// What `protoc --include_imports --descriptor_set_out` writes.
    DescriptorSet(PathBuf),
}

/// A server that can be asked.
#[derive(Clone)]
pub struct Server<'a> {
    /// Where it is.
    pub dial: &'a Dial,
    /// What every call carries.
    pub metadata: &'a http::HeaderMap,
    /// How long it may take to come up, and again for every answer.
    pub patience: Duration,
    /// Is told at once, in a line for people, when it cannot be reached at the first attempt.
    pub troubled: &'a (dyn Fn(&str) + Sync),
}

/// Why a method cannot be called.
#[derive(Debug, thiserror::Error)]
pub enum SchemaError {
    /// The connection to the server failed.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The server does not describe itself.
    #[error("{target}: the server has no reflection; describe the method with --proto FILE or --descriptor-set FILE")]
    NoReflection {
        /// The server.
        target: String,
    },
    /// It should, but does not.
    #[error("{target}: reflection failed: {reason}; --proto FILE or --descriptor-set FILE does without it")]
    Reflection {
        /// The server.
        target: String,
        /// What happened.
        reason: String,
    },
    /// A file that does not describe anything.
    #[error("{}: {reason}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The name is that of a service.
    #[error("{service} is a service; name a method of it as well: {known}")]
    NoMethod {
        /// The service.
        service: String,
        /// Its methods, as they are to be written.
        known: String,
    },
    /// The service is not there.
    #[error("there is no service {service}; {known}")]
    UnknownService {
        /// As it was asked for.
        service: String,
        /// Those there are.
        known: String,
    },
    /// The service has no such method.
    #[error("{service} has no method {method}; it has {known}")]
    UnknownMethod {
        /// The service.
        service: String,
        /// As it was asked for.
        method: String,
        /// Those there are.
        known: String,
    },
    /// Not one message there and one back.
    #[error("{0} streams; only unary methods can be driven")]
    Streaming(MethodName),
}

impl SchemaError {
    /// Whether what was asked for is wrong, rather than that the server could not be asked.
    pub fn is_usage(&self) -> bool {
        !matches!(
            self,
            Self::Connect(_) | Self::NoReflection { .. } | Self::Reflection { .. }
        )
    }
}

impl Source {
    /// The method of that name.
    ///
    /// # Errors
    ///
    /// If it is not there, is not unary, or cannot be learnt of.
    ///
    /// `types` are the messages that its data names besides; where they are not described, the data does not fit.
    pub async fn method(
        &self,
        name: &MethodName,
        types: &[String],
        server: Server<'_>,
    ) -> Result<MethodDescriptor, SchemaError> {
        let pool = match self {
            Self::Reflection => reflection::describe(&server, name, types).await?,
            Self::Proto { files, folders } => files::compile(files, folders)?,
            Self::DescriptorSet(path) => files::read(path)?,
        };
        find(&pool, name)
    }
}

fn find(pool: &DescriptorPool, name: &MethodName) -> Result<MethodDescriptor, SchemaError> {
    let Some(service) = pool.get_service_by_name(&name.service) else {
        let services = pool.services().map(|service| service.full_name().to_owned());
        return Err(unknown_service(name, services));
    };
    let method = service
        .methods()
        .find(|method| method.name() == name.method)
        .ok_or_else(|| SchemaError::UnknownMethod {
            service: name.service.clone(),
            method: name.method.clone(),
            known: {
                let known: Vec<String> = service.methods().map(|method| method.name().to_owned()).collect();
                let near = nearest(&name.method, known.iter().map(String::as_str));
                let near = near.map_or_else(String::new, |near| format!("; did you mean {near}?"));
                list(known.into_iter()) + &near
            },
        })?;
    if method.is_client_streaming() || method.is_server_streaming() {
        return Err(SchemaError::Streaming(name.clone()));
    }
    Ok(method)
}

fn unknown_service(name: &MethodName, known: impl Iterator<Item = String>) -> SchemaError {
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

/// The nearest of the names that there are, if one is near.
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

impl FromStr for MethodName {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_name = |name: &str| {
            !name.is_empty()
                && name
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.'))
        };
        let text = text.strip_prefix('/').unwrap_or(text);
        // ghz and grpcurl also take a dot before the method.
        match text.split_once('/').or_else(|| text.rsplit_once('.')) {
            Some((service, method)) if is_name(service) && is_name(method) => Ok(Self {
                service: service.to_owned(),
                method: method.to_owned(),
            }),
            _ => Err("must be written as package.Service/Method"),
        }
    }
}

impl fmt::Display for MethodName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.service, self.method)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn foo() -> DescriptorPool {
        DescriptorPool::decode(foo_proto::v1::FILE_DESCRIPTOR_SET).unwrap()
    }

    fn found(name: &str) -> Result<String, String> {
        let method = find(&foo(), &name.parse()?);
        method
            .map(|method| method.full_name().to_owned())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn finds_a_method_by_its_name() {
        let process = Ok("foo.v1.FooService.Process".to_owned());
        assert_eq!(found("foo.v1.FooService/Process"), process);
        assert_eq!(found("/foo.v1.FooService/Process"), process);
        assert_eq!(found("foo.v1.FooService.Process"), process);
    }

    #[test]
    fn says_what_there_is_where_a_name_is_wrong() {
        for (name, said) in [
            ("foo.v1.Service/Process", "there are foo.v1.FooService"),
            ("foo.v1.FooService/Proceed", "it has Enqueue, Process, Watch"),
            ("foo.v1.FooService/Watch", "only unary methods"),
            ("foo.v1.FooServce/Process", "did you mean foo.v1.FooService?"),
            ("foo.v1.FooService/Proces", "did you mean Process?"),
            (
                "foo.v1.FooService",
                "foo.v1.FooService is a service; name a method of it as well",
            ),
            ("FooService", "package.Service/Method"),
            ("foo.v1.FooService/", "package.Service/Method"),
            ("a b/c", "package.Service/Method"),
        ] {
            let error = found(name).unwrap_err();
            assert!(error.contains(said), "{name}: {error}");
        }
    }
}
