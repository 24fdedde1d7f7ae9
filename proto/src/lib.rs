//! The wire contract `foo.v1`, generated from `proto/foo/v1/foo.proto`. Nothing else lives in this crate.

/// Package `foo.v1`: the messages, the server trait and the client.
#[expect(
    missing_docs,
    clippy::pedantic,
    reason = "generated code; the documentation is in foo.proto"
)]
pub mod v1 {
    tonic::include_proto!("foo.v1");

    /// The descriptors of `foo.v1` and all that it imports, encoded: what gRPC reflection serves.
    pub const FILE_DESCRIPTOR_SET: &[u8] = tonic::include_file_descriptor_set!("foo.v1");
}

pub use prost_types::Duration;
