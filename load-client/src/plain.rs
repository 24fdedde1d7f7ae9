//! Words of a peer, or of a file, made fit for a terminal: every character visible, on one line, of bounded length.
//!
//! Characters that a terminal obeys instead of showing (escape sequences, line breaks, changes of the writing direction) are
//! written as escapes, such as `\u{1b}`. Everything that this program prints goes through [`line()`] or [`lines`], in
//! `ui/console.rs`; a peer's words go through [`word`] where they are kept.

use std::borrow::Cow;

/// The most characters of a peer's words that are kept (arbitrary: some lines of a terminal).
const LONGEST: usize = 600;
/// The most characters of a printed line (arbitrary: longer than any line of this program).
const LONGEST_LINE: usize = 4000;

/// A peer's words: on one line, visible, and cut off after some lines of a terminal.
pub fn word(text: &str) -> String {
    escaped(&cut(text, LONGEST), is_obeyed).into_owned()
}

/// Text of any origin, on one line and visible. It is cut off if it is longer than any line of this program.
pub fn line(text: &str) -> String {
    escaped(&cut(text, LONGEST_LINE), is_obeyed).into_owned()
}

fn cut(text: &str, most: usize) -> Cow<'_, str> {
    match text.char_indices().nth(most) {
        Some((end, _)) => Cow::Owned(format!("{}…", &text[..end])),
        None => Cow::Borrowed(text),
    }
}

/// Text of any origin, visible and with its line breaks. It is not cut off.
pub fn lines(text: &str) -> Cow<'_, str> {
    escaped(text, |character| character != '\n' && is_obeyed(character))
}

fn escaped(text: &str, is_obeyed: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&is_obeyed) {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if is_obeyed(character) {
            plain.extend(character.escape_default());
        } else {
            plain.push(character);
        }
    }
    Cow::Owned(plain)
}

/// Whether a terminal obeys the character instead of showing it: controls, breaks of lines and paragraphs, changes of
/// the writing direction, and characters without width.
fn is_obeyed(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}'
                | '\u{61c}'
                | '\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_shown_instead() {
        for (said, shown) in [
            ("no\u{1b}[2J\u{1b}]0;owned\u{7}", r"no\u{1b}[2J\u{1b}]0;owned\u{7}"),
            ("a\nrun: ok 100 %", r"a\nrun: ok 100 %"),
            ("a\r\tb\0", r"a\r\tb\u{0}"),
            ("\u{202e}cba\u{2066}", r"\u{202e}cba\u{2066}"),
            ("\u{9b}31m", r"\u{9b}31m"),
            ("Grüße, 世界 – 5 µs …", "Grüße, 世界 – 5 µs …"),
        ] {
            assert_eq!(line(said), shown);
            assert_eq!(word(said), shown);
        }
        assert_eq!(lines("a\n\u{1b}[1mb\n"), "a\n\\u{1b}[1mb\n");
    }

    #[test]
    fn a_long_speech_is_cut_off() {
        let said = word(&"é".repeat(100_000));
        assert_eq!(said.chars().count(), LONGEST + 1);
        assert!(said.ends_with('…'));
        assert_eq!(line(&"é".repeat(100_000)).chars().count(), LONGEST_LINE + 1);
    }

    proptest! {
        #[test]
        fn nothing_is_left_to_obey(text in any::<String>()) {
            prop_assert!(!line(&text).contains(is_obeyed));
            prop_assert!(!word(&text).contains('\n'));
        }
    }
}
