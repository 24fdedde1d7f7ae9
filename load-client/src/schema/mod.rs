//! Descriptions of services whose methods are not known at compile time. They come from the server itself, by reflection,
//! or from files.

mod editions;
mod error;
mod files;
#[cfg(test)]
mod hostile;
mod name;
mod pool;
mod reflection;
mod sound;

use std::path::PathBuf;

use prost_reflect::{DescriptorPool, MethodDescriptor};

use self::error::{unknown_method, unknown_service};
pub use self::{error::SchemaError, name::MethodName, reflection::Server};

/// Where the description of a method comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The server itself describes its methods.
    Reflection,
    /// Files in the language of protobuf, compiled in this process.
    Proto {
        /// The files. Each is compiled with what it imports.
        files: Vec<PathBuf>,
        /// The folders in which imports are searched; if empty, the folder of each file.
        folders: Vec<PathBuf>,
    },
    /// What `protoc --include_imports --descriptor_set_out` writes.
    DescriptorSet(PathBuf),
}

impl Source {
    /// Finds the method of this name.
    ///
    /// # Errors
    ///
    /// If there is no such method, it is not unary, or its description cannot be had.
    ///
    /// `types` are further messages that the data of the call names. It is no error here if they are not described: the
    /// data then does not fit.
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
        .ok_or_else(|| unknown_method(name, service.methods().map(|method| method.name().to_owned())))?;
    if method.is_client_streaming() || method.is_server_streaming() {
        return Err(SchemaError::Streaming(name.clone()));
    }
    Ok(method)
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
