//! Markup that is always well-formed: every element is closed, and every text and attribute is escaped. It is HTML that is
//! well-formed XML too.

use std::fmt::Write;

/// The attributes of an element, each a name and a value.
pub(in crate::present) type Attributes<'a> = &'a [(&'a str, &'a str)];

/// A document, or a part of one, as it is written.
#[derive(Debug, Default)]
pub(in crate::present) struct Markup {
    text: String,
}

impl Markup {
    /// Writes an element with the content that `inside` writes.
    pub(in crate::present) fn element(
        &mut self,
        name: &str,
        attributes: Attributes<'_>,
        inside: impl FnOnce(&mut Self),
    ) {
        self.open(name, attributes);
        self.text.push('>');
        inside(self);
        let _ = write!(self.text, "</{name}>");
    }

    /// Writes an element with a text.
    pub(in crate::present) fn line(&mut self, name: &str, attributes: Attributes<'_>, text: &str) {
        self.element(name, attributes, |markup| markup.text(text));
    }

    /// Writes an element that can have no content: in HTML only some can, such as meta and br, in SVG any.
    pub(in crate::present) fn empty(&mut self, name: &str, attributes: Attributes<'_>) {
        self.open(name, attributes);
        self.text.push_str("/>");
    }

    /// Writes a text, escaped.
    pub(in crate::present) fn text(&mut self, text: &str) {
        escape(text, &mut self.text);
    }

    /// Writes a text, escaped. The parts between backticks become code.
    pub(in crate::present) fn prose(&mut self, text: &str) {
        for (index, part) in text.split('`').enumerate() {
            if index % 2 == 0 {
                self.text(part);
            } else {
                self.line("code", &[], part);
            }
        }
    }

    /// Writes a text of this program without escapes: a style sheet, which has no tags.
    pub(in crate::present) fn verbatim(&mut self, text: &'static str) {
        self.text.push_str(text);
    }

    /// Begins a new line in the file, which makes the source readable.
    pub(in crate::present) fn new_line(&mut self) {
        self.text.push('\n');
    }

    pub(in crate::present) fn into_string(self) -> String {
        self.text
    }

    fn open(&mut self, name: &str, attributes: Attributes<'_>) {
        let _ = write!(self.text, "<{name}");
        for (name, value) in attributes {
            let _ = write!(self.text, " {name}=\"");
            escape(value, &mut self.text);
            self.text.push('"');
        }
    }
}

fn escape(text: &str, into: &mut String) {
    for character in text.chars() {
        match character {
            '&' => into.push_str("&amp;"),
            '<' => into.push_str("&lt;"),
            '>' => into.push_str("&gt;"),
            '"' => into.push_str("&quot;"),
            '\'' => into.push_str("&#39;"),
            '\n' | '\t' => into.push(character),
            // XML cannot express these characters.
            control if control.is_control() || ('\u{fffe}'..='\u{ffff}').contains(&control) => into.push('\u{fffd}'),
            other => into.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_between_backticks_is_code() {
        let mut markup = Markup::default();
        markup.prose("too old (`--message-ttl` < `1s`)");
        assert_eq!(
            markup.into_string(),
            "too old (<code>--message-ttl</code> &lt; <code>1s</code>)"
        );
    }

    #[test]
    fn whatever_is_written_stays_within_its_element_or_attribute() {
        let mut markup = Markup::default();
        markup.element("p", &[("title", r#"a"b'c&<d>"#)], |inside| {
            inside.text("</p><script>&\u{1b}[1m");
            inside.empty("br", &[]);
        });
        assert_eq!(
            markup.into_string(),
            "<p title=\"a&quot;b&#39;c&amp;&lt;d&gt;\">&lt;/p&gt;&lt;script&gt;&amp;\u{fffd}[1m<br/></p>"
        );
    }
}
