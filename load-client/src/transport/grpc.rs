//! One unary gRPC call on an HTTP/2 stream (PROTOCOL-HTTP2.md of the gRPC project).

use std::{future::poll_fn, time::Duration};

use bytes::{Bytes, BytesMut};
use h2::{Reason, RecvStream};
use http::{HeaderName, HeaderValue, Request, Version, header, response};

use super::{
    answer::Answer,
    frame::FRAME_HEADER,
    link::{self, Link},
    method::Method,
    state::Ready,
    status::{self, GRPC_STATUS},
    trouble,
};

const GRPC_TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");
/// The number of earlier attempts of a request (gRFC A6).
const PREVIOUS_ATTEMPTS: HeaderName = HeaderName::from_static("grpc-previous-rpc-attempts");

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

/// How an attempt to make a call ended.
pub(super) enum Attempt {
    /// The call has ended, with an answer or without one.
    Ended(Answer),
    /// The peer has not processed the call and never will, so it may be sent again.
    Unprocessed {
        /// Why the peer did not process it.
        reason: String,
        /// True if the connection takes no more calls; false if the peer rejected only this call.
        leaving: bool,
    },
}

/// Sends the framed message that `message` returns, and reads the answer. What is large is borrowed: an async function stores its
/// arguments twice in its future.
pub(super) async fn exchange(
    ready: &mut Ready,
    link: &Link,
    head: &Request<()>,
    message: impl Fn() -> Bytes,
    keep_metadata: bool,
) -> Attempt {
    let Ready { sender, generation } = ready;
    let generation = *generation;
    let mut place = link.place();
    // h2 also calls a connection full that has one stream left: only our own count tells whether a call has to wait.
    let full = place.before >= sender.current_max_send_streams();
    let (answer, mut body) = match sender.send_request(head.clone(), false) {
        Ok(sent) => sent,
        Err(error) if error.is_go_away() || error.is_io() => {
            return Attempt::Unprocessed {
                reason: trouble::http2(&error),
                leaving: true,
            };
        }
        Err(error) => return broken(link, generation, &error),
    };
    // h2 keeps what flow control does not let through yet; one message per stream bounds that. It fails only if the stream
    // is closed by now: a peer may refuse a call before it has the message, and then its answer is what counts.
    let _ = body.send_data(message(), true);
    if full {
        // An error here is about the connection. The answer says what became of this call.
        let _ = poll_fn(|context| {
            let ready = sender.poll_ready(context);
            if ready.is_pending() {
                place.waits();
            }
            ready
        })
        .await;
        place.opened();
    }
    let (head, mut body) = match answer.await {
        Ok(answer) => answer.into_parts(),
        Err(error) => return unanswered(link, generation, &error),
    };
    link.served();
    // An answer without a message has no trailers: its status is in the headers.
    if head.headers.contains_key(GRPC_STATUS) {
        let most = link.max_message_size();
        return Attempt::Ended(status::read(&head, None, Bytes::new(), most, keep_metadata));
    }
    match read(&head, &mut body, link.max_message_size(), keep_metadata).await {
        Ok(answer) => Attempt::Ended(answer),
        Err(error) => broken(link, generation, &error),
    }
}

/// Decides what an error means that came instead of an answer.
fn unanswered(link: &Link, generation: u64, error: &h2::Error) -> Attempt {
    // h2 gives this error only to streams that a GOAWAY leaves out: the peer has not looked at them.
    let leaving = error.is_go_away() && error.is_remote();
    let refused = error.is_reset() && error.is_remote() && error.reason() == Some(Reason::REFUSED_STREAM);
    if leaving || refused {
        let reason = trouble::http2(error);
        return Attempt::Unprocessed { reason, leaving };
    }
    broken(link, generation, error)
}

fn broken(link: &Link, generation: u64, error: &h2::Error) -> Attempt {
    // h2 reports every end of a connection as a broken pipe; the link knows the reason.
    let known = error.is_io().then(|| link.what_broke(generation)).flatten();
    Attempt::Ended(Answer::Broken(
        known.map_or_else(|| trouble::http2(error), |reason| reason.to_string()),
    ))
}

/// The request headers, which are the same for every call over a connection. They are made once, because each header
/// that is put into a map is hashed.
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

/// The request headers of one attempt of several, which has its own timeout.
pub(super) fn attempt_head(head: &Request<()>, timeout: Duration, previous: u32) -> Request<()> {
    let mut head = head.clone();
    let headers = head.headers_mut();
    headers.insert(GRPC_TIMEOUT, timeout_value(timeout));
    if previous > 0 {
        headers.insert(PREVIOUS_ATTEMPTS, HeaderValue::from(previous));
    }
    head
}

async fn read(
    head: &response::Parts,
    body: &mut RecvStream,
    most: usize,
    keep_metadata: bool,
) -> Result<Answer, h2::Error> {
    let mut first = Bytes::new();
    let mut more = BytesMut::new();
    while let Some(chunk) = body.data().await {
        let chunk = chunk?;
        body.flow_control().release_capacity(chunk.len())?;
        let length = first.len().max(more.len()) + chunk.len();
        if length > FRAME_HEADER.saturating_add(most) {
            return Ok(status::too_large(most));
        }
        // Nearly every answer is one chunk, which is then not copied.
        if more.is_empty() && first.is_empty() {
            first = chunk;
        } else {
            if more.is_empty() {
                more.extend_from_slice(&first);
            }
            more.extend_from_slice(&chunk);
        }
    }
    let framed = if more.is_empty() { first } else { more.freeze() };
    let trailers = body.trailers().await?;
    Ok(status::read(head, trailers.as_ref(), framed, most, keep_metadata))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeouts_have_at_most_eight_digits() {
        assert_eq!(timeout_value(Duration::from_millis(250)), "250000u");
        assert_eq!(timeout_value(Duration::from_secs(100)), "100000m");
        assert_eq!(timeout_value(Duration::from_secs(1_000_000)), "1000000S");
        assert_eq!(timeout_value(Duration::MAX), "99999999S");
    }
}
