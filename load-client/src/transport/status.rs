//! What an HTTP/2 answer says as gRPC reads it: the status, by the peer's own word or by gRPC's table for answers of others
//! (http-grpc-status-mapping.md of the gRPC project), and the message.

use std::io::Read;

use bytes::{Buf, Bytes};
use flate2::read::GzDecoder;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header, response};
use percent_encoding::percent_decode;
use tonic::Code;

use super::{Answer, grpc::FRAME_HEADER};

pub(super) const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
const GRPC_MESSAGE: HeaderName = HeaderName::from_static("grpc-message");
const GRPC_ENCODING: HeaderName = HeaderName::from_static("grpc-encoding");
/// What every media type of gRPC begins with.
const GRPC: &str = "application/grpc";
/// Bytes of a peer's media type that an error shows (arbitrary: a line that can still be read).
const MOST_SHOWN: usize = 80;

/// Metadata of a call that lets the peer compress its answer; it is read either way.
pub const ACCEPTS_GZIP: (HeaderName, HeaderValue) = (
    HeaderName::from_static("grpc-accept-encoding"),
    HeaderValue::from_static("gzip"),
);

/// Why a message that says OK cannot be had.
#[derive(Debug, PartialEq, Eq)]
enum Unreadable {
    NotOneMessage,
    TooLarge,
    Encoding(String),
    Gzip(String),
}

/// The answer. `framed` is the whole body, and `most` the largest message that is accepted.
pub(super) fn read(head: &response::Parts, trailers: Option<&HeaderMap>, framed: Bytes, most: usize) -> Answer {
    // The peer's own word counts wherever it is given, whatever HTTP says beside it.
    let said = trailers
        .filter(|trailers| trailers.contains_key(GRPC_STATUS))
        .unwrap_or(&head.headers);
    let Some(code) = said.get(GRPC_STATUS) else {
        return without_status(head, trailers.is_some());
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

/// An answer of more than `most` bytes.
pub(super) fn too_large(most: usize) -> Answer {
    Answer::Malformed(format!(
        "the answer is larger than {most} bytes; --max-message-size allows more"
    ))
}

fn without_status(head: &response::Parts, trailers: bool) -> Answer {
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

/// gRPC's table.
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

fn unframe(mut framed: Bytes, headers: &HeaderMap, most: usize) -> Result<Bytes, Unreadable> {
    let Some(length) = framed.get(1..FRAME_HEADER) else {
        return Err(Unreadable::NotOneMessage);
    };
    let length: [u8; 4] = length.try_into().expect("four bytes");
    if usize::try_from(u32::from_be_bytes(length)) != Ok(framed.len() - FRAME_HEADER) {
        return Err(Unreadable::NotOneMessage);
    }
    let flag = framed[0];
    framed.advance(FRAME_HEADER);
    match flag {
        0 => Ok(framed),
        1 => decompress(&framed, headers, most),
        _ => Err(Unreadable::NotOneMessage),
    }
}

fn decompress(compressed: &[u8], headers: &HeaderMap, most: usize) -> Result<Bytes, Unreadable> {
    match headers.get(GRPC_ENCODING).map(HeaderValue::as_bytes) {
        Some(b"gzip") => {}
        other => {
            let name = String::from_utf8_lossy(other.unwrap_or(b"")).into_owned();
            return Err(Unreadable::Encoding(name));
        }
    }
    let mut message = Vec::new();
    let limit = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
    let read = GzDecoder::new(compressed).take(limit).read_to_end(&mut message);
    read.map_err(|error| Unreadable::Gzip(error.to_string()))?;
    if message.len() > most {
        return Err(Unreadable::TooLarge);
    }
    Ok(message.into())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{Compression, write::GzEncoder};

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

    fn framed(flag: u8, message: &[u8]) -> Bytes {
        let length = u32::try_from(message.len()).unwrap().to_be_bytes();
        [&[flag][..], &length, message].concat().into()
    }

    fn gzip(message: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(message).unwrap();
        encoder.finish().unwrap()
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
            assert_eq!(said(read(&head(http, &status), None, Bytes::new(), MOST)), expected);
            let (head, trailers) = (head(http, &[]), trailers(&status));
            assert_eq!(said(read(&head, Some(&trailers), Bytes::new(), MOST)), expected);
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
            let answer = read(&head(http, &[("content-type", "text/html")]), None, Bytes::new(), MOST);
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
            let answer = read(&head(200, &[("content-type", media)]), None, Bytes::new(), MOST);
            assert_eq!(said(answer), (None, expected.to_owned()));
        }
    }

    #[test]
    fn a_message_is_unframed_or_refused() {
        let none = HeaderMap::new();
        let unframe = |framed: Bytes| super::unframe(framed, &none, MOST);
        assert_eq!(unframe(framed(0, b"message")).unwrap(), "message");
        assert_eq!(unframe(framed(0, b"")).unwrap(), "");
        let whole = framed(0, b"message");
        for length in 0..whole.len() {
            assert_eq!(unframe(whole.slice(..length)), Err(Unreadable::NotOneMessage));
        }
        let two = [framed(0, b""), framed(0, b"")].concat();
        assert_eq!(unframe(two.into()), Err(Unreadable::NotOneMessage));
        assert_eq!(unframe(framed(2, b"")), Err(Unreadable::NotOneMessage));
        assert_eq!(unframe(framed(1, b"")), Err(Unreadable::Encoding(String::new())));
    }

    #[test]
    fn gzip_is_decoded_and_a_bomb_does_not_go_off() {
        let headers = trailers(&[("grpc-encoding", "gzip")]);
        let unframe = |framed: Bytes| super::unframe(framed, &headers, MOST);
        assert_eq!(unframe(framed(1, &gzip(b"message"))).unwrap(), "message");
        assert_eq!(unframe(framed(1, &gzip(&[7; MOST]))).unwrap().len(), MOST);
        // Ten megabytes in ten kilobytes, and one byte too much.
        for size in [10 << 20, MOST + 1] {
            let bomb = gzip(&vec![7; size]);
            assert_eq!(unframe(framed(1, &bomb)), Err(Unreadable::TooLarge));
        }
        assert!(matches!(unframe(framed(1, b"no gzip")), Err(Unreadable::Gzip(_))));
        // A message that is not compressed may be among others that are.
        assert_eq!(unframe(framed(0, b"message")).unwrap(), "message");
        let other = trailers(&[("grpc-encoding", "snappy")]);
        let answer = super::unframe(framed(1, b"x"), &other, MOST);
        assert_eq!(answer, Err(Unreadable::Encoding("snappy".to_owned())));
    }
}
