//! The placeholders of `--data`, and their values in each send. The rest of the message is the same in every send.
//!
//! `{{counter}}` is a number unique to each send, `{{random 1 100}}` is a random number, `{{id}}` is the id of the
//! request. `{{{{` is a literal `{{`.

use std::{fmt, io::Write, time::Duration};

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

/// Begins a placeholder; written twice, it is a literal `{{`.
const OPEN: &str = "{{";
const CLOSE: &str = "}}";
/// The list of placeholders, for error texts.
const KNOWN: &str = "there are {{counter}}, {{random FROM TO}} and {{id}}, and {{{{ for a literal {{";

/// A value that differs from send to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Placeholder {
    /// A number that is unique to each send of a run. Each client counts its own sends, so the numbers of several
    /// clients may have gaps; one client has 0, 1, 2, …
    Counter,
    /// A random number, evenly distributed from `from` to `to`, both included.
    Random { from: i64, to: i64 },
    /// The id of the request.
    Id,
}

/// A part of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    /// Text without placeholders.
    Literal(String),
    /// A placeholder, replaced for each request.
    Placeholder(Placeholder),
}

/// One send: its run, client and number, and the service time that a trace gives for it.
#[derive(Debug, Clone, Copy)]
pub struct Ticket<'a> {
    /// The id of the run, which begins the id of each message; new for every run.
    pub run_id: &'a str,
    /// The index of the client in the run, from 0.
    pub client: u64,
    /// The number of the send among those of its client, from 0.
    pub number: u64,
    /// The service time that a trace gives for the message; `None` if it gives none.
    pub demand: Option<Duration>,
}

impl fmt::Display for Ticket<'_> {
    /// `RUN/CLIENT/NUMBER`: the id by which the service and the audit know the message.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.run_id, self.client, self.number)
    }
}

/// The values of the placeholders in one send. Random numbers depend only on the seed, the client and the number of the
/// send, so a run can be repeated with the same ones.
pub(super) struct Values<'a> {
    ticket: Ticket<'a>,
    clients: u64,
    random: Pcg64Mcg,
}

impl<'a> Values<'a> {
    pub(super) fn new(ticket: Ticket<'a>, clients: u32, seed: u64) -> Self {
        let counter = counter(&ticket, u64::from(clients));
        Self {
            ticket,
            clients: clients.into(),
            // The two odd constants (arbitrary) give neighbouring seeds and neighbouring sends unrelated random
            // numbers.
            random: Pcg64Mcg::seed_from_u64(
                seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ counter.wrapping_mul(0xd1b5_4a32_d192_ed03),
            ),
        }
    }

    /// The value as a number; `None` for an id, which is not a number.
    pub(super) fn number(&mut self, placeholder: Placeholder) -> Option<i64> {
        match placeholder {
            // The counter starts again at 0 after 2^63.
            Placeholder::Counter => Some((counter(&self.ticket, self.clients) & i64::MAX as u64).cast_signed()),
            Placeholder::Random { from, to } => Some(self.random.random_range(from..=to)),
            Placeholder::Id => None,
        }
    }

    /// Appends the value as text.
    pub(super) fn write(&mut self, placeholder: Placeholder, text: &mut Vec<u8>) {
        let written = match self.number(placeholder) {
            Some(number) => write!(text, "{number}"),
            None => write!(text, "{}", self.ticket),
        };
        written.expect("a vector has room");
    }
}

/// The value of `{{counter}}`, as if the clients sent in turn. With one client it is the number of the send.
fn counter(ticket: &Ticket<'_>, clients: u64) -> u64 {
    ticket.number.wrapping_mul(clients).wrapping_add(ticket.client)
}

