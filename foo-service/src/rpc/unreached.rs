//! The end of calls that no handler has taken, because their bodies cannot be decoded or never came. For these tonic sets only a
//! status in the headers of the answer. Here that status becomes a [`Reason`], and some codes are replaced by those that this
//! service uses for its own refusals.

use http::{HeaderName, HeaderValue, Response};
use tonic::Code;

use crate::job::{CallEnd, Reason};

const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
const GRPC_MESSAGE: HeaderName = HeaderName::from_static("grpc-message");

/// How the call ended that `response` answers. May change the status of `response`.
///
/// A body that broke off counts as cancelled. tonic's code for that depends on how it broke off, and some of these codes are also
/// used by this service; no caller is left to read them. (A plain reset cannot be seen here: to hyper the body has then ended,
/// and tonic finds a message cut short.)
pub(super) fn end<B>(response: &mut Response<B>) -> CallEnd {
    let Some(status) = response.headers().get(GRPC_STATUS) else {
        return Ok(());
    };
    let (reason, said) = match Code::from_bytes(status.as_bytes()) {
        Code::Ok => return Ok(()),
        // The message is over the decoding limit. gRPC prescribes RESOURCE_EXHAUSTED (8); it counts as invalid, not as rejected.
        Code::OutOfRange => (Reason::Invalid, Some("8")),
        // Over the limit once decompressed. A peer that resets its stream can also cause this code, but not this text.
        Code::ResourceExhausted if unpacking_failed(response) => (Reason::Invalid, None),
        Code::Internal => (Reason::Invalid, Some("3")),
        // The message has a compression that this service does not offer.
        Code::Unimplemented => (Reason::Invalid, None),
        Code::DeadlineExceeded => (Reason::Expired, None),
        _ => (Reason::Cancelled, None),
    };
    if let Some(said) = said {
        response
            .headers_mut()
            .insert(GRPC_STATUS, HeaderValue::from_static(said));
    }
    Err(reason)
}

fn unpacking_failed<B>(response: &Response<B>) -> bool {
    let words = response.headers().get(GRPC_MESSAGE).map(HeaderValue::as_bytes);
    words.is_some_and(|words| words.windows(13).any(|window| window == b"decompressing"))
}
