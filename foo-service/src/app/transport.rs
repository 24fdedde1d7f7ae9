//! HTTP/2 as this service speaks it: limits that do not harm good clients, and the routes.

use foo_proto::v1::{FILE_DESCRIPTOR_SET, foo_service_server::FooServiceServer};
use tonic::{codec::CompressionEncoding, service::Routes, transport::Server};
use tonic_health::server::HealthReporter;

use super::health;
use crate::rpc::FooRpc;

/// HTTP/2 streams open at once on a connection (arbitrary, far over the 100 that clients assume before they know:
/// below that, a connection's first calls would be refused). What waits is bounded by the line, not here.
const MAX_STREAMS: u32 = 16_384;
/// Flow control per connection. Large, because h2 ends a connection that holds very many small unread frames, and
/// judges that by the window.
const CONNECTION_WINDOW: u32 = 64 << 20;
/// Flow control per stream: room for a payload of the default limit in one go.
const STREAM_WINDOW: u32 = 2 << 20;
/// Streams that a client has reset before they were accepted. Over it, h2 ends the connection; the default of 20 is
/// reached by any client whose deadlines pass in bulk.
const MAX_PENDING_RESETS: usize = MAX_STREAMS as usize;
/// Streams reset because their client broke a rule, as late frames do, over the whole life of a connection. h2 alone
/// allows 1,024; a `Server` that sets nothing allows any number (read in tonic 0.14.9), which is no defence.
const MAX_ERROR_RESETS: usize = MAX_STREAMS as usize;
/// Headers of a call in bytes, as HTTP/2 counts them. Far over the limit on metadata, so that a call over that limit is answered
/// and counted. A call over this limit never gets to the service: h2 answers it with HTTP 431, and if it takes a quarter more frames
/// than the limit needs, h2 ends the connection.
const MAX_HEADERS: u32 = 256 << 10;
/// A message's other fields and framing, beside its payload.
const ENVELOPE: usize = 64 << 10;

/// A transport with these limits, and nothing to serve yet.
pub(super) fn server() -> Server {
    Server::builder()
        .max_concurrent_streams(MAX_STREAMS)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .initial_stream_window_size(STREAM_WINDOW)
        .http2_max_pending_accept_reset_streams(Some(MAX_PENDING_RESETS))
        .http2_max_local_error_reset_streams(Some(MAX_ERROR_RESETS))
        .http2_max_header_list_size(MAX_HEADERS)
}

/// FooService, health and reflection. Payloads may have `max_payload` bytes.
pub(super) fn routes(rpc: FooRpc, max_payload: u64, health: &HealthReporter) -> Routes {
    let server = FooServiceServer::new(rpc)
        .max_decoding_message_size(decoding_limit(max_payload))
        // The limit holds for what comes out of it too: tonic stops there. Answers are small, and stay as they are.
        .accept_compressed(CompressionEncoding::Gzip);
    Routes::new(server)
        .add_service(health::service(health).accept_compressed(CompressionEncoding::Gzip))
        .add_service(reflection_v1().accept_compressed(CompressionEncoding::Gzip))
        .add_service(reflection_v1alpha().accept_compressed(CompressionEncoding::Gzip))
}

/// What tonic decodes at all: well over the payload limit, so that a payload a little over it is answered with the
/// name of the field, and one far over it is not even read.
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
