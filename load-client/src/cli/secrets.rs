//! Decides which values of metadata and of messages are secrets, so that they do not get into a report. Only this file
//! lists the names of secrets.

use serde_json::Value;

/// The text that replaces a secret.
pub(super) const REDACTED: &str = "…";

/// Parts of the names of secrets, in metadata and in messages (arbitrary: names in use). `_`, `-` and `.` in a name are
/// ignored.
const PARTS: [&str; 22] = [
    "accesskey",
    "apikey",
    "authent",
    "authoriz",
    "bearer",
    "cookie",
    "credential",
    "csrf",
    "encryptionkey",
    "hmac",
    "jwt",
    "oauth",
    "passcode",
    "passphrase",
    "passw",
    "privatekey",
    "secret",
    "session",
    "signature",
    "signingkey",
    "token",
    "xsrf",
];
/// Whole words of the names of secrets. As parts they are in many harmless names: `user_pin` and `userPin` have the
/// word `pin`, `shipping` has not.
const WORDS: [&str; 17] = [
    "auth",
    "cvc",
    "cvv",
    "jsessionid",
    "mfa",
    "otp",
    "pass",
    "passwd",
    "pin",
    "pins",
    "psk",
    "pwd",
    "sid",
    "sig",
    "ssn",
    "totp",
    "tan",
];
/// Parts of the names of secrets in metadata only: in messages they are in too many harmless names, such as `author` and `key`.
const PARTS_IN_METADATA: [&str; 5] = ["auth", "cert", "key", "private", "pwd"];
/// In a message that lists names with values, the fields that have the name, and the fields that have its value.
const NAMES: [&str; 4] = ["name", "key", "field", "header"];
const VALUES: [&str; 2] = ["value", "values"];

/// Removes the values that may be secrets from metadata, which has one `name: value` per line.
pub(super) fn headers_without_secrets(headers: &str) -> String {
    let one = |header: &str| {
        let (name, value) = header.split_once(':').unwrap_or((header, ""));
        let lower = joined(name);
        let is_named_so = has_name(name) || PARTS_IN_METADATA.iter().any(|part| lower.contains(part));
        if is_named_so || looks_secret(value) {
            format!("{name}: {REDACTED}")
        } else {
            header.to_owned()
        }
    };
    headers.split('\n').map(one).collect::<Vec<_>>().join("\n")
}

/// Removes the values that may be secrets from JSON. Other text stays as it is.
pub(super) fn data_without_secrets(data: String) -> String {
    let Ok(mut parsed) = serde_json::from_str::<Value>(&data) else {
        return data;
    };
    if redact(&mut parsed) { parsed.to_string() } else { data }
}

/// Replaces the secrets. Returns whether there were any.
fn redact(data: &mut Value) -> bool {
    match data {
        Value::Object(entries) => {
            let listed = NAMES
                .iter()
                .filter_map(|name| entries.get(*name)?.as_str())
                .any(has_name);
            let mut any = false;
            for (name, value) in entries {
                let is_secret = has_name(name) || listed && VALUES.contains(&name.as_str());
                if is_secret && !value.is_null() && !value.is_boolean() {
                    *value = REDACTED.into();
                    any = true;
                }
                any |= redact(value);
            }
            any
        }
        // This visits all elements; `any` would stop at the first secret.
        Value::Array(elements) => elements.iter_mut().fold(false, |any, element| redact(element) | any),
        Value::String(text) if looks_secret(text) => {
            *data = REDACTED.into();
            true
        }
        _ => false,
    }
}

/// Whether this is the name of a secret.
fn has_name(name: &str) -> bool {
    let whole = joined(name);
    PARTS.iter().any(|part| whole.contains(part)) || words(name).iter().any(|word| WORDS.contains(&word.as_str()))
}

