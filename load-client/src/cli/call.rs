//! The flags that name a method of another service than FooService, and its message.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::{
    input,
    scenario::Rpc,
    schema::{MethodName, Source},
};

/// The flags that name an RPC method other than FooService's, and its message.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Any service")]
pub struct CallArgs {
    /// Unary RPC method to call, of any service, as package.Service/Method. The server's reflection describes its messages,
    /// unless --proto or --descriptor-set does. An OK counts as done
    #[arg(
        long,
        env = "LOAD_CALL",
        value_name = "METHOD",
        conflicts_with_all = ["mode", "payload_size", "trace_demand_column"]
    )]
    call: Option<MethodName>,

    /// The message as JSON, or @FILE [default: {}]. Its strings may contain {{counter}}, a different number for each request
    /// (0, 1, 2, … with one client), {{random 1 100}}, a random number for each request, and {{id}}, the request's id. For a
    /// field that is a number, write a string with one of the first two. {{{{ is a literal {{
    #[arg(
        short,
        long,
        env = "LOAD_DATA",
        hide_env_values = true,
        value_name = "JSON",
        requires = "call",
        conflicts_with = "data_file"
    )]
    data: Option<String>,

    /// File with the message as JSON; - is standard input
    #[arg(long, env = "LOAD_DATA_FILE", value_name = "FILE", requires = "call")]
    data_file: Option<PathBuf>,

    /// A .proto file that describes the method; - is standard input. Repeatable
    #[arg(
        long,
        env = "LOAD_PROTO",
        value_name = "FILE",
        requires = "call",
        conflicts_with = "descriptor_set"
    )]
    proto: Vec<PathBuf>,

    /// Folder with the imports of --proto. Repeatable [default: the folder of each file]
    #[arg(
        long,
        visible_alias = "import-paths",
        env = "LOAD_PROTO_PATH",
        value_name = "FOLDER",
        requires = "proto"
    )]
    proto_path: Vec<PathBuf>,

    /// Descriptor set that describes the method, written by protoc --include_imports --descriptor_set_out
    #[arg(long, env = "LOAD_DESCRIPTOR_SET", value_name = "FILE", requires = "call")]
    descriptor_set: Option<PathBuf>,
}

impl CallArgs {
    /// The method of `--call`, if it is given.
    pub fn method(&self) -> Option<&MethodName> {
        self.call.as_ref()
    }

    /// The RPC of a scenario with these flags, if `--call` is given.
    pub fn rpc(&self) -> Option<Rpc> {
        self.call.as_ref().map(|name| Rpc::other(name.to_string()))
    }

    /// The source of the method's description.
    pub fn source(&self) -> Source {
        match &self.descriptor_set {
            Some(file) => Source::DescriptorSet(file.clone()),
            None if self.proto.is_empty() => Source::Reflection,
            None => Source::Proto {
                files: self.proto.clone(),
                folders: self.proto_path.clone(),
            },
        }
    }

    /// The message as JSON.
    ///
    /// # Errors
    ///
    /// If the file cannot be read: the name of the flag, the file, the reason.
    pub fn data(&self) -> Result<String, String> {
        let (flag, file) = match (&self.data, &self.data_file) {
            (Some(data), _) => match data.strip_prefix('@') {
                Some(file) => ("--data @", Path::new(file)),
                None => return Ok(data.clone()),
            },
            (None, Some(file)) => ("--data-file ", file.as_path()),
            (None, None) => return Ok("{}".to_owned()),
        };
        input::text(file).map_err(|error| format!("{flag}{}: {error}", file.display()))
    }
}
