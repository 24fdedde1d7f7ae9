//! How a call ended, as its transport saw it.

use std::sync::Arc;

use bytes::Bytes;
use http::HeaderMap;

/// How a call ended: with an answer of the peer, or without one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The peer sent a gRPC status; or something in front of it sent an HTTP status, which gRPC's table maps to a gRPC
    /// status.
    Status {
        /// The gRPC status.
        code: tonic::Code,
        /// Whether the peer itself sent the status (grpc-status). If not, it follows from an HTTP status.
        own: bool,
        /// The message of the status.
        message: String,
        /// The encoded answer; empty unless the code is OK.
        body: Bytes,
        /// The answer's metadata; `None` unless the method asks for it
        /// ([`keep_metadata`](super::method::Method::keep_metadata)).
        metadata: Option<Box<AnswerMetadata>>,
    },
    /// The deadline passed before there was an answer.
    TimedOut,
    /// The peer has not processed the call, for this reason: there was no connection, or none that took the call.
    NotConnected(Arc<str>),
    /// The connection or the stream broke: whether the message arrived is unknown.
    Broken(String),
    /// What the peer sent is not gRPC.
    Malformed(String),
}

/// What a peer sent beside the message of its answer: gRPC's metadata, with the headers of HTTP and gRPC among it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerMetadata {
    /// The headers, which come before the message.
    pub headers: HeaderMap,
    /// The trailers, which come after the message; empty if the answer has headers only.
    pub trailers: HeaderMap,
}

impl AnswerMetadata {
    /// The value of a name: in the trailers, or else in the headers, where an answer without a message has all its metadata.
    pub fn get(&self, name: &str) -> Option<&http::HeaderValue> {
        self.trailers.get(name).or_else(|| self.headers.get(name))
    }
}

#[cfg(test)]
mod tests {
    use std::{future::poll_fn, time::Duration};

    use http::uri::PathAndQuery;
    use tokio::sync::mpsc;

    use super::*;
    use crate::transport::{Method, Transport, dial::Dial};

    const SECOND: Duration = Duration::from_secs(1);

    /// Makes a call that is answered, or rejected, and returns the metadata of its answer.
    async fn metadata(keep_metadata: bool, rejected: bool) -> Option<Box<AnswerMetadata>> {
        let (connections, mut arriving) = mpsc::channel(1);
        tokio::spawn(async move {
            let mut peer = h2::server::handshake(arriving.recv().await.unwrap()).await.unwrap();
            let (_, mut call) = peer.accept().await.unwrap().unwrap();
            let head = http::Response::builder()
                .header("content-type", "application/grpc")
                .header("x-zone", "a");
            let trailers = [("grpc-status", "0"), ("grpc-retry-pushback-ms", "250")];
            if rejected {
                let head = head.header("grpc-status", "8").header("grpc-retry-pushback-ms", "100");
                call.send_response(head.body(()).unwrap(), true).unwrap();
            } else {
                let mut body = call.send_response(head.body(()).unwrap(), false).unwrap();
                body.send_data(Bytes::from_static(&[0; 5]), false).unwrap();
                let trailers = trailers.map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
                body.send_trailers(HeaderMap::from_iter(trailers)).unwrap();
            }
            let _ = poll_fn(|context| peer.poll_closed(context)).await;
        });
        let transport = Transport::connect(&Dial::memory(connections), 0..1, SECOND, SECOND, |_| {}).await;
        let transport = transport.unwrap();
        let heads = transport.heads(&Method {
            path: PathAndQuery::from_static("/any.Service/Method"),
            metadata: HeaderMap::new(),
            keep_metadata,
        });
        match transport.unary(0, &heads, || Bytes::from_static(&[0; 5])).await {
            Answer::Status { metadata, .. } => metadata,
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_keeps_its_metadata_where_it_is_asked_for() {
        let answered = metadata(true, false).await.unwrap();
        assert_eq!(answered.get("x-zone").unwrap(), "a");
        assert_eq!(answered.get("grpc-retry-pushback-ms").unwrap(), "250");
        let rejected = metadata(true, true).await.unwrap();
        assert_eq!(rejected.get("grpc-retry-pushback-ms").unwrap(), "100");
        assert!(rejected.trailers.is_empty());
        for rejected in [false, true] {
            assert_eq!(metadata(false, rejected).await, None);
        }
    }
}