/// Whether a value is a secret under any name: a token with its scheme, a JSON Web Token, or a URL with a user.
fn looks_secret(value: &str) -> bool {
    let value = value.trim();
    let scheme = value.split_once(' ').map(|(scheme, _)| scheme.to_ascii_lowercase());
    let is_token = scheme.is_some_and(|scheme| matches!(&*scheme, "bearer" | "basic" | "digest"));
    let is_jwt = value.starts_with("eyJ") && value.matches('.').count() == 2;
    let has_user = value.split_once("://").is_some_and(|(_, rest)| rest.contains('@'));
    is_token || is_jwt || has_user
}

fn joined(name: &str) -> String {
    name.to_lowercase().replace(['_', '-', '.', ' '], "")
}

/// The words of a name, as in `user_pin`, `user-pin` and `userPin`; a number at the end of a word does not count.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before = ' ';
    for letter in name.chars() {
        let begins = letter.is_uppercase() && before.is_lowercase();
        if begins || !letter.is_alphabetic() {
            words.push(String::new());
        }
        if letter.is_alphabetic() {
            words.last_mut().expect("there is one").extend(letter.to_lowercase());
        }
        before = letter;
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_that_may_be_a_secret_has_no_value() {
        for header in [
            "Authorization: abc123",
            "x-api-key: abc123",
            "x-xsrf: abc123",
            "X-CSRF: abc123",
            "x-pwd: abc123",
            "xpwd: abc123",
            "x-pin: abc123",
            "x-otp: abc123",
            "x-session-id: abc123",
            "sid: abc123",
            "x-client-cert: abc123",
            "my-secret-bin: abc12345",
            "who: Bearer abc123",
            "who: basic abc123",
            "who: eyJabc123.a.b",
            "callback: https://me:abc123@h",
        ] {
            let shown = headers_without_secrets(header);
            assert!(shown.ends_with(": …") && !shown.contains("abc123"), "{shown}");
        }
        let several = headers_without_secrets("who: me\nx-pwd: abc123\nx-pinned: yes");
        assert_eq!(several, "who: me\nx-pwd: …\nx-pinned: yes");
    }

    #[test]
    fn a_field_that_may_be_a_secret_has_no_value() {
        for data in [
            r#"{"csrf": "abc123"}"#,
            r#"{"xsrfToken": "abc123"}"#,
            r#"{"session_id": "abc123"}"#,
            r#"{"sessionId": "abc123"}"#,
            r#"{"pwd": "abc123"}"#,
            r#"{"userPwd": "abc123"}"#,
            r#"{"pin": 123123}"#,
            r#"{"PIN": "abc123"}"#,
            r#"{"user_pin": "abc123"}"#,
            r#"{"userPin": "abc123"}"#,
            r#"{"otp1": "abc123"}"#,
            r#"{"pass": "abc123"}"#,
            r#"{"cvv": 123123}"#,
            r#"{"auth": ["abc123"]}"#,
            r#"{"a": [{"api_key": "abc123"}, {"access-key": {"v": "abc123"}}]}"#,
            r#"[{"name": "authorization", "value": "abc123"}]"#,
            r#"{"key": "x-pwd", "values": ["abc123"]}"#,
            r#"{"texts": ["Bearer abc123"]}"#,
            r#"{"url": "https://me:abc123@h/x"}"#,
        ] {
            let shown = data_without_secrets(data.to_owned());
            assert!(shown.contains(REDACTED), "{shown}");
            assert!(!shown.contains("abc123") && !shown.contains("123123"), "{shown}");
        }
    }

    #[test]
    fn what_is_no_secret_stays() {
        for data in [
            r#"{"author": "me", "key": "k", "shipping": 1, "opinion": "x", "compass": 2, "side": "a"}"#,
            r#"{"name": "me", "value": "x"}"#,
            r#"{"password": null, "hasToken": true}"#,
            r#"{"mail": "me@example.com", "url": "https://example.com/a"}"#,
            "not JSON",
        ] {
            assert_eq!(data_without_secrets(data.to_owned()), data);
        }
        for header in ["who: me", "x-shipping: fast", "from: me@example.com"] {
            assert_eq!(headers_without_secrets(header), header);
        }
    }
}
