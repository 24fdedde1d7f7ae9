//! The HTTP/2 server: limits that do not harm good clients, and the routes.

use foo_proto::v1::{FILE_DESCRIPTOR_SET, foo_service_server::FooServiceServer};
use tonic::{codec::CompressionEncoding, service::Routes, transport::Server};
use tonic_health::server::HealthReporter;

use super::health;
use crate::rpc::FooRpc;

/// HTTP/2 streams open at once on a connection (arbitrary, far above the 100 that clients assume until they know the limit: with
/// less, the first calls of a connection would be refused). The waiting line bounds how many calls wait, not this limit.
const MAX_STREAMS: u32 = 16_384;
/// The window of flow control per connection. It is large, because h2 ends a connection that has very many small unread frames,
/// and decides that by the window.
const CONNECTION_WINDOW: u32 = 64 << 20;
/// The window of flow control per stream: a payload of the default limit fits in as a whole.
const STREAM_WINDOW: u32 = 2 << 20;
/// How many streams may be reset by a client before they are accepted. Above it, h2 ends the connection. The default of 20 is
/// reached by any client when many of its deadlines pass together.
const MAX_PENDING_RESETS: usize = MAX_STREAMS as usize;
/// How many streams may be reset because their client broke a rule (for example with late frames) in the whole life of a
/// connection. h2 alone allows 1,024. A `Server` without this setting has no limit (read in tonic 0.14.9), so no protection.
const MAX_ERROR_RESETS: usize = MAX_STREAMS as usize;
/// The most headers of a call in bytes, as HTTP/2 counts them. Far above the limit on metadata, so that a call over that limit is
/// answered and counted. A call over this limit never gets to the service: h2 answers it with HTTP 431, or ends the connection if
/// the call takes a quarter more frames than the limit needs.
const MAX_HEADERS: u32 = 256 << 10;
/// The room for a message's other fields and framing, besides its payload.
const ENVELOPE: usize = 64 << 10;

/// Creates a server with these limits and no routes yet.
pub(super) fn server() -> Server {
    Server::builder()
        .max_concurrent_streams(MAX_STREAMS)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .initial_stream_window_size(STREAM_WINDOW)
        .http2_max_pending_accept_reset_streams(Some(MAX_PENDING_RESETS))
        .http2_max_local_error_reset_streams(Some(MAX_ERROR_RESETS))
        .http2_max_header_list_size(MAX_HEADERS)
}

/// The routes of FooService, health and reflection. A payload may have at most `max_payload` bytes.
pub(super) fn routes(rpc: FooRpc, max_payload: u64, health: &HealthReporter) -> Routes {
    let server = FooServiceServer::new(rpc)
        .max_decoding_message_size(decoding_limit(max_payload))
        // tonic applies the decoding limit to the decompressed message too. Answers are small, and are not compressed.
        .accept_compressed(CompressionEncoding::Gzip);
    Routes::new(server)
        .add_service(health::service(health).accept_compressed(CompressionEncoding::Gzip))
        .add_service(reflection_v1().accept_compressed(CompressionEncoding::Gzip))
        .add_service(reflection_v1alpha().accept_compressed(CompressionEncoding::Gzip))
}

/// The size up to which tonic decodes a message. It is well above the payload limit: a payload a little too large is answered
/// with the name of the field, and one far too large is not even read.
fn decoding_limit(max_payload: u64) -> usize {
    usize::try_from(max_payload)
        .unwrap_or(usize::MAX)
        .saturating_mul(2)
        .saturating_add(ENVELOPE)
}

fn reflection_v1()
-> tonic_reflection::server::v1::ServerReflectionServer<impl tonic_reflection::server::v1::ServerReflection> {
    reflection().build_v1().expect("the generated descriptors are whole")
}

fn reflection_v1alpha()
-> tonic_reflection::server::v1alpha::ServerReflectionServer<impl tonic_reflection::server::v1alpha::ServerReflection> {
    reflection()
        .build_v1alpha()
        .expect("the generated descriptors are whole")
}

fn reflection() -> tonic_reflection::server::Builder<'static> {
    tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
}
