//! Messages on the wire: each follows a flag and its length, and may be compressed (PROTOCOL-HTTP2.md of the gRPC
//! project).

use std::io::Read;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use flate2::read::GzDecoder;
use http::{HeaderMap, HeaderName, HeaderValue};

/// Bytes before every message: a flag and a length.
pub const FRAME_HEADER: usize = 5;

const GRPC_ENCODING: HeaderName = HeaderName::from_static("grpc-encoding");

/// Metadata of a call that lets the peer compress its answer. Compressed answers are read without it too.
pub const ACCEPTS_GZIP: (HeaderName, HeaderValue) = (
    HeaderName::from_static("grpc-accept-encoding"),
    HeaderValue::from_static("gzip"),
);

/// Why the message of an answer with the status OK cannot be read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unreadable {
    NotOneMessage,
    TooLarge,
    Encoding(String),
    Gzip(String),
}

/// Encodes a message with the frame header that goes before it.
pub fn frame(message: &impl prost::Message) -> Bytes {
    let length = message.encoded_len();
    let mut buffer = BytesMut::with_capacity(FRAME_HEADER + length);
    buffer.put_u8(0);
    buffer.put_u32(u32::try_from(length).expect("messages are far below 4 GiB"));
    message.encode(&mut buffer).expect("the buffer has room for it");
    buffer.freeze()
}

/// The one message of a body, decompressed; `most` is the largest that is accepted, in bytes.
pub(super) fn unframe(mut framed: Bytes, headers: &HeaderMap, most: usize) -> Result<Bytes, Unreadable> {
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

    fn encoded(encoding: &str) -> HeaderMap {
        HeaderMap::from_iter([(GRPC_ENCODING, HeaderValue::from_str(encoding).unwrap())])
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
        let headers = encoded("gzip");
        let unframe = |framed: Bytes| super::unframe(framed, &headers, MOST);
        assert_eq!(unframe(framed(1, &gzip(b"message"))).unwrap(), "message");
        assert_eq!(unframe(framed(1, &gzip(&[7; MOST]))).unwrap().len(), MOST);
        // Ten megabytes compressed to ten kilobytes, and a message that is one byte too long.
        for size in [10 << 20, MOST + 1] {
            let bomb = gzip(&vec![7; size]);
            assert_eq!(unframe(framed(1, &bomb)), Err(Unreadable::TooLarge));
        }
        assert!(matches!(unframe(framed(1, b"no gzip")), Err(Unreadable::Gzip(_))));
        // A message may be uncompressed even if the header names gzip.
        assert_eq!(unframe(framed(0, b"message")).unwrap(), "message");
        let other = encoded("snappy");
        let answer = super::unframe(framed(1, b"x"), &other, MOST);
        assert_eq!(answer, Err(Unreadable::Encoding("snappy".to_owned())));
    }
}
