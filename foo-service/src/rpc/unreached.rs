//! What tonic says of calls that no handler has had: their bodies cannot be decoded, or never came. These have no end but a
//! status in their headers; here it becomes one. What tonic says of a message is put as this service puts it.

use http::{HeaderName, HeaderValue, Response};
use tonic::Code;

use crate::job::{CallEnd, Reason};

const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
const GRPC_MESSAGE: HeaderName = HeaderName::from_static("grpc-message");

/// How the call ended that `response` answers.
///
/// CANCELLED is for a body that broke off. tonic's codes for that depend on how, some of them look like this service's
/// own, and no caller is there to read them. (Of a plain reset nothing is heard here: to hyper the body has ended then, and
/// what came of it is a message cut short.)
pub(super) fn end<B>(response: &mut Response<B>) -> CallEnd {
    let Some(status) = response.headers().get(GRPC_STATUS) else {
        return Ok(());
    };
    let (reason, said) = match Code::from_bytes(status.as_bytes()) {
        Code::Ok => return Ok(()),
        // Over the decoding limit: gRPC has RESOURCE_EXHAUSTED for that. It is not for want of room, and not counted so.
        Code::OutOfRange => (Reason::Invalid, Some("8")),
        // Over it once unpacked. A peer that resets its stream can make tonic say this code too, but not these words.
        Code::ResourceExhausted if unpacking_failed(response) => (Reason::Invalid, None),
        Code::Internal => (Reason::Invalid, Some("3")),
        // A compression that is not offered.
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
