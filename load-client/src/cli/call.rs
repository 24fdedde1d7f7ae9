//! The flags of `run` that name another method than FooService's, and what goes into it.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::{
    input,
    scenario::Rpc,
    schema::{MethodName, Source},
};

/// Another method.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Any service")]
pub struct CallArgs {
    /// Drive this unary method of any service, as package.Service/Method; the server's reflection describes it, unless
    /// --proto or --descriptor-set does. An OK counts as done
    #[arg(
        long,
        env = "LOAD_CALL",
        value_name = "METHOD",
        conflicts_with_all = ["mode", "payload_size", "trace_demand_column"]
    )]
    call: Option<MethodName>,

    /// The message, as JSON, or @FILE [default: {}]. In its strings {{counter}} is another number for each send (with
    /// one client 0, 1, 2, …), {{random 1 100}} is drawn for each, {{id}} names it; for a number, write a string with one of the first two. {{{{ is a literal {{
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

    /// The message, from a file; - is standard input
    #[arg(long, env = "LOAD_DATA_FILE", value_name = "FILE", requires = "call")]
    data_file: Option<PathBuf>,

    /// A .proto file that describes the method, - is standard input; may be repeated
    #[arg(
        long,
        env = "LOAD_PROTO",
        value_name = "FILE",
        requires = "call",
        conflicts_with = "descriptor_set"
    )]
    proto: Vec<PathBuf>,

    /// Where the imports of --proto are; may be repeated [default: the folder of each file]
    #[arg(
        long,
        visible_alias = "import-paths",
        env = "LOAD_PROTO_PATH",
        value_name = "FOLDER",
        requires = "proto"
    )]
    proto_path: Vec<PathBuf>,

    /// A file of protoc --include_imports --descriptor_set_out that describes the method
    #[arg(long, env = "LOAD_DESCRIPTOR_SET", value_name = "FILE", requires = "call")]
    descriptor_set: Option<PathBuf>,
}

impl CallArgs {
    /// The method that a flag names.
    pub fn method(&self) -> Option<&MethodName> {
        self.call.as_ref()
    }

    /// The same, as a scenario has it.
    pub fn rpc(&self) -> Option<Rpc> {
        self.call.as_ref().map(|name| Rpc::other(name.to_string()))
    }

    /// Where its description comes from.
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

    /// What goes into it, as JSON.
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
