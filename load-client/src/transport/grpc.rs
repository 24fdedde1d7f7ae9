//! One unary gRPC call on an HTTP/2 stream (PROTOCOL-HTTP2.md of the gRPC project).

use std::{future::poll_fn, time::Duration};

use bytes::{BufMut, Bytes, BytesMut};
use h2::{RecvStream, client::SendRequest};
use http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode, Version, header};
use percent_encoding::percent_decode;
use tonic::Code;

use super::{
    Answer, Method,
    link::{self, Link},
};

/// Bytes before every message: a flag and a length.
pub const FRAME_HEADER: usize = 5;
/// The largest answer accepted: gRPC's usual limit.
const MAX_ANSWER: usize = 4 << 20;

const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
const GRPC_MESSAGE: HeaderName = HeaderName::from_static("grpc-message");
const GRPC_TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");

/// Encodes a message with the frame header that goes before it.
pub fn frame(message: &impl prost::Message) -> Bytes {
    let length = message.encoded_len();
    let mut buffer = BytesMut::with_capacity(FRAME_HEADER + length);
    buffer.put_u8(0);
    buffer.put_u32(u32::try_from(length).expect("messages are far below 4 GiB"));
    message.encode(&mut buffer).expect("the buffer has room for it");
    buffer.freeze()
}

/// A timeout as gRPC writes it: at most eight digits and a unit.
pub(super) fn timeout_value(timeout: Duration) -> HeaderValue {
    const MOST: u128 = 99_999_999;
    let text = if timeout.as_micros() <= MOST {
        format!("{}u", timeout.as_micros())
    } else if timeout.as_millis() <= MOST {
        format!("{}m", timeout.as_millis())
    } else {
        format!("{}S", u128::from(timeout.as_secs()).min(MOST))
    };
    HeaderValue::try_from(text).expect("digits and a letter")
}

/// Sends a framed message and reads the answer.
pub(super) async fn exchange(sender: SendRequest<Bytes>, link: &Link, head: &Request<()>, message: Bytes) -> Answer {
    match try_exchange(sender, link, head, message).await {
        Ok(answer) => answer,
        Err(error) => Answer::Broken(error.to_string()),
    }
}

async fn try_exchange(
    mut sender: SendRequest<Bytes>,
    link: &Link,
    head: &Request<()>,
    message: Bytes,
) -> Result<Answer, h2::Error> {
    let mut place = link.place();
    // h2 also calls a connection full that has its last stream left: only our own count tells who has to wait.
    let full = place.before >= sender.current_max_send_streams();
    let (answer, mut body) = sender.send_request(head.clone(), false)?;
    // h2 keeps what flow control does not let through yet; one message per stream bounds that. It fails only if the stream
    // is closed by now: a peer may refuse a call before it has the message, and then its answer is what counts.
    let _ = body.send_data(message, true);
    if full {
        poll_fn(|context| {
            let ready = sender.poll_ready(context);
            if ready.is_pending() {
                place.waits();
            }
            ready
        })
        .await?;
        place.opened();
    }
    let (head, body) = answer.await?.into_parts();
    if head.status != StatusCode::OK {
        let said = format!("HTTP status {}", head.status);
        // A proxy with nobody behind it, by gRPC's own mapping (http-grpc-status-mapping.md).
        let away = matches!(head.status.as_u16(), 429 | 502..=504);
        return Ok(if away {
            Answer::Broken(said)
        } else {
            Answer::Malformed(said)
        });
    }
    // A refusal comes as trailers only: its status is in the headers.
    if head.headers.contains_key(GRPC_STATUS) {
        return Ok(status(&head.headers, &Bytes::new()));
    }
    read(body).await
}

/// What is sent ahead of every message, the same for every call over a connection: made once, because each header that is
/// put into a map is hashed.
pub(super) fn head(base: &http::uri::Parts, method: &Method, timeout: &HeaderValue) -> Request<()> {
    let mut request = Request::new(());
    *request.method_mut() = http::Method::POST;
    *request.version_mut() = Version::HTTP_2;
    *request.uri_mut() = link::uri(base, &method.path);
    let headers = request.headers_mut();
    headers.clone_from(&method.metadata);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    headers.insert(header::TE, HeaderValue::from_static("trailers"));
    headers.insert(GRPC_TIMEOUT, timeout.clone());
    request
}

async fn read(mut body: RecvStream) -> Result<Answer, h2::Error> {
    let mut bytes = Bytes::new();
    while let Some(chunk) = body.data().await {
        let chunk = chunk?;
        body.flow_control().release_capacity(chunk.len())?;
        if bytes.len() + chunk.len() > FRAME_HEADER + MAX_ANSWER {
            return Ok(Answer::Malformed(format!(
                "the answer is larger than {MAX_ANSWER} bytes"
            )));
        }
        // Nearly every answer is one chunk, which is then not copied.
        bytes = if bytes.is_empty() {
            chunk
        } else {
            [bytes, chunk].concat().into()
        };
    }
    let Some(trailers) = body.trailers().await? else {
        return Ok(Answer::Malformed("the answer has no trailers".to_owned()));
    };
    Ok(status(&trailers, &bytes))
}

/// What the trailers say, with the message if they say OK.
fn status(trailers: &HeaderMap, framed: &Bytes) -> Answer {
    let Some(code) = trailers.get(GRPC_STATUS) else {
        return Answer::Malformed("the answer has no grpc-status".to_owned());
    };
    let code = Code::from_bytes(code.as_bytes());
    let message = trailers
        .get(GRPC_MESSAGE)
        .map(|text| percent_decode(text.as_bytes()).decode_utf8_lossy().into_owned());
    let body = if code == Code::Ok {
        unframe(framed)
    } else {
        Some(Bytes::new())
    };
    match body {
        Some(body) => Answer::Status {
            code,
            message: message.unwrap_or_default(),
            body,
        },
        None => Answer::Malformed("the answer is not one uncompressed message".to_owned()),
    }
}

fn unframe(framed: &Bytes) -> Option<Bytes> {
    let length: [u8; 4] = framed.get(1..FRAME_HEADER)?.try_into().ok()?;
    let uncompressed = framed[0] == 0;
    let whole = framed.len() - FRAME_HEADER == usize::try_from(u32::from_be_bytes(length)).ok()?;
    (uncompressed && whole).then(|| framed.slice(FRAME_HEADER..))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_and_unframes() {
        let message = foo_proto::v1::EnqueueResponse {
            id: "a".to_owned(),
            queue_depth: 7,
        };
        let framed = frame(&message);
        assert_eq!(unframe(&framed).unwrap(), prost::Message::encode_to_vec(&message));
        assert_eq!(unframe(&framed.slice(..framed.len() - 1)), None);
        assert_eq!(unframe(&framed.slice(..3)), None);
        assert_eq!(unframe(&Bytes::from_static(&[1, 0, 0, 0, 0])), None);
    }

    #[test]
    fn timeouts_have_at_most_eight_digits() {
        assert_eq!(timeout_value(Duration::from_millis(250)), "250000u");
        assert_eq!(timeout_value(Duration::from_secs(100)), "100000m");
        assert_eq!(timeout_value(Duration::from_secs(1_000_000)), "1000000S");
        assert_eq!(timeout_value(Duration::MAX), "99999999S");
    }
}
