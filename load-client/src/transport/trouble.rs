//! Error messages for connections that fail, and the protocol of a peer that does not speak HTTP/2.

use std::{io, time::Duration};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    time::timeout,
};

/// How long finding out what a peer speaks may take (arbitrary: it is only for an error text).
pub(super) const PROBE_TIMEOUT: Duration = Duration::from_secs(1);
/// A request that every server of HTTP/1.x answers in its protocol. Some do not answer the preface of HTTP/2 so:
/// Python's sends only HTML, hyper's closes the connection.
const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
/// The beginning of every answer of HTTP/1.0 and 1.1.
const HTTP_1: &[u8] = b"HTTP/1.";

/// The beginnings of reasons why no server was reached at all: it cannot have been the wrong server.
const ON_THE_WAY: [&str; 4] = [
    "the host name",
    "the name has no address",
    "there is no socket",
    "there is no route",
];

/// The text that follows a reason: it asks whether the server is there, if that may be the cause.
pub(super) fn question(reason: &str) -> &'static str {
    let on_the_way = |part: &str| ON_THE_WAY.iter().any(|beginning| part.starts_with(beginning));
    if reason.ends_with('?') {
        ""
    } else if reason.split("; ").all(on_the_way) {
        ";"
    } else {
        ". Does a gRPC server listen there?"
    }
}

/// An error for which another attempt would not help.
pub(super) fn unfit(words: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, words.into())
}

/// Whether this process, or the system, can open no more files or sockets.
#[cfg(unix)]
pub(super) fn is_out_of_files(error: &io::Error) -> bool {
    use rustix::io::Errno;
    [Errno::MFILE, Errno::NFILE]
        .map(|errno| Some(errno.raw_os_error()))
        .contains(&error.raw_os_error())
}

#[cfg(not(unix))]
pub(super) fn is_out_of_files(_: &io::Error) -> bool {
    false
}

/// Replaces an error about too many open files by one that says what to do. Any other error stays as it is.
pub(super) fn worded(error: io::Error) -> io::Error {
    if is_out_of_files(&error) {
        return unfit(format!(
            "too many open files ({error}): every connection needs one; allow more with ulimit -n, or use fewer --connections"
        ));
    }
    error
}

/// The text of an HTTP/2 error, with the name of its code and with the peer's own words, if it sent any.
pub(super) fn http2(error: &h2::Error) -> String {
    let text = error.to_string();
    let Some(code) = error.reason() else {
        return text;
    };
    let beside = text.find(" (b\"").map_or("", |start| &text[start..]);
    match (error.is_reset(), error.is_go_away(), error.is_remote()) {
        (true, _, true) => format!("the stream was reset: {code:?}"),
        (true, _, false) => format!("the answer breaks the rules of HTTP/2: {code:?}"),
        (_, true, true) => format!("the connection was told to go away: {code:?}{beside}"),
        (_, true, false) => format!("the connection breaks the rules of HTTP/2: {code:?}{beside}"),
        _ => text,
    }
}

/// Whether a peer answers in HTTP/1.x. The connection cannot be used afterwards.
pub(super) async fn speaks_http_1(mut stream: impl AsyncRead + AsyncWrite + Unpin) -> bool {
    let mut answer = [0; HTTP_1.len()];
    let probe = async {
        stream.write_all(REQUEST).await?;
        stream.read_exact(&mut answer).await
    };
    matches!(timeout(PROBE_TIMEOUT, probe).await, Ok(Ok(_))) && answer == HTTP_1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_on_the_way_asks_for_no_server() {
        for (reason, asks) in [
            ("the host name \"a\" is not known: failed", false),
            ("there is no socket /tmp/a.sock", false),
            (
                "there is no route to 10.0.0.1:1; there is no route to [fe80::1]:1",
                false,
            ),
            ("no answer from 10.0.0.1:1 within 5s: is it filtered?", false),
            ("connection refused by 10.0.0.1:1", true),
            (
                "connection refused by 10.0.0.1:1; there is no route to [fe80::1]:1",
                true,
            ),
        ] {
            assert_eq!(question(reason).contains("Does a gRPC server"), asks, "{reason}");
        }
    }
}
