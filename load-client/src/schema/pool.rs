//! Descriptions of files, as a server or a compiler encodes them, collected and then resolved.

use std::collections::BTreeMap;

use bytes::Bytes;
use prost::Message;
use prost_reflect::{DescriptorPool, prost_types::FileDescriptorProto};

use super::{editions, sound};

/// Files by their names.
#[derive(Debug, Default)]
pub(super) struct Files(BTreeMap<String, FileDescriptorProto>);

/// A `FileDescriptorSet`, as a compiler writes it, with its files still encoded.
#[derive(Clone, PartialEq, Message)]
struct Set {
    #[prost(bytes = "bytes", repeated, tag = "1")]
    files: Vec<Bytes>,
}

impl Files {
    /// Reads what `protoc --descriptor_set_out` writes. A file may be in it several times, if all are the same.
    pub(super) fn of_set(encoded: &[u8]) -> Result<Self, String> {
        let set = Set::decode(encoded).map_err(|error| error.to_string())?;
        let mut files = Self::default();
        for encoded in &set.files {
            let file = decode(encoded)?;
            if files.0.get(file.name()).is_some_and(|other| *other != file) {
                return Err(format!("it has two different files of the name {}", file.name()));
            }
            files.add(file);
        }
        Ok(files)
    }

    /// Adds a file, unless there is one of its name.
    pub(super) fn add(&mut self, file: FileDescriptorProto) {
        self.0.entry(file.name().to_owned()).or_insert(file);
    }

    /// Adds several files, each as [`Self::add`] does.
    pub(super) fn add_all(&mut self, files: Vec<FileDescriptorProto>) {
        for file in files {
            self.add(file);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The name of an imported file that is missing. Protobuf's own files are the same everywhere, and are added here.
    pub(super) fn missing(&mut self) -> Option<String> {
        loop {
            let imports = self.0.values().flat_map(|file| &file.dependency);
            let missing = imports
                .into_iter()
                .find(|import| !self.0.contains_key(*import))?
                .clone();
            match DescriptorPool::global().get_file_by_name(&missing) {
                Some(file) => self.add(file.file_descriptor_proto().clone()),
                None => return Some(missing),
            }
        }
    }

    /// Resolves the references between the files.
    ///
    /// # Errors
    ///
    /// If a file is missing or wrong, with the reason in one line.
    pub(super) fn resolved(mut self) -> Result<DescriptorPool, String> {
        if let Some(missing) = self.missing() {
            return Err(format!("{missing}, which is imported, is not there"));
        }
        let mut pool = DescriptorPool::new();
        pool.add_file_descriptor_protos(self.0.into_values())
            .map_err(|error| error.to_string())?;
        Ok(pool)
    }
}

/// Decodes a file, and rewrites it in a syntax that the library knows.
pub(super) fn decode(encoded: &[u8]) -> Result<FileDescriptorProto, String> {
    let mut file = FileDescriptorProto::decode(encoded).map_err(|error| error.to_string())?;
    editions::rewrite(&mut file, encoded)?;
    sound::check(&file)?;
    Ok(file)
}
