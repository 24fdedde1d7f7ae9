//! Metadata on the command line, as `name: value`: what gRPC and HTTP/2 allow.

use http::{HeaderName, HeaderValue};

/// Headers that HTTP/2 forbids, or that the client itself sends.
const TAKEN: [&str; 12] = [
    "connection",
    "keep-alive",
    "proxy-connection",
    "transfer-encoding",
    "upgrade",
    "http2-settings",
    "trailer",
    "te",
    "host",
    "content-length",
    "content-type",
    "expect",
];

/// Reads metadata, as `name: value`. No error repeats the text: even the part before the colon may be a part of a
/// credential.
pub(super) fn metadata(text: &str) -> Result<(HeaderName, HeaderValue), String> {
    let (name, value) = text
        .split_once(':')
        .ok_or("there is no colon; write it as 'name: value'")?;
    let (name, value) = (name.trim().to_ascii_lowercase(), value.trim());
    let is_allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_.".contains(&byte);
    if name.is_empty() || !name.bytes().all(is_allowed) {
        return Err(
            "what is before the colon is no name that gRPC allows; it has letters, digits, '-', '_' and '.'".to_owned(),
        );
    }
    if name.starts_with("grpc-") {
        return Err("names that begin with grpc- belong to gRPC itself (--timeout sets the deadline)".to_owned());
    }
    if TAKEN.contains(&name.as_str()) {
        let instead = if name == "host" {
            "; --authority sets the host"
        } else {
            ""
        };
        return Err(format!(
            "the header {name} is set by HTTP/2 and gRPC themselves{instead}"
        ));
    }
    if name.ends_with("-bin") && !value.split(',').all(|part| is_base64(part.trim())) {
        return Err(format!(
            "the value of {name} must be base64 (letters, digits, '+', '/'), because the name ends in -bin"
        ));
    }
    if !value.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return Err(format!(
            "the value of {name} has other characters than printable ASCII; write them as base64, with a name that ends in -bin"
        ));
    }
    if has_placeholder(value) {
        return Err(format!(
            "the value of {name} has a placeholder; placeholders are filled in in --data only"
        ));
    }
    let name = HeaderName::try_from(name).map_err(|error| error.to_string())?;
    let value = HeaderValue::try_from(value).map_err(|error| error.to_string())?;
    Ok((name, value))
}

/// Whether the text is base64 with the alphabet of gRPC, with padding or without.
fn is_base64(text: &str) -> bool {
    let bare = text.trim_end_matches('=');
    let padding = text.len() - bare.len();
    let is_digit = |byte: u8| byte.is_ascii_alphanumeric() || b"+/".contains(&byte);
    bare.bytes().all(is_digit) && bare.len() % 4 != 1 && (padding == 0 || (padding < 3 && text.len().is_multiple_of(4)))
}

/// Whether the value has a placeholder that `--data` would fill in.
fn has_placeholder(value: &str) -> bool {
    value.split("{{").skip(1).any(|after| {
        let after = after.trim_start();
        ["counter", "random", "id"].iter().any(|name| {
            let rest = after.strip_prefix(name).map(str::trim_start);
            rest.is_some_and(|rest| rest.starts_with("}}") || (*name == "random" && rest.contains("}}")))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_grpc_allows_is_taken() {
        for (text, name, value) in [
            ("who: me", "who", "me"),
            ("Authorization:Bearer a:b", "authorization", "Bearer a:b"),
            ("x_1.y-z: ", "x_1.y-z", ""),
            ("user-agent: mine", "user-agent", "mine"),
            ("data-bin: AAEC", "data-bin", "AAEC"),
            ("data-bin: AA==", "data-bin", "AA=="),
            ("data-bin: AA,AAE", "data-bin", "AA,AAE"),
            ("greeting: {{name}}", "greeting", "{{name}}"),
        ] {
            let (name, value) = (HeaderName::from_static(name), HeaderValue::from_static(value));
            assert_eq!(metadata(text), Ok((name, value)), "{text}");
        }
    }

    #[test]
    fn what_no_peer_would_take_is_refused_with_the_reason_and_without_the_value() {
        for (text, said) in [
            ("authorization", "no colon"),
            (": x", "no name"),
            (":path: /", "no name"),
            ("a b: c", "no name"),
            ("a!b: secret", "no name"),
            ("Bearer secret:x", "no name"),
            ("ä: secret", "no name"),
            ("who: sécret", "printable ASCII"),
            ("who: sec\nret", "printable ASCII"),
            ("grpc-timeout: 1S", "belong to gRPC"),
            ("Keep-Alive: secret", "keep-alive is set by HTTP/2"),
            ("connection: close", "connection is set"),
            ("Transfer-Encoding: chunked", "transfer-encoding is set"),
            ("upgrade: h2c", "upgrade is set"),
            ("proxy-connection: x", "proxy-connection is set"),
            ("te: trailers", "te is set"),
            ("content-length: 5", "content-length is set"),
            ("host: secret", "--authority"),
            ("data-bin: secret!", "base64"),
            ("data-bin: a_-b", "base64"),
            ("data-bin: AAAAA", "base64"),
            ("data-bin: AAA==", "base64"),
            ("id: {{ counter }}", "--data only"),
            ("id: x-{{random 1 2}}", "--data only"),
        ] {
            let error = metadata(text).unwrap_err();
            assert!(error.contains(said), "{text}: {error}");
            assert!(
                !error.contains("secret") && !error.contains("sécret"),
                "{text}: {error}"
            );
        }
    }
}
