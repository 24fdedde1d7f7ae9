//! Reads an HTTP/2 answer as gRPC does: its status and its message. The status is the peer's own, or follows from the
//! HTTP status by gRPC's table (http-grpc-status-mapping.md of the gRPC project).

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header, response};
use percent_encoding::percent_decode;
use tonic::Code;

use super::{
    answer::{Answer, AnswerMetadata},
    frame::{Unreadable, unframe},
};

pub(super) const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
const GRPC_MESSAGE: HeaderName = HeaderName::from_static("grpc-message");
/// The beginning of every media type of gRPC.
const GRPC: &str = "application/grpc";
/// The most bytes of a peer's media type that an error shows (arbitrary: a line that can still be read).
const MOST_SHOWN: usize = 80;

/// Reads an answer. `framed` is the whole body, and `most` the largest message that is accepted, in bytes.
pub(super) fn read(
    head: &response::Parts,
    trailers: Option<&HeaderMap>,
    framed: Bytes,
    most: usize,
    keep_metadata: bool,
) -> Answer {
    let metadata = || {
        let metadata = || AnswerMetadata {
            headers: head.headers.clone(),
            trailers: trailers.cloned().unwrap_or_default(),
        };
        keep_metadata.then(|| Box::new(metadata()))
    };
    // The peer's own gRPC status counts, in trailers or headers, even if the HTTP status differs.
    let said = trailers
        .filter(|trailers| trailers.contains_key(GRPC_STATUS))
        .unwrap_or(&head.headers);
    let Some(code) = said.get(GRPC_STATUS) else {
        return without_status(head, trailers.is_some(), metadata());
    };
    let code = Code::from_bytes(code.as_bytes());
    let message = said
        .get(GRPC_MESSAGE)
        .map(|text| percent_decode(text.as_bytes()).decode_utf8_lossy().into_owned());
    let body = if code == Code::Ok {
        unframe(framed, &head.headers, most)
    } else {
        Ok(Bytes::new())
    };
    let unreadable = match body {
        Ok(body) => {
            return Answer::Status {
                code,
                own: true,
                message: message.unwrap_or_default(),
                body,
                metadata: metadata(),
            };
        }
        Err(unreadable) => unreadable,
    };
    match unreadable {
        Unreadable::NotOneMessage => Answer::Malformed("the answer is not one message".to_owned()),
        Unreadable::TooLarge => too_large(most),
        Unreadable::Encoding(encoding) => Answer::Malformed(format!(
            "the answer is compressed as {encoding:?}, which is not understood; only gzip is"
        )),
        Unreadable::Gzip(error) => Answer::Malformed(format!("the answer says that it is gzip, and is not: {error}")),
    }
}

/// The result for an answer of more than `most` bytes.
pub(super) fn too_large(most: usize) -> Answer {
    Answer::Malformed(format!(
        "the answer is larger than {most} bytes; --max-message-size allows more"
    ))
}

fn without_status(head: &response::Parts, trailers: bool, metadata: Option<Box<AnswerMetadata>>) -> Answer {
    let media = head.headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    let shown = |media: &[u8]| {
        let text = String::from_utf8_lossy(&media[..media.len().min(MOST_SHOWN)]);
        text.escape_debug().to_string()
    };
    if head.status != StatusCode::OK {
        let status = head.status;
        return Answer::Status {
            code: code_of(status),
            own: false,
            message: match media {
                Some(media) if !media.starts_with(GRPC.as_bytes()) => {
                    let media = shown(media);
                    format!("HTTP status {status}, {media}: a proxy or a web server answers there")
                }
                _ => format!("HTTP status {status}"),
            },
            body: Bytes::new(),
            metadata,
        };
    }
    Answer::Malformed(match media {
        Some(media) if !media.starts_with(GRPC.as_bytes()) => {
            format!("an HTTP answer of type {}, not gRPC", shown(media))
        }
        None => "an HTTP answer without a content type, not gRPC".to_owned(),
        Some(_) if trailers => "the answer has no grpc-status".to_owned(),
        Some(_) => "the answer has no trailers".to_owned(),
    })
}

/// The gRPC code for an HTTP status, by gRPC's table.
fn code_of(status: StatusCode) -> Code {
    match status.as_u16() {
        400 => Code::Internal,
        401 => Code::Unauthenticated,
        403 => Code::PermissionDenied,
        404 => Code::Unimplemented,
        429 | 502..=504 => Code::Unavailable,
        _ => Code::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST: usize = 1000;

    fn head(status: u16, headers: &[(&'static str, &str)]) -> response::Parts {
        let mut answer = http::Response::builder().status(status);
        for (name, value) in headers {
            answer = answer.header(*name, *value);
        }
        answer.body(()).unwrap().into_parts().0
    }

    fn trailers(headers: &[(&'static str, &str)]) -> HeaderMap {
        head(200, headers).headers
    }

    fn said(answer: Answer) -> (Option<Code>, String) {
        match answer {
            Answer::Status { code, message, .. } => (Some(code), message),
            Answer::Malformed(reason) => (None, reason),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn grpc_status_decides_wherever_it_is_given() {
        for (http, grpc, message, code) in [
            (429, "8", "slow down", Code::ResourceExhausted),
            (503, "14", "upstream gone", Code::Unavailable),
            (403, "7", "RBAC: access denied", Code::PermissionDenied),
            (404, "5", "", Code::NotFound),
        ] {
            let status = [("grpc-status", grpc), ("grpc-message", message)];
            let expected = (Some(code), message.to_owned());
            assert_eq!(
                said(read(&head(http, &status), None, Bytes::new(), MOST, false)),
                expected
            );
            let (head, trailers) = (head(http, &[]), trailers(&status));
            assert_eq!(said(read(&head, Some(&trailers), Bytes::new(), MOST, false)), expected);
        }
    }

    #[test]
    fn without_grpc_status_the_table_of_grpc_holds() {
        for (http, code) in [
            (400, Code::Internal),
            (401, Code::Unauthenticated),
            (403, Code::PermissionDenied),
            (404, Code::Unimplemented),
            (429, Code::Unavailable),
            (500, Code::Unknown),
            (502, Code::Unavailable),
            (503, Code::Unavailable),
            (504, Code::Unavailable),
            (418, Code::Unknown),
        ] {
            let answer = read(
                &head(http, &[("content-type", "text/html")]),
                None,
                Bytes::new(),
                MOST,
                false,
            );
            let (found, message) = said(answer);
            assert_eq!(found, Some(code), "{http}");
            assert!(message.starts_with(&format!("HTTP status {http}")), "{message}");
            assert!(
                message.ends_with(", text/html: a proxy or a web server answers there"),
                "{message}"
            );
        }
    }

    #[test]
    fn what_is_not_grpc_is_named() {
        for (media, expected) in [
            (
                "text/html; charset=utf-8",
                "an HTTP answer of type text/html; charset=utf-8, not gRPC",
            ),
            ("application/grpc", "the answer has no trailers"),
            ("application/grpc+proto", "the answer has no trailers"),
        ] {
            let answer = read(&head(200, &[("content-type", media)]), None, Bytes::new(), MOST, false);
            assert_eq!(said(answer), (None, expected.to_owned()));
        }
    }
}