/// Splits a text into literals and placeholders; one literal if it has no placeholder.
///
/// # Errors
///
/// If a placeholder is wrong. The text says why and lists the placeholders. It repeats nothing of the data, which may
/// be a credential.
pub(super) fn parse(text: &str) -> Result<Vec<Part>, String> {
    let mut parts = Vec::new();
    let mut literal = String::new();
    let mut rest = text;
    while let Some(open) = rest.find(OPEN) {
        literal.push_str(&rest[..open]);
        rest = &rest[open + OPEN.len()..];
        if let Some(after) = rest.strip_prefix(OPEN) {
            literal.push_str(OPEN);
            rest = after;
            continue;
        }
        let close = rest
            .find(CLOSE)
            .ok_or_else(|| format!("a text has a {{{{ without }}}}; {KNOWN}"))?;
        if !literal.is_empty() {
            parts.push(Part::Literal(std::mem::take(&mut literal)));
        }
        parts.push(Part::Placeholder(placeholder(&rest[..close])?));
        rest = &rest[close + CLOSE.len()..];
    }
    literal.push_str(rest);
    if !literal.is_empty() || parts.is_empty() {
        parts.push(Part::Literal(literal));
    }
    Ok(parts)
}

fn placeholder(text: &str) -> Result<Placeholder, String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    match words[..] {
        ["counter"] => Ok(Placeholder::Counter),
        ["id"] => Ok(Placeholder::Id),
        ["random", from, to] => match (from.parse(), to.parse()) {
            (Ok(from), Ok(to)) if from <= to => Ok(Placeholder::Random { from, to }),
            (Ok(_), Ok(_)) => Err("{{random FROM TO}} draws from nothing: write the smaller number first".to_owned()),
            _ => Err("{{random FROM TO}} needs two whole numbers, like {{random 1 100}}".to_owned()),
        },
        _ => Err(format!(
            "what a text has between {{{{ and }}}} is no placeholder; {KNOWN}"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(text: &str, client: u64, number: u64) -> String {
        let ticket = Ticket {
            run_id: "run",
            client,
            number,
            demand: None,
        };
        let mut values = Values::new(ticket, 4, 1);
        let mut filled = Vec::new();
        for part in parse(text).unwrap() {
            match part {
                Part::Literal(literal) => filled.extend_from_slice(literal.as_bytes()),
                Part::Placeholder(placeholder) => values.write(placeholder, &mut filled),
            }
        }
        String::from_utf8(filled).unwrap()
    }

    #[test]
    fn placeholders_are_filled_in_and_literals_kept() {
        assert_eq!(filled("user-{{counter}}!", 3, 2), "user-11!");
        assert_eq!(filled("{{ id }}", 3, 2), "run/3/2");
        assert_eq!(filled("{{random -5 -5}}{{random 7 7}}", 0, 0), "-57");
        assert_eq!(filled("{{{{counter}}", 0, 0), "{{counter}}");
        assert_eq!(filled("{a} {\"b\":{}} }}", 0, 0), "{a} {\"b\":{}} }}");
        assert_eq!(filled("", 0, 0), "");
    }

    #[test]
    fn no_two_sends_have_the_same_counter() {
        let all: std::collections::BTreeSet<String> = (0..4)
            .flat_map(|client| (0..10).map(move |number| filled("{{counter}}", client, number)))
            .collect();
        assert_eq!(all.len(), 40);
        assert!(all.contains("0") && all.contains("39"));
    }

    #[test]
    fn draws_differ_between_sends_repeat_with_the_seed_and_cover_their_range() {
        let draw = |number| filled("{{random 1 6}}{{random 0 9}}", 1, number);
        let first: Vec<String> = (0..200).map(draw).collect();
        assert_eq!(first, (0..200).map(draw).collect::<Vec<_>>());
        for face in ['1', '2', '3', '4', '5', '6'] {
            assert!(first.iter().any(|drawn| drawn.starts_with(face)), "{face}");
        }
    }

    #[test]
    fn what_is_no_placeholder_is_an_error_that_names_those_there_are() {
        for (wrong, said) in [
            ("{{count}}", "{{counter}}"),
            ("{{}}", "{{id}}"),
            ("{{counter", "without }}"),
            ("{{random 1}}", "{{random FROM TO}}"),
            ("{{random a b}}", "two whole numbers"),
            ("{{random 2 1}}", "smaller number first"),
        ] {
            let error = parse(wrong).unwrap_err();
            assert!(error.contains(said), "{wrong}: {error}");
        }
        for secret in ["{{s3cret}}", "s3cret{{", "{{random s3cret 1}}"] {
            let error = parse(secret).unwrap_err();
            assert!(!error.contains("s3cret"), "{error}");
        }
    }
}
